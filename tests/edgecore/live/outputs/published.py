"""What the tests of the outputs publish."""

from __future__ import annotations

import time
from collections.abc import Callable

from materials import picture

from edgecore.bench.memory import holdings
from edgecore.camera.source import Frame
from edgecore.live.result import Event, Result
from edgecore.model import Prediction


def result_of(
    index: int,
    label: str = "cat",
    score: float = 0.9,
    event: Event | None = None,
    captured: float | None = None,
    height: int = 48,
    width: int = 64,
) -> Result:
    """A result with a frame of that size, captured at that moment (default: now)."""
    stages = {"read": 0.001, "preprocess": 0.002, "inference": 0.007}
    captured = time.monotonic() if captured is None else captured
    frame = Frame(picture(index % 7, height, width), "BGR", captured, index)
    return Result(index, None, [Prediction(label, score, 1)], stages, 0.01, label, score, event, frame)


def growth_of(step: Callable[[int], None], warm_up: int = 2000, count: int = 20_000) -> tuple[int, int]:
    """How many bytes of memory and descriptors `count` steps take for good, after `warm_up` others."""
    for index in range(warm_up):
        step(index)
    before = holdings()
    for index in range(warm_up, warm_up + count):
        step(index)
    after = holdings()
    return after.rss - before.rss, after.files - before.files
