"""OpenCV's VideoCapture, made to prove itself: what video files, V4L2 cameras and network streams share."""

from __future__ import annotations

import time
from typing import Any

from edgecore.camera.source import Frame, Source
from edgecore.errors import UserError
from edgecore.native_output import held_stderr


class Capture(Source):
    """A VideoCapture that has to prove itself with a frame.

    VideoCapture.isOpened() stays True for a source that gives nothing, so open() demands one frame and
    keeps it for the first read().
    """

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
        # FFmpeg and V4L2 write to stderr what the exception below says.
        with held_stderr(forward=False):
            self._capture = self._start()
            self._first = self._grab()
        if self._first is None:
            self.close()
            raise self._refused()

    def _grab(self) -> Frame | None:
        ok, pixels = self._capture.read()
        if not ok or pixels is None:
            return None
        frame = Frame(pixels, "BGR" if pixels.ndim == 3 else "GREY", time.monotonic(), self._count)
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
