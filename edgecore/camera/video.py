"""Video files and cameras, through OpenCV's VideoCapture."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from edgecore.camera.opencv import opencv
from edgecore.camera.source import Frame, Source
from edgecore.errors import UserError
from edgecore.native_output import held_stderr

OPEN_TIMEOUT_MS = 3000
WHOLE = 0.9  # a container may only estimate its number of frames, from duration and rate


class Capture(Source):
    """What files and cameras share: a VideoCapture that has to prove itself with a frame.

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


class Video(Capture):
    """A video file: every frame once, in order, as fast as they are taken."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.title = str(path)
        self._path = path
        self._declared = 0.0

    def _start(self) -> Any:
        cv2 = opencv()
        timeout = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS]
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG, timeout)
        self._declared = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        return capture

    def read(self) -> Frame | None:
        frame = super().read()
        if frame is None and self._count < self._declared * WHOLE:
            raise UserError(
                f"{self._path} ends after {self._count} of {self._declared:.0f} frames; "
                "it is truncated or damaged"
            )
        return frame

    def _refused(self) -> UserError:
        return UserError(
            f"{self._path} does not decode as a video; check that it is one and that it is complete"
        )


class Camera(Capture):
    """A camera of V4L2, by its number or its device file."""

    live = True

    def __init__(self, name: str) -> None:
        super().__init__()
        self._device = Path(f"/dev/video{int(name)}" if name.isdecimal() else name)
        self.title = f"camera {name}"

    def _start(self) -> Any:
        if not self._device.exists():
            present = sorted(path.name.removeprefix("video") for path in Path("/dev").glob("video*"))
            choice = f"there are: {', '.join(present)}" if present else "no camera is plugged in"
            raise UserError(f"{self.title} does not exist ({self._device}); {choice}")
        if not os.access(self._device, os.R_OK | os.W_OK):
            raise UserError(
                f"{self.title} may not be opened; put yourself into the group video and log in again"
            )
        cv2 = opencv()
        capture = cv2.VideoCapture(str(self._device), cv2.CAP_V4L2)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the driver's queue otherwise holds four old frames
        return capture

    def _refused(self) -> UserError:
        return UserError(f"{self.title} gives no frame; check the cable and that no other program uses it")

    def read(self) -> Frame | None:
        frame = super().read()
        if frame is None:
            raise UserError(
                f"{self.title} stopped after {self._count} frames; check the cable and start again"
            )
        return frame
