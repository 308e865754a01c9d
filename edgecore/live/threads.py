"""Threads that are mostly in native code."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable


class NativeThread(threading.Thread):
    """A daemon thread that the interpreter's end waits for, but not for ever.

    Python ends a daemon thread the moment it comes back from native code after the interpreter has ended.
    OpenCV and TFLite do not survive that: the process aborts ("terminate called without an active
    exception"). A thread that hangs for good does no harm.

    Args:
        name: of the thread.
        work: what it does.
        stop: tells it to end; called at the interpreter's end.
        patience: seconds that it then has.
    """

    def __init__(
        self, name: str, work: Callable[[], None], stop: Callable[[], None], patience: float
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._stop_it = stop
        self._patience = patience

    def start(self) -> None:
        atexit.register(self._leave)
        super().start()

    def run(self) -> None:
        try:
            self._work()
        finally:
            atexit.unregister(self._leave)

    def _leave(self) -> None:
        self._stop_it()
        self.join(self._patience)
