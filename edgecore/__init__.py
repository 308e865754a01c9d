"""edgecore: Keras models in int8 on small boards, live from a camera."""

from __future__ import annotations

__version__ = "0.1.0"
