"""Frames for the tests of kernels/image."""

from __future__ import annotations

import ctypes
import mmap

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def random_frame(seed: int, height: int, width: int, channels: int = 3, extremes: bool = False) -> Pixels:
    frame = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return np.where(frame > 127, 255, 0).astype(np.uint8) if extremes else frame


def before_a_guard_page(size: int) -> Pixels:
    """`size` bytes that end where memory may be neither read nor written."""
    pages = -(-size // mmap.PAGESIZE)
    area = mmap.mmap(-1, (pages + 1) * mmap.PAGESIZE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(area))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mprotect(ctypes.c_void_p(start + pages * mmap.PAGESIZE), mmap.PAGESIZE, 0) == 0  # PROT_NONE
    return np.frombuffer(area, np.uint8, size, pages * mmap.PAGESIZE - size)
