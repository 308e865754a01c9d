"""How a running loop shows itself: a status line on a terminal, plain lines elsewhere, JSON on request."""

from __future__ import annotations

import json
import shutil
import time
from typing import Protocol, TextIO

from edgecore.live.result import Result, Tally

TERMINAL_INTERVAL = 0.1  # seconds between updates of the status line
PLAIN_INTERVAL = 1.0  # seconds between plain lines of a video or camera
HOLD = 10  # results in a row that make a new label worth a line of its own


class Display(Protocol):
    """Told of every result, and of the end."""

    def show(self, result: Result, tally: Tally) -> None:
        """One result, already counted."""

    def finish(self, tally: Tally) -> None:
        """The end of the run, for whatever reason."""


def status(result: Result, tally: Tally) -> str:
    """Label, confidence, rate and latency in one line."""
    best = result.predictions[0] if result.predictions else None
    answer = f"{best.label} {best.score:.2f}" if best else "-"
    p50, p95 = (tally.latency.percentile(rank) * 1e3 for rank in (50, 95))
    where = result.name if result.name is not None else f"frame {result.index + 1}"
    return f"{where}  {answer}  {tally.rate:.1f} fps  latency p50 {p50:.2f} ms p95 {p95:.2f} ms"


def summary(tally: Tally) -> list[str]:
    """The closing lines of a run."""
    p50, p95 = (tally.latency.percentile(rank) * 1e3 for rank in (50, 95))
    stages = ", ".join(f"{stage} {seen.percentile(50) * 1e3:.2f}" for stage, seen in tally.stages.items())
    labels = ", ".join(f"{label} {count}" for label, count in tally.labels.most_common(5))
    plural = "" if tally.frames == 1 else "s"
    return [
        f"{tally.frames} frame{plural} in {tally.seconds:.2f} s, {tally.rate:.1f} fps; "
        f"latency p50 {p50:.2f} ms, p95 {p95:.2f} ms",
        f"median ms: {stages}",
        f"labels: {labels}",
    ]


class Scene:
    """Notices that a label has come to stay: a clip is often over before a line can be read."""

    def __init__(self) -> None:
        self._told: str | None = None
        self._label: str | None = None
        self._held = 0

    def changed(self, result: Result) -> bool:
        """Whether the best label is new, and has now been the best for HOLD results in a row."""
        label = result.predictions[0].label if result.predictions else None
        self._held = self._held + 1 if label == self._label else 1
        self._label = label
        if label == self._told or self._held < HOLD:
            return False
        self._told = label
        return True


class Terminal:
    """One line that is rewritten in place, and one that stays for each new label."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._scene = Scene()
        self._shown = 0.0
        self._last: Result | None = None

    def show(self, result: Result, tally: Tally) -> None:
        now = time.monotonic()
        self._last = result
        changed = self._scene.changed(result)
        if changed or now - self._shown >= TERMINAL_INTERVAL:
            self._shown = now
            self._draw(status(result, tally))
        if changed:
            self._stream.write("\n")

    def _draw(self, line: str) -> None:
        width = shutil.get_terminal_size().columns
        self._stream.write("\r" + line[: width - 1] + "\x1b[K")
        self._stream.flush()

    def finish(self, tally: Tally) -> None:
        if self._last is not None:
            self._draw(status(self._last, tally))
            self._stream.write("\n")
        print("\n".join(summary(tally)), file=self._stream, flush=True)


class Plain:
    """A line for every image; for a video or camera one a second, one for each new label, and the last."""

    def __init__(self, stream: TextIO, every: bool) -> None:
        self._stream = stream
        self._scene = Scene()
        self._every = every
        self._shown = 0.0
        self._waiting: Result | None = None

    def show(self, result: Result, tally: Tally) -> None:
        now = time.monotonic()
        changed = self._scene.changed(result)
        if not (self._every or changed) and now - self._shown < PLAIN_INTERVAL:
            self._waiting = result
            return
        self._shown, self._waiting = now, None
        print(status(result, tally), file=self._stream, flush=True)

    def finish(self, tally: Tally) -> None:
        if self._waiting is not None:
            print(status(self._waiting, tally), file=self._stream)
        print("\n".join(summary(tally)), file=self._stream, flush=True)


class JsonLines:
    """One JSON object a result, then one {"summary": ...}."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, result: Result, tally: Tally) -> None:
        self._stream.write(json.dumps(result.to_json()) + "\n")
        self._stream.flush()

    def finish(self, tally: Tally) -> None:
        self._stream.write(json.dumps({"summary": tally.to_json()}) + "\n")
        self._stream.flush()
