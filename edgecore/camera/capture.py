"""OpenCV's VideoCapture, made to prove itself: what files, V4L2 cameras, streams and pipelines share."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any

from edgecore.camera.source import Frame, Source
from edgecore.errors import UserError
from edgecore.native_output import held_stderr


class Capture(Source):
    """A VideoCapture that has to prove itself with a frame.

    VideoCapture.isOpened() stays True for a source that gives nothing, so open() demands one frame and
    keeps it for the first read(). An old VideoCapture never recovers: each open() makes a new one.

    Attributes:
        quiet: descriptor 2 is held during open(), because what comes there is what the exception says. Not
            where opening may take seconds: the descriptor is the whole process's.
    """

    quiet = True

    def __init__(self) -> None:
        self._capture: Any = None
        self._first: Frame | None = None
        self._count = 0

    def _start(self) -> Any:
        raise NotImplementedError

    def _refused(self) -> UserError:
        raise NotImplementedError

    def open(self) -> None:
        self.close()
        self._count = 0
        with held_stderr(forward=False) if self.quiet else nullcontext():
            self._capture = self._start()
            self._first = self._grab()
        if self._first is None:
            self.close()
            raise self._refused()

    def _retrieve(self) -> tuple[bool, Any]:
        ok, pixels = self._capture.retrieve()
        return ok, pixels

    def _grab(self) -> Frame | None:
        if not self._capture.grab():
            return None
        captured = time.monotonic()  # before its conversion to BGR
        ok, pixels = self._retrieve()
        if not ok or pixels is None:
            return None
        frame = Frame(pixels, "BGR" if pixels.ndim == 3 else "GREY", captured, self._count)
        self._count += 1
        return frame

    def read(self) -> Frame | None:
        if self._first is not None:
            frame, self._first = self._first, None
            return frame
        return self._grab() if self._capture is not None else None

    def close(self) -> None:
        self._first = None
        if self._capture is not None:
            self._capture.release()
            self._capture = None
