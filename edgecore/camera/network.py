"""Streams of RTSP, through OpenCV's FFmpeg."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import urlsplit

from edgecore.camera.address import asked_for, checked, unreached, unverified
from edgecore.camera.capture import Capture
from edgecore.camera.opencv import opencv
from edgecore.camera.source import TIMEOUT, Frame, SourceLost
from edgecore.camera.uri import Uri, hidden
from edgecore.errors import UserError

OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
# Without fpsprobesize FFmpeg looks at 0.7 s more of the stream before it gives the first frame. With the flag
# nobuffer it throws away what it looked at, the first key frame too: a camera that sends a key frame every
# ten seconds would never give a frame in time.
LOW_LATENCY = "flags;low_delay|fpsprobesize;0"
EXPLAINED = {
    401: "wants a user name and a password; give the right ones and the right path, rtsp://user:password@...",
    403: "does not allow this address",
    404: "has no such stream; check the path",
    454: "has no such stream; check the path",
    461: "does not send this way; try #transport=udp or #transport=tcp",
    503: "is busy; end another program that uses the camera",
}
PORTS = {"rtsp": 554, "rtsps": 322}
LINE_LIMIT = 1 << 10  # bytes of an answer's first line
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
        self._began = 0.0  # when the last open() began to wait for the server

    @classmethod
    def from_uri(cls, uri: Uri) -> Self:
        """`rtsp://camera/path#transport=tcp&timeout=3`: tcp or udp, and seconds."""
        return cls(
            checked(uri),
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
            self._began = time.monotonic()  # another stream's opening is not this server's delay
            return cv2.VideoCapture(self._address, cv2.CAP_FFMPEG, timeouts)

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
            what = _described(self._address, max(self._began + self.timeout - time.monotonic(), 0.001))
        except TimeoutError:
            what = f"gives no answer within {self.timeout:g} s; check its power and the network"
        except (OSError, ValueError) as error:
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


def _described(address: str, timeout: float) -> str:
    """What a server says of a stream to whoever has no password. Raises OSError, ValueError: no such host."""
    parts = urlsplit(address)
    request = f"DESCRIBE {asked_for(parts)} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: edgecore\r\n\r\n"
    place = (parts.hostname, parts.port or PORTS[parts.scheme])
    with (
        socket.create_connection(place, timeout) as plain,
        unverified().wrap_socket(plain) if parts.scheme == "rtsps" else plain as connection,
        connection.makefile("rb") as answer,
    ):
        connection.sendall(request.encode())
        first = answer.readline(LINE_LIMIT)
    words = first.split(None, 2)
    if not first:
        return "ended the connection without an answer"
    if len(words) < 2 or not words[0].startswith(b"RTSP/") or not words[1].isdigit():
        return "speaks another protocol"
    status = int(words[1])
    return f"{EXPLAINED.get(status, 'gives no picture that decodes')} (RTSP {status})"
