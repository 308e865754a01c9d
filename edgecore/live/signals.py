"""What the system tells a running loop: end, or look at the model again."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def handled(stop: Callable[[], None], reload: Callable[[], None] | None = None) -> Iterator[None]:
    """SIGINT and SIGTERM call `stop`, SIGHUP `reload`, during the block; in the main thread.

    Without `reload` SIGHUP calls `stop` too, unless it is ignored, as nohup has it.

    A second SIGINT or SIGTERM kills, in case stopping itself hangs: Python's own handlers would wait until
    whatever hangs comes back from native code.
    """

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop()

    def again(number: int, frame: FrameType | None) -> None:
        if reload is not None:
            reload()

    handlers = {signal.SIGINT: end, signal.SIGTERM: end}
    if reload is not None:
        handlers[signal.SIGHUP] = again
    elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        handlers[signal.SIGHUP] = end
    before = {int(number): signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
