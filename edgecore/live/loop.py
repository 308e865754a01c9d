"""Read, preprocess, infer, publish: the loop behind `edgecore run`."""

from __future__ import annotations

import time
from collections.abc import Iterator

from edgecore.camera.source import Source
from edgecore.live.result import Result
from edgecore.model import Model


def results(source: Source, model: Model, frames: int | None = None, top: int = 5) -> Iterator[Result]:
    """The answers to the frames of an open source, in order, at most `frames` of them."""
    clock = time.perf_counter
    count = 0
    while frames is None or count < frames:
        begin = clock()
        frame = source.read()
        if frame is None:
            return
        got = clock()
        model.prepare(frame.pixels, frame.order)
        prepared = clock()
        model.infer()
        predictions = model.predictions(top)
        done = clock()
        stages = {"read": got - begin, "preprocess": prepared - got, "inference": done - prepared}
        count += 1
        yield Result(frame.index, frame.name, predictions, stages, time.monotonic() - frame.captured)
