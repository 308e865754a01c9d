"""Motion JPEG over HTTP: multipart/x-mixed-replace, one JPEG a part, as cameras with a web server send it.

OpenCV's FFmpeg would read it too, but it stretches a frame of a new size to the old one, makes up the
missing half of half a picture, and does not say what the server answered.
"""

from __future__ import annotations

import re
import select
import time
from http.client import HTTPException, HTTPResponse, RemoteDisconnected
from typing import TYPE_CHECKING, Self
from urllib.error import HTTPError, URLError

from edgecore.camera.address import checked, unreached
from edgecore.camera.flaws import Flaws
from edgecore.camera.http_get import get
from edgecore.camera.opencv import opencv
from edgecore.camera.source import TIMEOUT, Frame, Source, SourceLost
from edgecore.camera.uri import MAX_SIDE, Uri, hidden

if TYPE_CHECKING:
    import numpy as np

RECEIVE = 1 << 16
PART_LIMIT = 1 << 25  # bytes; a larger part is no picture
HEAD_LIMIT = 1 << 16  # bytes of a part's head
DRAIN = 0.1  # seconds for which waiting parts are passed over: a server may send faster than we take
HEAD = re.compile(rb"[^\n]*\n((?:[^\r\n]+\r?\n)*)\r?\n")  # of a part, behind the boundary
LENGTH = re.compile(rb"(?im)^content-length:\s*([0-9]{1,8})\s*$")
EXPLAINED = {
    401: "wants a user name and a password; give the right ones, http://user:password@...",
    403: "does not allow this address",
    404: "has no such page; check the path",
    503: "is busy; end another program that uses the camera",
}


class _Garbled(Exception):
    """What came is no Motion JPEG; the text says what, of the server."""


# OSError holds TimeoutError and all of urllib's; urllib raises ValueError for what it does not understand.
FAILURES = (OSError, EOFError, HTTPException, ValueError, _Garbled)


class MotionJpeg(Source):
    """A camera's stream over HTTP. A part that is not a whole JPEG is left out.

    When parts come faster than they are decoded, only the newest is.
    """

    live = True

    def __init__(self, address: str, timeout: float, verify: bool) -> None:
        self.title = hidden(address)
        self._address = address
        self.timeout = timeout
        self._verify = verify
        self._answer: HTTPResponse | None = None
        self._boundary = b""
        self._received = bytearray()
        self._first: Frame | None = None
        self._count = 0
        self._flaws = Flaws()

    @classmethod
    def from_uri(cls, uri: Uri) -> Self:
        """`http://camera/stream#timeout=3`, in seconds; `verify=0` trusts every certificate of https."""
        timeout = uri.options.number("timeout", TIMEOUT) or TIMEOUT
        return cls(checked(uri), timeout, uri.options.flag("verify", True))

    def open(self) -> None:
        self.close()
        self._count = 0
        deadline = time.monotonic() + self.timeout
        try:
            self._answer = get(self._address, self.timeout, self._verify)
            self._boundary = _boundary(self._answer)
        except FAILURES as error:
            raise self._lost(error) from error
        self._first = self._next(deadline)

    def read(self) -> Frame:
        if self._first is not None:
            frame, self._first = self._first, None
            return frame
        return self._next(time.monotonic() + self.timeout)

    def _next(self, deadline: float) -> Frame:
        if self._answer is None:
            raise SourceLost(f"{self.title} is not open")
        damaged = 0
        try:
            while True:
                part = self._newest(self._answer, deadline)
                captured = time.monotonic()
                with self._flaws.unreported():
                    pixels = decoded(part)
                if pixels is not None:
                    frame = Frame(pixels, "BGR", captured, self._count)
                    self._count += 1
                    return frame
                damaged += 1
                if captured >= deadline:
                    raise TimeoutError
        except FAILURES as error:
            raise self._lost(error, damaged) from error

    def _newest(self, answer: HTTPResponse, deadline: float) -> bytes:
        """The newest part that has come in whole; waits for one where there is none."""
        newest = None
        enough = deadline
        while True:
            while (part := self._part()) is not None:
                if newest is None:
                    enough = time.monotonic() + DRAIN
                newest = part
            if newest is not None and not select.select([answer], [], [], 0)[0]:
                return newest
            data = answer.read1(RECEIVE)
            self._received += data
            if not data or time.monotonic() >= enough:
                if newest is not None:
                    return newest
                raise TimeoutError if data else EOFError

    def _part(self) -> bytes | None:
        """Takes the first whole part out of what was received; None: there is none."""
        data = self._received
        start = data.find(self._boundary)
        del data[: start if start >= 0 else max(len(data) - len(self._boundary), 0)]
        head = HEAD.match(data, len(self._boundary), len(self._boundary) + HEAD_LIMIT)
        if start < 0 or head is None:
            end = -1
        elif length := LENGTH.search(head[1]):
            end = head.end() + int(length[1])
        else:
            end = data.find(self._boundary, head.end())
        if start >= 0 and head is None and len(data) > len(self._boundary) + HEAD_LIMIT:
            raise _Garbled(f"sends a head of over {HEAD_LIMIT} bytes before a picture")
        if max(len(data), end) > PART_LIMIT:
            raise _Garbled(f"sends a part of over {PART_LIMIT} bytes, which is no picture")
        if head is None or not 0 <= end <= len(data):
            return None
        part = bytes(data[head.end() : end])
        del data[:end]
        return part

    def _lost(self, error: Exception, damaged: int = 0) -> SourceLost:
        """Closes; gives what to raise, at once: a name for it would keep the last picture until Python looks
        for cycles."""
        if isinstance(error, URLError) and isinstance(error.reason, Exception):
            error = error.reason
        match error:
            case TimeoutError() if damaged:
                what = f"sends pictures that do not decode, {damaged} in {self.timeout:g} s"
            case TimeoutError() if self._count:
                what = f"has sent no frame for {self.timeout:g} s; check its power and the network"
            case TimeoutError():
                what = f"gives no frame within {self.timeout:g} s; check its power and the network"
            case HTTPError():
                explained = EXPLAINED.get(error.code, "does not give the stream")
                what = f"{explained} (HTTP {error.code})"
                error.close()
            case RemoteDisconnected():
                what = "ended the connection without an answer"
            case EOFError() | HTTPException() if self._answer is not None:
                what = f"ended the stream after {self._count} frames"
            case HTTPException():
                what = "speaks another protocol"
            case _Garbled():
                what = str(error)
            case _:
                what = unreached(error)
        self.close()
        return SourceLost(f"{self.title} {what}")

    def close(self) -> None:
        self._first = None
        self._received.clear()
        if self._answer is not None:
            self._answer.close()
            self._answer = None


def _boundary(answer: HTTPResponse) -> bytes:
    """The line that stands between the parts of an answer. Raises _Garbled."""
    kind = answer.headers.get_content_type()
    boundary = answer.headers.get_param("boundary")
    if not kind.startswith("multipart/") or not isinstance(boundary, str):
        raise _Garbled(f"sends {kind}, not Motion JPEG; check the path")
    # Many cameras put the two dashes before each part into the parameter too.
    return b"--" + boundary.removeprefix("--").encode("latin-1", "replace")


def decoded(data: bytes) -> np.ndarray | None:
    """A whole JPEG's pixels, uint8 (height, width, 3), BGR; None where it is none, ends early, or is
    longer than MAX_SIDE."""
    import numpy as np

    if not data.startswith(b"\xff\xd8") or not data.rstrip(b"\x00\r\n").endswith(b"\xff\xd9"):
        return None
    cv2 = opencv()
    try:
        pixels: np.ndarray | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # more pixels than OpenCV's limit
        return None
    return None if pixels is None or max(pixels.shape) > MAX_SIDE else pixels
