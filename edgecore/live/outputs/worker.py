"""One thread that does slow things one after the other, so that the loop never waits for them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Worker(Generic[T]):
    """Does `work(item)` for each item that was put, in order, in a thread that the first item starts.

    At most `limit` items wait. For one more the oldest of them is dropped, and given to `drop` if there is
    one. What `work` raises ends that item alone and is given to `failed`.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[T], None],
        limit: int,
        failed: Callable[[Exception], None],
        drop: Callable[[T], None] | None = None,
    ) -> None:
        self._name = name
        self._work = work
        self._limit = limit
        self._failed = failed
        self._drop = drop
        self._waiting: deque[T] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._working = False
        self.dropped = 0

    def put(self, item: T) -> None:
        """Adds an item; never waits for the work. After close() nothing is taken any more."""
        stale = None
        with self._changed:
            if self._closing:
                stale = item
            else:
                if len(self._waiting) >= self._limit:
                    stale = self._waiting.popleft()
                self._waiting.append(item)
                self._changed.notify()
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                    self._thread.start()
            self.dropped += stale is not None
        if stale is not None and self._drop is not None:
            self._drop(stale)

    @property
    def idle(self) -> bool:
        """Whether everything that was put is done."""
        with self._changed:
            return not self._waiting and not self._working

    def _run(self) -> None:
        while True:
            with self._changed:
                self._working = False
                self._changed.notify_all()
                while not self._waiting:
                    if self._closing:
                        return
                    self._changed.wait()
                item = self._waiting.popleft()
                self._working = True
            try:
                self._work(item)
            except Exception as error:
                self._failed(error)

    def close(self, seconds: float) -> bool:
        """Takes nothing more and waits so long for what was put.

        Returns whether all of it is done; else what has not begun is dropped.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            done = self._changed.wait_for(lambda: not self._waiting and not self._working, seconds)
            left = list(self._waiting)
            self._waiting.clear()
            self.dropped += len(left)
        for item in left:
            if self._drop is not None:
                self._drop(item)
        if done and self._thread is not None:
            self._thread.join()
        return done
