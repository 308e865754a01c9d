"""A clock drawn into frames, so that a reader learns how old a frame is.

The top 32 rows hold 32 bars of 20 pixels: the bits of time.monotonic() in milliseconds, the lowest bit on
the left, bright for 1. Below them a bright line moves, so that no two frames are alike to a codec.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

WIDTH, HEIGHT = 640, 360
BARS, BAR, ROWS = 32, 20, 32
DARK, BRIGHT, GROUND = 0x10, 0xEB, 0x40
SPAN = 1 << BARS


def drawn(height: int = HEIGHT) -> bytes:
    """A grey frame of WIDTH x height that tells the time of this call; pure Python, for any interpreter."""
    now = int(time.monotonic() * 1000) % SPAN
    row = b"".join(bytes([BRIGHT if now >> bit & 1 else DARK]) * BAR for bit in range(BARS))
    line = now // 33 % (height - ROWS)
    below = bytearray([GROUND]) * (WIDTH * (height - ROWS))
    below[line * WIDTH : (line + 1) * WIDTH] = bytes([BRIGHT]) * WIDTH
    return row * ROWS + bytes(below)


def age(pixels: np.ndarray) -> float:
    """Seconds since a frame was drawn; `pixels` is uint8 (height, WIDTH, 3) or (height, WIDTH)."""
    grey = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    middle = grey[ROWS // 4 : ROWS * 3 // 4, BAR // 2 : BARS * BAR : BAR].mean(axis=0)
    shown = sum(1 << bit for bit, level in enumerate(middle) if level > (DARK + BRIGHT) / 2)
    late = (int(time.monotonic() * 1000) - shown) % SPAN
    return (late if late < SPAN // 2 else late - SPAN) / 1000
