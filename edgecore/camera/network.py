"""Streams of RTSP, through OpenCV's FFmpeg."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from edgecore.camera.capture import Capture
from edgecore.camera.opencv import opencv
from edgecore.camera.source import TIMEOUT, Frame, SourceLost
from edgecore.camera.uri import Uri, hidden
from edgecore.camera.wire import FAILURES, Garbled, ask, split, unreached
from edgecore.errors import UserError

OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
# Without fpsprobesize FFmpeg looks at 0.7 s more of the stream before it gives the first frame. With the flag
# nobuffer it throws away what it looked at, the first key frame too: a camera that sends a key frame every
# ten seconds would never give a frame in time.
LOW_LATENCY = "flags;low_delay|fpsprobesize;0"
EXPLAINED = {
    401: "wants a user name and a password; give the right ones, rtsp://user:password@...",
    403: "does not allow this address",
    404: "has no such stream; check the path",
    454: "has no such stream; check the path",
    461: "does not send this way; try #transport=udp or #transport=tcp",
    503: "is busy; end another program that uses the camera",
}
_ENVIRONMENT = threading.Lock()


@contextmanager
def _options(text: str) -> Iterator[None]:
    """FFmpeg's options of a VideoCapture that is made in the block: OpenCV takes them from the environment.

    What the user set stays.
    """
    with _ENVIRONMENT:
        if OPTIONS in os.environ:
            yield
            return
        os.environ[OPTIONS] = text
        try:
            yield
        finally:
            del os.environ[OPTIONS]


class Stream(Capture):
    """A stream of RTSP."""

    live = True
    quiet = False  # opening may take seconds

    def __init__(self, address: str, transport: str, timeout: float) -> None:
        super().__init__()
        self.title = hidden(address)
        self._address = address
        self._transport = transport
        self.timeout = timeout
        self._began = 0.0  # the last open()

    @classmethod
    def from_uri(cls, uri: Uri) -> Self:
        """`rtsp://camera/path#transport=tcp&timeout=3`: tcp or udp, and seconds."""
        try:
            split(uri.target)
        except ValueError:
            raise UserError(
                f"{uri.text} is no address; give rtsp://camera/path or rtsp://camera:port/path"
            ) from None
        return cls(
            uri.target,
            uri.options.choice("transport", ("tcp", "udp"), "tcp"),
            uri.options.number("timeout", TIMEOUT) or TIMEOUT,
        )

    def _start(self) -> Any:
        cv2 = opencv()
        milliseconds = max(round(self.timeout * 1000), 1)
        timeouts = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            milliseconds,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            milliseconds,
        ]
        with _options(f"rtsp_transport;{self._transport}|{LOW_LATENCY}"):
            return cv2.VideoCapture(self._address, cv2.CAP_FFMPEG, timeouts)

    def open(self) -> None:
        self._began = time.monotonic()
        super().open()

    def _late(self) -> bool:
        return time.monotonic() - self._began >= self.timeout

    def _grab(self) -> Frame | None:
        # A VideoCapture whose time is up calls itself open all the same, and would take that time again.
        return None if self._count == 0 and self._late() else super()._grab()

    def _refused(self) -> UserError:
        """FFmpeg keeps its reason to itself, so the server is asked once more."""
        if self._late():
            what = f"gives no frame within {self.timeout:g} s; check its power and the network"
            return SourceLost(f"{self.title} {what}")
        try:
            answer = ask("DESCRIBE", self._address, self._began + self.timeout, verify=False)
            answer.close()
            explained = EXPLAINED.get(answer.status, "gives no picture that decodes")
            what = f"{explained} (RTSP {answer.status})"
        except TimeoutError:
            what = f"gives no answer within {self.timeout:g} s; check its power and the network"
        except Garbled as error:
            what = str(error)
        except EOFError:
            what = "ended the connection without an answer"
        except FAILURES as error:
            what = unreached(error)
        return SourceLost(f"{self.title} {what}")

    def read(self) -> Frame:
        began = time.monotonic()
        frame = super().read()
        silent = time.monotonic() - began >= self.timeout
        if frame is not None and not silent:  # after a timeout FFmpeg still gives, one by one, what it holds
            return frame
        self.close()
        if silent:
            what = f"has sent no frame for {self.timeout:g} s; check its power and the network"
        else:
            what = f"ended the stream after {self._count} frames"
        raise SourceLost(f"{self.title} {what}")
