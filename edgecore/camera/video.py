"""Video files."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from edgecore.camera.capture import Capture
from edgecore.camera.opencv import opencv
from edgecore.camera.source import Frame
from edgecore.camera.throttle import Throttle
from edgecore.camera.uri import Uri, existing
from edgecore.errors import UserError
from edgecore.native_output import held_stderr

OPEN_TIMEOUT_MS = 3000
WHOLE = 0.9  # a container may only estimate its number of frames, from duration and rate
MAX_RATE = 1000.0  # above it a file's rate is the clock of its time stamps


class Video(Capture):
    """A video file: every frame once, in order, as fast as they are taken.

    All pictures have the size of the first. Where a file changes it on the way, OpenCV 4.12 and later scale
    what follows; earlier ones repeat or mix old pictures, and nothing in their interface tells.

    Args:
        path: of the file.
        loop: begin again after the last frame, for ever; numbers go on.
        fps: give no more frames a second than this, or "native": than the file was made for.
    """

    def __init__(self, path: Path, loop: bool = False, fps: float | str | None = None) -> None:
        super().__init__()
        self.title = str(path)
        self._path = path
        self._loop = loop
        self._fps = fps
        self._throttle = Throttle(None)
        self._declared = 0.0
        self._round = 0  # the number of the first frame since the file was opened

    @classmethod
    def from_uri(cls, uri: Uri) -> Self:
        """`file:clip.mp4?loop=1&fps=native`, or its path. Raises UserError when there is no such file."""
        native = uri.options.text("fps") == "native"
        fps = "native" if native else uri.options.number("fps")
        path = existing(uri)
        if path.is_dir():
            raise UserError(f"{path} is a folder; its images are dir:{path}")
        return cls(path, uri.options.flag("loop"), fps)

    @property
    def rate(self) -> float | None:
        if not self._path.is_file():  # a pipe's frames come once
            return None
        with held_stderr(forward=False):
            cv2 = opencv()
            capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
            rate: float = capture.get(cv2.CAP_PROP_FPS)
            capture.release()
        return rate if 0 < rate <= MAX_RATE else None

    def open(self) -> None:
        super().open()
        self._round = 0
        self._throttle.start()

    def _start(self) -> Any:
        cv2 = opencv()
        timeout = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS]
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG, timeout)
        self._declared = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        if not isinstance(self._fps, str):
            self._throttle.rate = self._fps
        elif capture.isOpened():
            self._throttle.rate = self._native(capture.get(cv2.CAP_PROP_FPS))
        return capture

    def read(self) -> Frame | None:
        self._throttle.wait()
        if self._first is not None:  # it was decoded by open(), perhaps long ago
            first, self._first = self._first, None
            return replace(first, captured=time.monotonic())
        frame = super().read()
        if frame is None and self._capture is not None:
            self._check_whole()
            frame = self._again() if self._loop else None
        return frame

    def _check_whole(self) -> None:
        count = self._count - self._round
        if count < self._declared * WHOLE:
            raise UserError(
                f"{self._path} ends after {count} of {self._declared:.0f} frames; it is truncated or damaged"
            )

    def _again(self) -> Frame:
        """The first frame of a new round. The file is opened again: a rewind may claim success and fail."""
        self._round = self._count
        self._capture.release()
        with held_stderr(forward=False):
            self._capture = self._start()
            frame = self._grab()
        if frame is None:
            raise self._refused()
        return frame

    def _native(self, rate: float) -> float:
        if not 0 < rate <= MAX_RATE:
            raise UserError(f"{self._path} does not say how fast it was made; give a number, such as fps=30")
        return rate

    def _refused(self) -> UserError:
        return UserError(
            f"{self._path} does not decode as a video; check that it is one and that it is complete"
        )
