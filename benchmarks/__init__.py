"""edgecore against its peers on this machine."""
