"""The next batches are made while the network learns from this one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")


def ahead(source: Iterator[Item], depth: int = 8) -> Iterator[Item]:
    """The same items, made in a background thread up to `depth` ahead of their use; errors come through."""
    items: queue.Queue[Any] = queue.Queue(depth)
    abandoned = threading.Event()

    def fill() -> None:
        try:
            for item in source:
                if abandoned.is_set():
                    return
                items.put(item)
            items.put(None)
        except BaseException as error:
            items.put(error)

    threading.Thread(target=fill, daemon=True).start()
    try:
        while (item := items.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        abandoned.set()
        while not items.empty():
            items.get_nowait()
