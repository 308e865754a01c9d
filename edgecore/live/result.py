"""What the loop says of a frame, and what it keeps count of."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from edgecore.camera.source import Frame
from edgecore.model import Prediction
from edgecore.statistics import Histogram, Recent

RATE_SECONDS = 3.0  # that the rate of late is about
STAGES = ("read", "preprocess", "inference", "publish")


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
        stages: how long each of STAGES took but the last, which is still to come.
        latency: from `frame.captured` to the answer.
        label: what counts now, after smoothing, threshold and confirmation; None: nothing is certain.
        score: the smoothed score of `label`, or of the best class where there is none.
        event: where `label` has changed with this frame, or with one before that a slow caller did not get.
        frame: the picture, where the loop was asked to keep it.
        dropped: frames of the source that nobody looked at, so far.
        captured: the frame's time of capture, in seconds since 1970.
        clock: what `captured` and `latency` begin with, as Frame has it: "exposure" or "arrival".
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
    captured: float = 0.0
    clock: str = "arrival"

    def to_json(self) -> dict[str, Any]:
        """The form of a line of `--json` and `--out`.

        Durations in milliseconds; "time" is that of the capture, in seconds since 1970.
        """
        line: dict[str, Any] = {"frame": self.index, "time": round(self.captured, 3)}
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
        line["latency_from"] = self.clock
        line["stages_ms"] = {stage: round(seconds * 1e3, 4) for stage, seconds in self.stages.items()}
        return line


class Measured:
    """Seconds of one kind: over the whole run, and of late."""

    def __init__(self) -> None:
        self.all = Histogram()
        self.recent = Recent()

    def add(self, seconds: float) -> None:
        """Counts a value."""
        self.all.add(seconds)
        self.recent.add(seconds)


@dataclass
class Tally:
    """Everything a status line and a summary need, in memory that does not grow with the number of frames."""

    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    frames: int = 0
    dropped: int = 0
    clock: str = "arrival"
    latency: Measured = field(default_factory=Measured)
    stages: dict[str, Measured] = field(default_factory=lambda: {stage: Measured() for stage in STAGES})
    labels: Counter[str] = field(default_factory=Counter)
    _times: deque[float] = field(default_factory=lambda: deque(maxlen=Recent.LENGTH))

    def add(self, result: Result, publish: float = 0.0) -> None:
        """Counts one result, whose publishing took `publish` seconds."""
        self._times.append(time.monotonic())
        self.frames += 1
        self.dropped = result.dropped
        self.clock = result.clock
        self.latency.add(result.latency)
        for stage, seconds in result.stages.items():
            self.stages[stage].add(seconds)
        self.stages["publish"].add(publish)
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

    @property
    def rate_now(self) -> float:
        """Frames a second of late; 0 with the first."""
        times = list(self._times)
        # A pause, while the source was lost, does not count longer than that; two frames always do.
        recent = [moment for moment in times if times[-1] - moment <= RATE_SECONDS]
        if len(recent) < 2:
            recent = times[-2:]
        span = recent[-1] - recent[0] if recent else 0.0
        return (len(recent) - 1) / span if span else 0.0

    def to_json(self) -> dict[str, Any]:
        """The summary, times in milliseconds."""
        return {
            "frames": self.frames,
            "seconds": round(self.seconds, 3),
            "fps": round(self.rate, 2),
            "dropped": self.dropped,
            "latency_from": self.clock,
            "latency_ms": {
                f"p{rank}": round(self.latency.all.percentile(rank) * 1e3, 4) for rank in (50, 95)
            },
            "stages_ms": {
                stage: round(seen.all.percentile(50) * 1e3, 4) for stage, seen in self.stages.items()
            },
            "labels": dict(self.labels.most_common(5)),
        }
