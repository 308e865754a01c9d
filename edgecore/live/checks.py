"""What a new model must show before it replaces one that runs.

It has been loaded; then, beside the live loop:

1. Golden output: a model that carries one (`edgecore convert` writes it) must reproduce it by the byte.
2. The user's picture, where there is one: its best class must be the given label.
3. A model with neither must run, and must not give one and the same output for every test picture.
4. Time: an inference must not take longer than the limit, or than four times that of the running model.

Times are processor time of one engine thread, for the new and the running model alike: the median of ten
runs. So the loop, which runs meanwhile, spoils neither figure, and measuring takes a part of one core, at a
lower priority than the loop's. The golden output is asked of the very model that will run, with its threads.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from edgecore.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from edgecore.model import Model
    from edgecore.network import Network

RUNS = 10
WARMUP = 2
SLOWER = 4.0  # times the running model
PICTURES = 16
NICE = 10  # about a tenth of a core beside a loop that wants all of it


@dataclass(frozen=True)
class KnownPicture:
    """A picture and its right answer: `pixels` are uint8 (height, width, 3), BGR."""

    path: Path
    label: str
    pixels: np.ndarray = field(repr=False, compare=False)

    @classmethod
    def from_text(cls, text: str) -> KnownPicture:
        """Reads the picture of "IMAGE=LABEL"; the label is one of the model's own, before a class map.

        Raises UserError: another text, or a picture that does not decode.
        """
        from edgecore.camera.opencv import read_image

        path, equals, label = text.rpartition("=")
        if not (equals and path and label):
            raise UserError(f"--golden {text}: write IMAGE=LABEL, such as cat.jpg=cat")
        return cls(Path(path), label, read_image(Path(path)))


@dataclass(frozen=True)
class Checks:
    """What to check besides what the model brings along.

    Attributes:
        known: the user's picture; None: none.
        max_latency: the longest processor time of an inference on one engine thread, in seconds; None: SLOWER
            times the running model's.
    """

    known: KnownPicture | None = None
    max_latency: float | None = None


def check(candidate: Model, running: Model, checks: Checks, stop: threading.Event) -> None:
    """Runs all checks in the calling thread, whose priority it lowers for good.

    `running` is only asked for its bytes and options, so that another thread may go on using it. Once `stop`
    is set the check ends early, without a verdict.

    Raises UserError with what the candidate has failed.
    """
    check_answers(candidate, checks.known)
    own = candidate.network
    # Opening a model holds up Python's other threads for milliseconds, so none is opened for nothing.
    new = own if own.threads == 1 else own.on_one_thread()
    # The running model's time is taken anew: a hot, throttled board slows both.
    old = running.network.on_one_thread() if checks.max_latency is None else None
    yield_priority()
    taken = processor_time(new, stop)
    if old is not None:
        limit = SLOWER * processor_time(old, stop)
        verdict = f"more than {SLOWER:g} times as long as with the old one; allow it with --max-latency"
    else:
        limit = checks.max_latency or 0.0
        verdict = f"the limit is {limit * 1e3:.3g} ms"
    if not stop.is_set() and taken > limit:
        raise UserError(f"an inference takes {taken * 1e3:.3g} ms on one core, {verdict}")


def check_answers(candidate: Model, known: KnownPicture | None) -> None:
    """The first three checks. Raises UserError with the one that failed."""
    golden = candidate.check_golden()
    if golden is False:
        raise UserError("it does not give the golden output that it carries; copy or convert it again")
    if known is not None:
        (best,) = candidate.classify(known.pixels, top=1)
        if best.label != known.label:
            raise UserError(f"it takes {known.path} for {best.label!r}, not {known.label!r}")
    elif golden is None and not _answers_differ(candidate):
        raise UserError("it gives the same output for every picture; train or convert it again")


def _answers_differ(candidate: Model) -> bool:
    from edgecore import golden

    first = None
    for number in range(PICTURES):
        candidate.prepare(golden.picture(number), "RGB")
        candidate.infer()
        output = candidate.network.output().tobytes()
        if first is not None and output != first:
            return True
        first = output
    return False


def yield_priority() -> None:
    """Lowers the calling thread's priority; only this thread's, as Linux keeps one for each."""
    thread = threading.get_native_id()
    lower = min(os.getpriority(os.PRIO_PROCESS, thread) + NICE, 19)
    os.setpriority(os.PRIO_PROCESS, thread, lower)


def processor_time(network: Network, stop: threading.Event) -> float:
    """The median time that the calling thread computes for one inference, in seconds.

    Args:
        network: opened with one thread, else part of the work is not seen.
        stop: ends the measurement early; the figure then means nothing.
    """
    taken = []
    for run in range(WARMUP + RUNS):
        if stop.is_set():
            break
        begin = time.thread_time()
        network.invoke()
        if run >= WARMUP:
            taken.append(time.thread_time() - begin)
    return statistics.median(taken) if taken else 0.0
