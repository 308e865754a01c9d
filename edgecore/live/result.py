"""What the loop says of a frame, and what it keeps count of."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from edgecore.camera.source import Frame
from edgecore.model import Prediction
from edgecore.statistics import Histogram

STAGES = ("read", "preprocess", "inference")


@dataclass(frozen=True)
class Event:
    """The label that counts has changed.

    Attributes:
        label: the new one; None: nothing is certain any more.
        previous: the one before; None: none was certain.
        score: of the new one, smoothed; of the best class where there is none.
        time: in seconds since 1970.
        frame: the number of the frame that confirmed it.
    """

    label: str | None
    previous: str | None
    score: float
    time: float
    frame: int

    def to_json(self) -> dict[str, Any]:
        """The form of an event in a result's line and on the standard input of `--on-event`."""
        return {
            "label": self.label,
            "previous": self.previous,
            "score": round(self.score, 6),
            "time": round(self.time, 3),
            "frame": self.frame,
        }


@dataclass(frozen=True)
class Result:
    """The answer to one frame. Times in seconds.

    Attributes:
        index: the frame's number.
        name: the frame's own file, where it has one.
        predictions: the best classes of this frame alone, best first.
        stages: how long each of STAGES took.
        latency: from `frame.captured` to the answer.
        label: what counts now, after smoothing, threshold and confirmation; None: nothing is certain.
        score: the smoothed score of `label`, or of the best class where there is none.
        event: where `label` has changed with this frame.
        frame: the picture, valid until every output has seen the result.
        dropped: frames of the source that nobody looked at, so far.
    """

    index: int
    name: str | None
    predictions: list[Prediction]
    stages: dict[str, float]
    latency: float
    label: str | None = None
    score: float = 0.0
    event: Event | None = None
    frame: Frame | None = None
    dropped: int = 0

    def to_json(self) -> dict[str, Any]:
        """The form of a line of `--json` and `--out`.

        Durations in milliseconds; with its frame also "time", when that was captured, in seconds since 1970,
        and "latency_from", what the latency begins with ("exposure" or "arrival").
        """
        line: dict[str, Any] = {"frame": self.index}
        if self.frame is not None:
            line["time"] = round(time.time() - (time.monotonic() - self.frame.captured), 3)
        if self.name is not None:
            line["image"] = self.name
        line["label"] = self.label
        line["score"] = round(self.score, 6)
        if self.event is not None:
            line["event"] = self.event.to_json()
        line["predictions"] = [
            {"label": item.label, "score": round(item.score, 6), "index": item.index}
            for item in self.predictions
        ]
        line["latency_ms"] = round(self.latency * 1e3, 4)
        if self.frame is not None:
            line["latency_from"] = self.frame.clock
        line["stages_ms"] = {stage: round(seconds * 1e3, 4) for stage, seconds in self.stages.items()}
        return line


@dataclass
class Tally:
    """Everything a summary needs, in memory that does not grow with the number of frames."""

    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    frames: int = 0
    latency: Histogram = field(default_factory=Histogram)
    stages: dict[str, Histogram] = field(default_factory=lambda: {stage: Histogram() for stage in STAGES})
    labels: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        """Counts one result."""
        self.frames += 1
        self.latency.add(result.latency)
        for stage, seconds in result.stages.items():
            self.stages[stage].add(seconds)
        if result.predictions:
            self.labels[result.predictions[0].label] += 1

    def stop(self) -> None:
        """The run is over: the clock stands still from here on."""
        self.ended = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start, until the end."""
        return max((self.ended or time.monotonic()) - self.started, 1e-9)

    @property
    def rate(self) -> float:
        """Frames a second over the whole run."""
        return self.frames / self.seconds

    def to_json(self) -> dict[str, Any]:
        """The summary, times in milliseconds."""
        return {
            "frames": self.frames,
            "seconds": round(self.seconds, 3),
            "fps": round(self.rate, 2),
            "latency_ms": {f"p{rank}": round(self.latency.percentile(rank) * 1e3, 4) for rank in (50, 95)},
            "stages_ms": {stage: round(seen.percentile(50) * 1e3, 4) for stage, seen in self.stages.items()},
            "labels": dict(self.labels.most_common(5)),
        }
