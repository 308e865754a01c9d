"""Which label counts: scores smoothed over time, a threshold with hysteresis, and confirmation.

Each frame has a candidate, found from the smoothed scores:

- the best class, if its score is HIGH or more;
- else the label that counts now, as long as its own score is LOW or more;
- else none.

The candidate becomes the label once it was the candidate of N of the last M frames, its own frame among them.
Frames before the last change of the label do not count, and "none" is confirmed like any other label.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgecore.errors import UserError
from edgecore.live.result import Event

if TYPE_CHECKING:
    import numpy as np

SMOOTHINGS = ("none", "exponential", "seconds", "frames")
LONGEST_WINDOW = 1024  # frames; bounds the memory of a window in seconds
LONGEST_CONFIRMATION = 1000  # frames
ROUNDING = 1e-9  # sums of scores differ by less, so a score that stands on a threshold stays on its side
NOBODY = -1


@dataclass(frozen=True)
class Rules:
    """What makes a label count.

    Attributes:
        smoothing: one of SMOOTHINGS. "exponential": with time constant `span`, so that a frame has weight
            1 - exp(-(seconds since the frame before) / span), whatever the frame rate. "seconds": the mean
            over the frames captured less than `span` seconds before this one, at most LONGEST_WINDOW of them.
            "frames": the mean over the last `span` frames.
        span: see `smoothing`; not used for "none".
        enter, leave: HIGH and LOW of the module's description, in the unit of the scores. The default lets
            the best class count whatever its score.
        wins, frames: N and M.

    Raises UserError: a value out of range.
    """

    smoothing: str = "none"
    span: float = 0.0
    enter: float = -math.inf
    leave: float = -math.inf
    wins: int = 1
    frames: int = 1

    def __post_init__(self) -> None:
        if self.smoothing not in SMOOTHINGS:
            raise UserError(f"there is no smoothing {self.smoothing!r}; use one of {', '.join(SMOOTHINGS)}")
        if self.smoothing != "none" and not (math.isfinite(self.span) and self.span > 0):
            raise UserError(f"{self.span:g} is no span to smooth over; give a number above 0")
        if self.smoothing == "frames" and (self.span != int(self.span) or self.span > LONGEST_WINDOW):
            raise UserError(
                f"{self.span:g} frames are no window; give a whole number from 1 to {LONGEST_WINDOW}"
            )
        if not self.leave <= self.enter:
            raise UserError(
                f"a label would enter at {self.enter:g} and leave below {self.leave:g}; "
                "the second is the lower one"
            )
        if not 1 <= self.wins <= self.frames <= LONGEST_CONFIRMATION:
            raise UserError(
                f"{self.wins} of {self.frames} frames cannot confirm a label; give N/M such as 8/10, "
                f"M from N to {LONGEST_CONFIRMATION}"
            )

    @classmethod
    def from_texts(
        cls, smooth: str | None = None, threshold: str | None = None, confirm: str | None = None
    ) -> Rules:
        """The rules that the texts of --smooth, --threshold and --confirm describe; None: not given.

        Raises UserError naming the option.
        """
        smoothing, span = parse_smooth(smooth) if smooth is not None else ("none", 0.0)
        enter, leave = parse_threshold(threshold) if threshold is not None else (-math.inf, -math.inf)
        wins, frames = parse_confirm(confirm) if confirm is not None else (1, 1)
        return cls(smoothing, span, enter, leave, wins, frames)


def usual_confirmation(named: bool) -> str | None:
    """The text of --confirm where nobody gives one; of images, which are `named`, each is for itself."""
    return None if named else "8/10"


def parse_smooth(text: str) -> tuple[str, float]:
    """(smoothing, span) of "none", "exponential:SECONDS", "window:FRAMES" or "window:SECONDSs".

    Raises UserError for anything else.
    """
    kind, _, value = text.partition(":")
    if text == "none":
        return "none", 0.0
    seconds = value.endswith("s")
    span = _number(value.removesuffix("s"))
    if span is not None and span > 0:
        if kind == "exponential":
            return "exponential", span
        if kind == "window" and seconds:
            return "seconds", span
        if kind == "window" and span == int(span) and span <= LONGEST_WINDOW:
            return "frames", span
    raise UserError(
        f"--smooth {text}: write none, exponential:0.5 (a time constant in seconds), "
        f"window:15 (up to {LONGEST_WINDOW} frames) or window:2s"
    )


def parse_threshold(text: str) -> tuple[float, float]:
    """(enter, leave) of "HIGH" or "HIGH,LOW"; HIGH alone stands for both.

    Raises UserError for anything else.
    """
    parts = [_number(part) for part in text.split(",")]
    high, low = parts[0], parts[-1]
    if len(parts) > 2 or high is None or low is None:
        raise UserError(f"--threshold {text}: write a score such as 0.6, or two such as 0.6,0.4")
    if low > high:
        raise UserError(
            f"--threshold {text}: a label enters at the first score, so the second is the lower one"
        )
    return high, low


def parse_confirm(text: str) -> tuple[int, int]:
    """(N, M) of "N/M". Raises UserError for anything else."""
    first, slash, second = text.partition("/")
    if slash and first.isdecimal() and second.isdecimal():
        wins, frames = int(first), int(second)
        if 1 <= wins <= frames <= LONGEST_CONFIRMATION:
            return wins, frames
    raise UserError(
        f"--confirm {text}: write N/M such as 8/10, N of the last M frames, M up to {LONGEST_CONFIRMATION}"
    )


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


class Decider:
    """Says after every frame which label counts.

    Args:
        labels: one per score.
        rules: see there.

    Call `reset` when the source changes, and make a new one for a model with other labels.
    """

    def __init__(self, labels: Sequence[str], rules: Rules) -> None:
        self.labels = list(labels)
        self.rules = rules
        self.reset()

    def reset(self) -> None:
        """Forgets every frame and the label that counts, without an event."""
        self._smooth = _smoother(self.rules)
        self._current = NOBODY
        self._candidates: deque[int] = deque(maxlen=self.rules.frames)

    @property
    def label(self) -> str | None:
        """The one that counts now."""
        return None if self._current == NOBODY else self.labels[self._current]

    def decide(
        self, scores: np.ndarray, captured: float, frame_index: int, moment: float | None = None
    ) -> tuple[str | None, float, Event | None]:
        """The label that counts after a frame, its smoothed score (the best class's where there is no label),
        and the event where the label has changed.

        Args:
            scores: float (classes,), finite. It is not kept.
            captured: seconds of time.monotonic(), for the event's time.
            frame_index: for the event.
            moment: seconds on a clock of its own, for the smoothing; None: `captured`.
        """
        smoothed = self._smooth(scores, captured if moment is None else moment)
        best = int(smoothed.argmax())
        candidate = self._candidate(smoothed, best)
        self._candidates.append(candidate)
        previous = self.label
        changes = candidate != self._current and self._candidates.count(candidate) >= self.rules.wins
        if changes:
            self._current = candidate
            self._candidates.clear()
        label = self.label
        score = float(smoothed[best if self._current == NOBODY else self._current])
        # Two classes of a model may bear one name: going from one to the other is nothing to tell.
        if not changes or label == previous:
            return label, score, None
        return label, score, Event(label, previous, score, _wall_clock(captured), frame_index)

    def _candidate(self, smoothed: np.ndarray, best: int) -> int:
        current = self._current
        if current != NOBODY and smoothed[best] - smoothed[current] <= ROUNDING:
            best = current  # a tie changes nothing
        if smoothed[best] >= self.rules.enter - ROUNDING:
            return best
        return current if current != NOBODY and smoothed[current] >= self.rules.leave - ROUNDING else NOBODY


def _wall_clock(captured: float) -> float:
    return time.time() - (time.monotonic() - captured)


class _None:
    def __call__(self, scores: np.ndarray, captured: float) -> np.ndarray:
        return scores


class _Exponential:
    """The first frame counts whole; each later one has the weight of the time since the one before."""

    def __init__(self, constant: float) -> None:
        self._constant = constant
        self._mean: np.ndarray | None = None
        self._captured = 0.0

    def __call__(self, scores: np.ndarray, captured: float) -> np.ndarray:
        import numpy as np

        if self._mean is None:
            self._mean = np.array(scores, np.float64)
        else:
            weight = -math.expm1(-max(captured - self._captured, 0.0) / self._constant)
            self._mean += weight * (scores - self._mean)
        self._captured = captured
        return self._mean


class _Window:
    """The mean over the last `frames` frames that are younger than `seconds`."""

    def __init__(self, frames: int, seconds: float = math.inf) -> None:
        self._frames, self._seconds = frames, seconds
        self._kept: deque[tuple[float, np.ndarray]] = deque()
        self._sum: np.ndarray | None = None

    def __call__(self, scores: np.ndarray, captured: float) -> np.ndarray:
        import numpy as np

        own = np.array(scores, np.float64)
        if self._sum is None:
            self._sum = np.zeros_like(own)
        while self._kept and (
            len(self._kept) >= self._frames or captured - self._kept[0][0] >= self._seconds
        ):
            self._sum -= self._kept.popleft()[1]
        if not self._kept:
            self._sum[:] = 0.0  # what rounding has left
        self._kept.append((captured, own))
        self._sum += own
        return np.asarray(self._sum / len(self._kept))


def _smoother(rules: Rules) -> _None | _Exponential | _Window:
    if rules.smoothing == "exponential":
        return _Exponential(rules.span)
    if rules.smoothing == "seconds":
        return _Window(LONGEST_WINDOW, rules.span)
    if rules.smoothing == "frames":
        return _Window(int(rules.span))
    return _None()
