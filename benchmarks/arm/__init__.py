"""Proof without a board: instructions, inner loops and bytes of edgecore and its peers on ARM."""
