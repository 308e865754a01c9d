"""One run of the loop: every result to the display and the outputs, until the end or a signal."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from edgecore.live import signals
from edgecore.live.loop import Loop
from edgecore.live.outputs.guard import Guarded
from edgecore.live.result import Tally

if TYPE_CHECKING:
    from edgecore.live.display import Display
    from edgecore.live.outputs import Output


LOGGER = logging.getLogger("edgecore")


class Notices(logging.Handler):
    """Lines that any thread may leave for the one that shows them; the oldest are lost when nobody does.

    As a handler of logging it takes edgecore's warnings, too.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._lines: deque[str] = deque(maxlen=100)

    def __call__(self, text: str) -> None:
        self._lines.append(text)

    def emit(self, record: logging.LogRecord) -> None:
        self(record.getMessage())

    def show(self, display: Display) -> None:
        """Hands what has come to the display."""
        while self._lines:
            display.note(self._lines.popleft())


def run(loop: Loop, display: Display, outputs: Sequence[Output], notices: Notices) -> int:
    """Runs to the end of the source, its limit of frames, a signal or the closing of an output's window.

    Returns how many results an output did not take. A thread that hangs in a driver is left behind.

    Raises UserError when the source or the model cannot go on; everything is flushed then too.
    """
    tally = Tally()
    reloader = loop.settings.reloader
    guarded = [Guarded(output, notices) for output in outputs]
    with ExitStack() as stack:
        stack.enter_context(signals.handled(loop.stop, reloader.request if reloader is not None else None))
        LOGGER.addHandler(notices)
        stack.callback(LOGGER.removeHandler, notices)
        stack.callback(notices.show, display)
        # While the outputs write what they hold, the threads of the loop come to their end.
        stack.callback(loop.close)
        for output in guarded:
            stack.callback(output.close)
        stack.callback(loop.halt)
        loop.start()
        failed = True
        try:
            _publish_all(loop, display, guarded, notices, tally)
            failed = False
        finally:
            tally.stop()
            if tally.frames or not failed:
                display.finish(tally)
    return sum(output.lost for output in guarded)


def _publish_all(
    loop: Loop, display: Display, outputs: Sequence[Guarded], notices: Notices, tally: Tally
) -> None:
    while not loop.ended:
        result = loop.next()
        notices.show(display)
        if any(output.closed for output in outputs):
            loop.stop()
        if result is None:
            waiting = loop.feed.waiting
            if waiting is not None:
                display.wait(waiting)
            continue
        begin = time.perf_counter()
        for output in outputs:
            output.publish(result)
        tally.add(result, time.perf_counter() - begin)
        display.show(result, tally)
