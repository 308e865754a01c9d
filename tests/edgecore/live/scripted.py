"""A live source that does what a test tells it: no real camera fails on command."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Self

import numpy as np

from edgecore.camera.source import Frame, Source, SourceLost
from edgecore.camera.uri import Uri


class Camera:
    """The camera behind every source that `make` opens.

    Attributes:
        present: whether it can be opened; a camera that is not gives SourceLost.
        hangs: calls of read() block until it is cleared.
        opened, closed, held: how often, and how many frames were not released.
    """

    def __init__(self, live: bool = True, frames: int | None = None, timeout: float = 3.0) -> None:
        self.live, self.frames, self.timeout = live, frames, timeout
        self.present = True
        self.hangs = threading.Event()
        self.opened = self.closed = self.held = 0
        self.lock = threading.Lock()

    def make(self) -> Source:
        """A new source, not opened."""
        return Scripted(self)


class Scripted(Source):
    """One handle on the camera."""

    title = "camera 0"

    def __init__(self, camera: Camera) -> None:
        self.live, self.timeout = camera.live, camera.timeout
        self._camera = camera
        self._frames: Iterator[int] = iter(())

    @classmethod
    def from_uri(cls, uri: Uri) -> Self:
        raise NotImplementedError

    def open(self) -> None:
        if not self._camera.present:
            raise SourceLost("no such device")
        self._camera.opened += 1
        self._frames = iter(range(self._camera.frames or 1 << 60))

    def read(self) -> Frame | None:
        while self._camera.hangs.is_set():
            time.sleep(0.005)
        if not self._camera.present:
            raise SourceLost("it was unplugged")
        index = next(self._frames, None)
        if index is None:
            return None
        if self.live:
            time.sleep(0.002)
        with self._camera.lock:
            self._camera.held += 1
        pixels = np.full((24, 32, 3), index % 256, np.uint8)
        return Frame(pixels, "BGR", time.monotonic(), index, on_release=self._release)

    def _release(self) -> None:
        with self._camera.lock:
            self._camera.held -= 1

    def close(self) -> None:
        self._camera.closed += 1
