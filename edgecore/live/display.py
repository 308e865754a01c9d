"""How a running loop shows itself: a status line on a terminal, plain lines elsewhere, JSON on request."""

from __future__ import annotations

import json
import shutil
import time
from typing import Protocol, TextIO

from edgecore.live.result import Measured, Result, Tally

TERMINAL_INTERVAL = 0.1  # seconds between updates of the status line
PLAIN_INTERVAL = 1.0  # seconds between plain lines of a video or camera
WAITING_INTERVAL = 10.0  # seconds between plain lines that say what the loop is waiting for


class Display(Protocol):
    """Told of every result, of what happens beside them, and of the end."""

    def show(self, result: Result, tally: Tally) -> None:
        """One result, already counted."""

    def note(self, text: str) -> None:
        """Something that happened, once."""

    def wait(self, text: str) -> None:
        """What the loop is waiting for; again and again while it does."""

    def finish(self, tally: Tally) -> None:
        """The end of the run, for whatever reason."""


def _ms(measured: Measured) -> str:
    p50, p95 = measured.recent.percentiles(50, 95)
    return f"{p50 * 1e3:.2f}/{p95 * 1e3:.2f}"


def status(result: Result, tally: Tally) -> str:
    """Label, confidence, rate, and latencies of late as p50/p95, in one line."""
    best = result.predictions[0] if result.predictions else None
    answer = f"{best.label} {best.score:.2f}" if best else "-"
    where = result.name if result.name is not None else f"frame {result.index + 1}"
    stages = " ".join(f"{stage} {_ms(tally.stages[stage])}" for stage in result.stages)
    lost = f"  dropped {tally.dropped}" if tally.dropped else ""
    rate = f"{tally.rate_now:.1f} fps{lost}"
    return f"{where}  {answer}  {rate}  latency p50/p95 {_ms(tally.latency)} ms  {stages}"


def summary(tally: Tally) -> list[str]:
    """The closing lines of a run."""
    if not tally.frames:
        return [f"no frame in {tally.seconds:.2f} s"]
    p50, p95 = (tally.latency.all.percentile(rank) * 1e3 for rank in (50, 95))
    stages = ", ".join(f"{stage} {seen.all.percentile(50) * 1e3:.2f}" for stage, seen in tally.stages.items())
    labels = ", ".join(f"{label} {count}" for label, count in tally.labels.most_common(5))
    plural = "" if tally.frames == 1 else "s"
    lost = f", {tally.dropped} dropped" if tally.dropped else ""
    return [
        f"{tally.frames} frame{plural} in {tally.seconds:.2f} s, {tally.rate:.1f} fps{lost}; "
        f"latency from {tally.clock} p50 {p50:.2f} ms, p95 {p95:.2f} ms",
        f"median ms: {stages}",
        f"labels: {labels}",
    ]


class Terminal:
    """One line that is rewritten in place, and one that stays for each change of the label that counts."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawn = 0.0
        self._last: Result | None = None

    def show(self, result: Result, tally: Tally) -> None:
        self._last = result
        if result.event is not None or self._due():
            self._draw(status(result, tally))
        if result.event is not None:
            self._stream.write("\n")

    def note(self, text: str) -> None:
        self._stream.write(f"\r\x1b[K{text}\n")
        self._stream.flush()

    def wait(self, text: str) -> None:
        if self._due():
            self._draw(text)

    def _due(self) -> bool:
        return time.monotonic() - self._drawn >= TERMINAL_INTERVAL

    def _draw(self, line: str) -> None:
        self._drawn = time.monotonic()
        width = shutil.get_terminal_size().columns
        self._stream.write("\r" + line[: width - 1] + "\x1b[K")
        self._stream.flush()

    def finish(self, tally: Tally) -> None:
        if self._last is not None:
            self._draw(status(self._last, tally))
            self._stream.write("\n")
        print("\n".join(summary(tally)), file=self._stream, flush=True)


class Plain:
    """A line for every image; for a video or camera one a second, one for each change of the label that
    counts, and the last. What happens beside the results goes to `errors`."""

    def __init__(self, stream: TextIO, every: bool, errors: TextIO) -> None:
        self._stream = stream
        self._errors = errors
        self._every = every
        self._shown = self._waited = -WAITING_INTERVAL
        self._held: Result | None = None

    def show(self, result: Result, tally: Tally) -> None:
        now = time.monotonic()
        if not (self._every or result.event is not None) and now - self._shown < PLAIN_INTERVAL:
            self._held = result
            return
        self._shown, self._held = now, None
        self._print(status(result, tally))

    def _print(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def note(self, text: str) -> None:
        print(text, file=self._errors, flush=True)

    def wait(self, text: str) -> None:
        if time.monotonic() - self._waited >= WAITING_INTERVAL:
            self._waited = time.monotonic()
            self.note(text)

    def finish(self, tally: Tally) -> None:
        if self._held is not None:
            self._print(status(self._held, tally))
        self._print("\n".join(summary(tally)))


class JsonLines(Plain):
    """One JSON object a result, then one {"summary": ...}."""

    def __init__(self, stream: TextIO, errors: TextIO) -> None:
        super().__init__(stream, True, errors)

    def show(self, result: Result, tally: Tally) -> None:
        self._write(result.to_json())

    def finish(self, tally: Tally) -> None:
        self._write({"summary": tally.to_json()})

    def _write(self, item: dict[str, object]) -> None:
        self._print(json.dumps(item))
