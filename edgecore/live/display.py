"""How a running loop shows itself: a status line on a terminal, plain lines elsewhere, JSON on request."""

from __future__ import annotations

import json
import shutil
import time
from datetime import timedelta
from typing import Protocol, TextIO
from unicodedata import east_asian_width

from edgecore.live.result import Event, Measured, Result, Tally

TERMINAL_INTERVAL = 0.1  # seconds between updates of the status line
PLAIN_INTERVAL, LONGEST_PLAIN_INTERVAL = 1.0, 60.0  # seconds between plain lines; each doubles the last
WAITING_INTERVAL = 10.0  # seconds between plain lines that say what the loop is waiting for
WAITING_AFTER = 2.0  # seconds from the line that says what was lost
SHORTEST_LABEL = 8  # columns that a label gets however narrow the terminal


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


def _short(seconds: float) -> str:
    """Milliseconds with three digits."""
    value = seconds * 1e3
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}"


def _late(measured: Measured) -> str:
    """p50/p95 of late, in milliseconds."""
    return "/".join(map(_short, measured.recent.percentiles(50, 95)))


def _width(text: str) -> int:
    """Columns of a terminal."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _plain(text: str) -> str:
    """A label or a file's name without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _fitted(text: str, columns: int) -> str:
    """As much of a text as fits, with ".." for the rest."""
    if _width(text) <= columns:
        return text
    while text and _width(text) > columns - 2:
        text = text[:-1]
    return text + ".."


def answer(result: Result) -> tuple[str, float]:
    """The label that counts and its score; as long as none does the frame's best, with a question mark."""
    if result.label is not None:
        return _plain(result.label), result.score
    if result.predictions:
        return f"{_plain(result.predictions[0].label)}?", result.predictions[0].score
    return "-", 0.0


def status(result: Result, tally: Tally, columns: int | None = None) -> str:
    """Label, score, rate, latency, drops, and as much of the frame's number and stages as `columns` hold."""
    label, score = answer(result)
    rate = tally.rate_now
    parts = [
        f"{rate:.{0 if rate >= 100 else 1}f} fps" if rate else "- fps",
        f"latency p50/p95 {_late(tally.latency)} ms",
    ]
    if tally.dropped:
        parts.append(f"dropped {tally.dropped}")
    more = [f"frame {result.index + 1}"]
    more += [f"{stage} {_late(tally.stages[stage])}" for stage in result.stages]
    rest = "  ".join(["", *parts])
    if columns is not None:
        label = _fitted(label, max(columns - len(f" {score:.2f}{rest}"), SHORTEST_LABEL))
    line = f"{label} {score:.2f}{rest}"
    for part in more:
        if columns is not None and _width(line) + 2 + len(part) > columns:
            break
        line += f"  {part}"
    return line if columns is None else line[:columns]


def change(event: Event) -> str:
    """A change of the label that counts, in a line."""
    before = f", before: {_plain(event.previous)}" if event.previous is not None else ""
    what = f"{_plain(event.label)} {event.score:.2f}" if event.label is not None else "no label counts"
    return f"{what} from frame {event.frame + 1} on{before}"


def summary(tally: Tally) -> list[str]:
    """The closing lines of a run."""
    seconds = tally.seconds
    time_taken = f"{seconds:.2f} s" if seconds < 600 else str(timedelta(seconds=round(seconds)))
    if not tally.frames:
        return [f"no frame in {time_taken}"]
    p50, p95 = (_short(tally.latency.all.percentile(rank)) for rank in (50, 95))
    stages = ", ".join(f"{stage} {_short(seen.all.percentile(50))}" for stage, seen in tally.stages.items())
    labels = "; ".join(f"{_plain(label)} {count}" for label, count in tally.labels.most_common(5))
    plural = "" if tally.frames == 1 else "s"
    lost = f", {tally.dropped} dropped" if tally.dropped else ""
    return [
        f"{tally.frames} frame{plural} in {time_taken}, {tally.rate:.1f} fps{lost}",
        f"latency from {tally.clock}: p50 {p50} ms, p95 {p95} ms",
        f"median ms: {stages}",
        f"best class: {labels}",
    ]


class Terminal:
    """One line that is rewritten in place, and one that stays for each change of the label that counts and
    for what happens beside the results, with the time of day."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawn = -TERMINAL_INTERVAL
        self._last: Result | None = None

    def show(self, result: Result, tally: Tally) -> None:
        self._last = result
        if result.event is not None:
            self.note(change(result.event))
        if result.event is not None or self._due():
            self._draw(status(result, tally, self._columns()))

    def note(self, text: str) -> None:
        self._stream.write(f"\r\x1b[K{time.strftime('%H:%M:%S')}  {_plain(text)}\n")
        self._stream.flush()

    def wait(self, text: str) -> None:
        if self._due():
            self._draw(_fitted(_plain(text), self._columns()))

    def _due(self) -> bool:
        return time.monotonic() - self._drawn >= TERMINAL_INTERVAL

    def _columns(self) -> int:
        # Not the last one, which some terminals answer with a line break.
        return max(shutil.get_terminal_size().columns - 1, 1)

    def _draw(self, line: str) -> None:
        self._drawn = time.monotonic()
        self._stream.write(f"\r{line}\x1b[K")
        self._stream.flush()

    def finish(self, tally: Tally) -> None:
        if self._last is not None:
            self._draw(status(self._last, tally, self._columns()))
            self._stream.write("\n")
        print("\n".join(summary(tally)), file=self._stream, flush=True)


class Plain:
    """A line with its name and answer for every image. For a video or camera status lines, ever rarer up to
    one a minute, one for each change of the label that counts, and the last. What happens beside the results
    goes to `errors`."""

    def __init__(self, stream: TextIO, every: bool, errors: TextIO) -> None:
        self._stream = stream
        self._errors = errors
        self._every = every
        self._waiting_due = 0.0
        self._due = 0.0
        self._interval = PLAIN_INTERVAL
        self._held: Result | None = None

    def show(self, result: Result, tally: Tally) -> None:
        if self._every:
            label, score = answer(result)
            where = _plain(result.name) if result.name is not None else f"frame {result.index + 1}"
            self._print(f"{where}  {label} {score:.2f}")
            return
        if result.event is not None:
            self._print(change(result.event))
        now = time.monotonic()
        self._held = result
        if now >= self._due:
            if self._due:
                self._interval = min(2 * self._interval, LONGEST_PLAIN_INTERVAL)
            self._due, self._held = now + self._interval, None
            self._print(status(result, tally))

    def _print(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def note(self, text: str) -> None:
        self._waiting_due = time.monotonic() + WAITING_AFTER
        print(_plain(text), file=self._errors, flush=True)

    def wait(self, text: str) -> None:
        if time.monotonic() >= self._waiting_due:
            self.note(text)
            self._waiting_due = time.monotonic() + WAITING_INTERVAL

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
