"""Motion JPEG over HTTP: multipart/x-mixed-replace, one JPEG a part, as cameras with a web server send it.

OpenCV's FFmpeg would read it too, but it stretches a frame of a new size to the old one, makes up the
missing half of half a picture, and does not say what the server answered.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Self

from edgecore.camera.flaws import Flaws
from edgecore.camera.opencv import opencv
from edgecore.camera.source import TIMEOUT, Frame, Source, SourceLost
from edgecore.camera.uri import Uri, hidden
from edgecore.camera.wire import FAILURES, Answer, Garbled, ask, split, unreached
from edgecore.errors import UserError

if TYPE_CHECKING:
    import numpy as np

PART_LIMIT = 1 << 25  # bytes; a larger part is no picture
LINE_LIMIT = 1 << 13
EXPLAINED = {
    401: "wants a user name and a password; give the right ones, http://user:password@...",
    403: "does not allow this address",
    404: "has no such page; check the path",
    503: "is busy; end another program that uses the camera",
}


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
        self._answer: Answer | None = None
        self._boundary = b""
        self._first: Frame | None = None
        self._count = 0
        self._flaws = Flaws()

    @classmethod
    def from_uri(cls, uri: Uri) -> Self:
        """`http://camera/stream#timeout=3`, in seconds; `verify=0` trusts every certificate of https."""
        try:
            split(uri.target)
        except ValueError:
            raise UserError(
                f"{uri.text} is no address; give http://camera/path or http://camera:port/path"
            ) from None
        return cls(
            uri.target,
            uri.options.number("timeout", TIMEOUT) or TIMEOUT,
            uri.options.flag("verify", True),
        )

    def open(self) -> None:
        self.close()
        self._count = 0
        deadline = time.monotonic() + self.timeout
        try:
            self._answer = ask("GET", self._address, deadline, self._verify)
            self._boundary = self._understood(self._answer)
        except FAILURES as error:
            raise self._lost(error) from error
        self._first = self._newest(deadline)

    def _understood(self, answer: Answer) -> bytes:
        """The line that stands between the parts of the answer."""
        if answer.status != 200:
            explained = EXPLAINED.get(answer.status, "does not give the stream")
            raise Garbled(f"{explained} (HTTP {answer.status})")
        kind = answer.headers.get_content_type()
        boundary = answer.headers.get_param("boundary")
        if not kind.startswith("multipart/") or not isinstance(boundary, str):
            raise Garbled(f"sends {kind}, not Motion JPEG; check the path")
        # Many cameras put the two dashes before each part into the parameter too.
        return b"--" + boundary.removeprefix("--").encode("latin-1", "replace")

    def read(self) -> Frame:
        if self._first is not None:
            frame, self._first = self._first, None
            return frame
        return self._newest(time.monotonic() + self.timeout)

    def _newest(self, deadline: float) -> Frame:
        answer = self._answer
        if answer is None:
            raise SourceLost(f"{self.title} is not open")
        damaged = 0
        try:
            while True:
                answer.deadline = deadline
                answer.forget()
                part = self._part(answer)
                while (later := self._waiting_part(answer)) is not None:
                    part = later
                captured = time.monotonic()
                with self._flaws.unreported():
                    pixels = decoded(part)
                if pixels is not None:
                    frame = Frame(pixels, "BGR", captured, self._count)
                    self._count += 1
                    return frame
                damaged += 1
        except FAILURES as error:
            raise self._lost(error, damaged) from error

    def _part(self, answer: Answer) -> bytes:
        answer.until(self._boundary, PART_LIMIT)
        if answer.until(b"\n", LINE_LIMIT).startswith(b"--"):
            raise EOFError
        length = None
        while line := answer.until(b"\n", LINE_LIMIT).strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length" and re.fullmatch(rb"\s*[0-9]{1,8}\s*", value):
                length = int(value)
        if length is None:
            data = answer.until(self._boundary, PART_LIMIT)
            answer.place -= len(self._boundary)
            return data
        if length > PART_LIMIT:
            raise Garbled(f"sends a part of {length} bytes, which is no picture")
        return answer.exactly(length)

    def _waiting_part(self, answer: Answer) -> bytes | None:
        """A part that has come in whole already."""
        answer.forget()
        answer.deadline = 0.0
        try:
            return self._part(answer)
        except (TimeoutError, EOFError):
            answer.place = 0
            return None

    def _lost(self, error: Exception, damaged: int = 0) -> SourceLost:
        """Closes; gives what to raise, at once: a name for it would keep the last picture until Python looks
        for cycles."""
        match error:
            case TimeoutError() if damaged:
                what = f"sends pictures that do not decode, {damaged} in {self.timeout:g} s"
            case TimeoutError() if self._count:
                what = f"has sent no frame for {self.timeout:g} s; check its power and the network"
            case TimeoutError():
                what = f"gives no frame within {self.timeout:g} s; check its power and the network"
            case EOFError() if self._answer is None:
                what = "ended the connection without an answer"
            case EOFError():
                what = f"ended the stream after {self._count} frames"
            case Garbled():
                what = str(error)
            case _:
                what = unreached(error)
        self.close()
        return SourceLost(f"{self.title} {what}")

    def close(self) -> None:
        self._first = None
        if self._answer is not None:
            self._answer.close()
            self._answer = None


def decoded(data: bytes) -> np.ndarray | None:
    """A whole JPEG's pixels, uint8 (height, width, 3), BGR; None where it is none or ends early."""
    import numpy as np

    if not data.startswith(b"\xff\xd8") or not data.rstrip(b"\x00\r\n").endswith(b"\xff\xd9"):
        return None
    cv2 = opencv()
    try:
        pixels: np.ndarray | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # more pixels than OpenCV's limit
        return None
    return pixels
