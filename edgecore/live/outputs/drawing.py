"""The picture of a result with its overlay, as clips and windows show it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edgecore.camera.picture import bgr_of
from edgecore.live.result import Result

if TYPE_CHECKING:
    import numpy as np

WEIGHT = 0.1  # of the newest interval in the frame rate


class Drawing:
    """Draws the overlay on a copy of each result's frame.

    Args:
        draw: (picture, label, score, latency, rate) -> picture; None: `edgecore.live.overlay.draw`.
    """

    def __init__(self, draw: Callable[..., np.ndarray] | None = None) -> None:
        if draw is None:
            from edgecore.live.overlay import draw as overlay

            draw = overlay
        self._draw: Callable[..., np.ndarray] = draw
        self._captured: float | None = None
        self._interval: float | None = None

    def __call__(self, result: Result) -> np.ndarray | None:
        """uint8 (height, width, 3), blue-green-red; None: the result has no frame."""
        frame = result.frame
        if frame is None:
            return None
        if self._captured is not None:
            interval = max(frame.captured - self._captured, 1e-6)
            before = interval if self._interval is None else self._interval
            self._interval = before + WEIGHT * (interval - before)
        self._captured = frame.captured
        rate = None if self._interval is None else 1 / self._interval
        return self._draw(bgr_of(frame), result.label, result.score, result.latency, rate)
