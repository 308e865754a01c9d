"""Cameras of V4L2: USB cameras, capture cards."""

from __future__ import annotations

import fcntl
import os
import stat
import struct
import time
from pathlib import Path
from typing import Any, Self

from edgecore.camera.capture import Capture
from edgecore.camera.flaws import Flaws
from edgecore.camera.opencv import opencv
from edgecore.camera.source import TIMEOUT, Frame, SourceLost
from edgecore.camera.uri import Uri
from edgecore.errors import UserError

NAMES = Path("/dev/v4l")  # by-id and by-path; such a name stays when the camera's number changes
MAJOR = 81  # of the device files of V4L2
QUERYCAP = 0x80685600  # VIDIOC_QUERYCAP
CAPABILITY = struct.Struct("16s32s32s3I12x")  # driver, card, bus, version, capabilities, device's own
CAPTURES = 0x00000001 | 0x00001000  # V4L2_CAP_VIDEO_CAPTURE, ..._MPLANE
OLDEST = 10.0  # seconds; a driver's time stamp that is older is of another clock


def card(device: Path) -> str | None:
    """The name that a device file's driver gives the camera; None where it is no camera."""
    try:
        handle = os.open(device, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        answer = fcntl.ioctl(handle, QUERYCAP, bytes(CAPABILITY.size))
    except OSError:
        return None
    finally:
        os.close(handle)
    _, name, _, _, _, capabilities = CAPABILITY.unpack(answer)
    return name.split(b"\0")[0].decode("utf-8", "replace") if capabilities & CAPTURES else None


def present() -> str:
    """The cameras that are plugged in, for people to read."""
    numbers = sorted(
        (int(path.name[5:]), path) for path in Path("/dev").glob("video*") if path.name[5:].isdecimal()
    )
    found = [f"{number} ({name})" for number, path in numbers if (name := card(path)) is not None]
    return f"there are: {', '.join(found)}" if found else "no camera is plugged in"


def _size(capture: Any) -> tuple[int, int]:
    """Width and height that an open VideoCapture has settled on."""
    cv2 = opencv()
    return round(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))


class Camera(Capture):
    """A camera of V4L2, by its number or its device file.

    A name below /dev/v4l is looked up at each open(). Options that the camera does not have become others;
    the title says so after open(). `captured` is the driver's time stamp where it is one of
    time.monotonic(), so a frame's wait in the driver's queue counts.
    """

    live = True

    def __init__(
        self,
        name: str,
        size: tuple[int, int] | None = None,
        fps: float | None = None,
        fourcc: str | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        super().__init__()
        self._device = Path(f"/dev/video{int(name)}" if name.isdecimal() else name)
        self._name = self.title = f"camera {name}"
        self._size, self._fps, self._fourcc = size, fps, fourcc
        self.timeout = timeout
        self._met = NAMES in self._device.parents
        self._flaws = Flaws()

    @classmethod
    def from_uri(cls, uri: Uri) -> Self:
        """`v4l2:0` or `v4l2:/dev/v4l/by-id/...`; the number or the device alone will do.

        Options: `size=640x480&fps=30&fourcc=MJPG&timeout=3`.
        """
        if not uri.target:
            raise UserError(f"{uri.text} names no camera; give its number, such as v4l2:0; {present()}")
        take = uri.options
        fourcc = take.text("fourcc")
        if fourcc is not None and not (len(fourcc) == 4 and fourcc.isascii() and fourcc.isprintable()):
            raise UserError(f"{uri.text}: fourcc is {fourcc!r}; give four letters such as MJPG or YUYV")
        timeout = take.number("timeout", TIMEOUT) or TIMEOUT
        return cls(uri.target, take.size("size"), take.number("fps"), fourcc, timeout)

    def _start(self) -> Any:
        self._check()
        cv2 = opencv()
        capture = cv2.VideoCapture(str(self._device), cv2.CAP_V4L2)
        if capture.isOpened():
            self._configure(cv2, capture)
        return capture

    def _check(self) -> None:
        try:
            mode = self._device.stat()
        except OSError:
            device = "" if self._name.endswith(str(self._device)) else f" ({self._device})"
            text = f"{self._name} does not exist{device}; {present()}"
            # What was there once, or has a name of its own, may be plugged in again.
            raise SourceLost(text) if self._met else UserError(text) from None
        if not os.access(self._device, os.R_OK | os.W_OK):
            raise UserError(
                f"{self._name} may not be opened; put yourself into the group video and log in again"
            )
        if not stat.S_ISCHR(mode.st_mode) or os.major(mode.st_rdev) != MAJOR:
            raise UserError(f"{self._name} is no camera, it gives no frames; {present()}")

    def _configure(self, cv2: Any, capture: Any) -> None:
        # The driver keeps its four buffers: with one or two it loses frames while another is converted.
        wanted: list[tuple[int, float]] = []
        if self._fourcc is not None:
            wanted.append((cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*self._fourcc)))
        if self._size is not None:
            wanted += zip((cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT), self._size, strict=True)
        if self._fps is not None:
            wanted.append((cv2.CAP_PROP_FPS, self._fps))
        for name, value in wanted:
            capture.set(name, value)
        size = _size(capture)
        fps = capture.get(cv2.CAP_PROP_FPS)
        code = round(capture.get(cv2.CAP_PROP_FOURCC))
        fourcc = struct.pack("<I", code & 0xFFFFFFFF).decode("latin-1")
        different = []
        if self._size not in (None, size):
            different.append("{}x{}".format(*size))
        if self._fps is not None and abs(fps - self._fps) > 0.01 * self._fps:
            different.append(f"{fps:g} fps")
        if self._fourcc not in (None, fourcc):
            different.append(fourcc)
        self.title = f"{self._name} (gives {', '.join(different)} instead)" if different else self._name

    def _refused(self) -> UserError:
        if card(self._device) is None and self._device.exists():
            return UserError(f"{self._name} is no camera, it gives no frames; {present()}")
        return SourceLost(f"{self._name} gives no frame; check the cable and that no other program uses it")

    def _retrieve(self) -> tuple[bool, Any]:
        with self._flaws.unreported():
            ok, pixels = super()._retrieve()
        if ok and pixels.ndim == 2 and len(pixels) == 1:
            # OpenCV 4.11 gives the pixels of a camera that sends BGR as one row.
            width, height = _size(self._capture)
            if pixels.size == width * height * 3:
                pixels = pixels.reshape(height, width, 3)
        return ok, pixels

    def _grab(self) -> Frame | None:
        cv2 = opencv()
        if not self._capture.isOpened():
            return None
        try:
            # OpenCV's own limit is one for the whole process, in whole seconds, read once.
            ready, _ = cv2.VideoCapture.waitAny([self._capture], timeoutNs=round(self.timeout * 1e9))
        except cv2.error:
            return None
        if not ready:
            return None
        frame = super()._grab()
        if frame is None:
            return None
        self._met = True
        stamp = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        captured = stamp if 0 <= time.monotonic() - stamp < OLDEST else frame.captured
        return Frame(frame.pixels, frame.order, captured, frame.index)

    def read(self) -> Frame:
        began = time.monotonic()
        frame = super().read()
        if frame is not None:
            return frame
        # The old handle has to go before the camera comes back, or it comes back under another number.
        self.close()
        if time.monotonic() - began >= self.timeout:
            raise SourceLost(f"{self._name} has sent no frame for {self.timeout:g} s; check the cable")
        raise SourceLost(f"{self._name} stopped after {self._count} frames; check the cable")
