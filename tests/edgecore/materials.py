"""What the fixtures and the tests share."""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np

PATIENCE = 30.0  # seconds; nothing that is well takes so long
CLASSES = tuple(f"kind {index}" for index in range(10))


def picture(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
    """Smooth colours, uint8 (height, width, 3), so that a compressed file still resembles it."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def until(condition: Callable[[], object], what: str = "", seconds: float = PATIENCE) -> float:
    """Waits for something that another thread or process does; how many seconds that took."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, f"not in {seconds} s: {what}"
        time.sleep(0.01)
    return time.monotonic() - begin
