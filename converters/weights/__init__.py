"""Trained weights from other tools: read from a file, renamed and laid out for the zoo, put into a model."""

from __future__ import annotations

from edgecore.converters.weights.files import read
from edgecore.converters.weights.transfer import Loaded, freeze_until, load_into, options_for

__all__ = ["Loaded", "freeze_until", "load_into", "options_for", "read"]
