"""Calls that may never return."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Leavable(threading.Thread):
    """Makes calls one after the other, in a thread that can be left behind when one hangs.

    It does not keep the process alive, and ends when its last call does.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        self.start()

    def run(self) -> None:
        while (item := self._calls.get()) is not None:
            function, future = item
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)
            del item, function, future  # what they hold is not to wait for the next call

    def call(self, function: Callable[[], T]) -> Future[T]:
        """What `function` will give, after the calls before it."""
        future: Future[T] = Future()
        self._calls.put((function, future))
        return future

    def finish(self) -> None:
        """There will be no more calls."""
        self._calls.put(None)
