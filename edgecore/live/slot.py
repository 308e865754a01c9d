"""One place between two threads, so that no queue ever grows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Slot(Generic[Item]):
    """Holds one item. A full slot makes put() wait, or, with `newest`, gives way to what comes after.

    Args:
        newest: put() does not wait: an item that nobody took in time is handed to `discard`, and counted.
        discard: what becomes of such an item, and of the one that is left at close().
        join: for an item that nobody took and the one that comes after, what is to be taken in their place;
            None: put() waits.
    """

    def __init__(
        self,
        newest: bool = False,
        discard: Callable[[Item], None] = lambda item: None,
        join: Callable[[Item, Item], Item | None] = lambda old, new: new,
    ) -> None:
        self.dropped = 0
        self._newest = newest
        self._join = join
        self._discard = discard
        self._item: Item | None = None
        self._finished = False
        self._closed = False
        self._changed = threading.Condition()

    def put(self, item: Item) -> bool:
        """Hands an item over, waiting for room unless `newest`; False: the slot is closed, it was refused."""
        old: Item | None = None
        with self._changed:
            while not self._closed and (place := self._placed(item)) is None:
                self._changed.wait()
            if self._closed:
                return False
            old, self._item = self._item, place
            self._changed.notify_all()
        if old is not None:
            self.dropped += 1
            self._discard(old)
        return True

    def _placed(self, item: Item) -> Item | None:
        """What the slot would hold with the item; None: there is no room for it."""
        if self._item is None:
            return item
        return self._join(self._item, item) if self._newest else None

    def take(self, timeout: float) -> Item | None:
        """The item; None: none came within `timeout` seconds, or the slot is closed."""
        with self._changed:
            if self._item is None and not (self._closed or self._finished):
                self._changed.wait(timeout)
            item, self._item = self._item, None
            if item is not None:
                self._changed.notify_all()
            return item

    def finish(self) -> None:
        """Nothing more comes in: take() gives what is there, and does not wait for more."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing more comes in or out; wakes whoever waits."""
        with self._changed:
            self._closed = True
            item, self._item = self._item, None
            self._changed.notify_all()
        if item is not None:
            self._discard(item)
