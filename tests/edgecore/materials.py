"""What the fixtures and the tests share."""

from __future__ import annotations

import cv2
import numpy as np

CLASSES = tuple(f"kind {index}" for index in range(10))


def picture(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
    """Smooth colours, uint8 (height, width, 3), so that a compressed file still resembles it."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
