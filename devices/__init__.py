"""Which machine this is, the boards that edgecore is made for, and what is needed to build for them."""
