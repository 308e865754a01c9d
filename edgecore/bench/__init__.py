"""Measuring how fast a model runs here, and saying it so that it can be believed."""
