"""An HTTP server of Motion JPEG whose frames show a clock, with paths for all that can go wrong.

python mjpeg.py PORT. Prints its port. The paths:
    /cam        30 frames a second, for ever; /bare the same without Content-Length, /chunked in chunks
    /locked     the same for user "me" with password "secret" alone (Basic); /digest asks by Digest
    /offers     as /digest, behind an offer of SHA-256
    /moved      a redirection to /cam; /gate one to /locked
    /sizes      a frame of 360 rows, one of 480, in turns
    /ends       10 frames, then the last boundary; /drops 10 frames, then half a frame and no more
    /halves     half a frame, a whole one, in turns
    /flawed     every frame with stray bytes that a decoder forgives and reports
    /garbage    a multipart stream of what is no picture; /text a page of text; /noise endless bytes, no parts
    /flood      parts of a few bytes, faster than anybody takes them
    /silent     headers, then nothing; /mute not even headers
    /picture    one JPEG, and the end
    /drip       headers, then a byte of a frame every 0.2 s
"""

from __future__ import annotations

import base64
import ctypes
import hashlib
import signal
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import cv2
import numpy as np
from clock import WIDTH, drawn

FPS = 30
STREAMS = (
    *("/cam", "/bare", "/chunked", "/locked", "/digest", "/offers", "/sizes", "/ends", "/drops"),
    *("/halves", "/flawed", "/garbage", "/noise", "/silent", "/drip", "/flood"),
)
REALM, NONCE = "camera", "5ea1ed"


def jpeg(height: int = 360) -> bytes:
    """The clock of this moment as a JPEG."""
    return cv2.imencode(".jpg", np.frombuffer(drawn(height), np.uint8).reshape(height, WIDTH))[1].tobytes()


def parts(path: str) -> Iterator[bytes]:
    """The bodies of a stream's parts, one when it is due."""
    for index in count():
        match path:
            case "/ends" | "/drops" if index == 10:
                return
            case "/sizes":
                yield jpeg(480 if index % 2 else 360)
            case "/halves":
                whole = jpeg()
                yield whole if index % 2 else whole[: len(whole) // 2]
            case "/flawed":
                whole = jpeg()
                yield whole[:-2] + b"\x11" * 30 + whole[-2:]
            case "/garbage":
                yield np.random.default_rng(index).bytes(5000)
            case _:
                yield jpeg()
        time.sleep(1 / FPS)


def digest(*words: str) -> str:
    """MD5 of words with colons between, as RFC 2617 has it."""
    return hashlib.md5(":".join(words).encode()).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        """Serves a path until the client leaves or the path ends."""
        try:
            self._serve(self.path)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _head(self, status: int, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def _welcome(self, path: str) -> bool:
        given = self.headers.get("Authorization", "")
        if path == "/locked":
            wanted = "Basic " + base64.b64encode(b"me:secret").decode()
            challenges = [f'Basic realm="{REALM}"']
        else:
            wanted = digest(digest("me", REALM, "secret"), NONCE, digest("GET", path))
            challenges = [f'Digest realm="{REALM}", nonce="{NONCE}"']
            if path == "/offers":
                challenges.insert(0, f"{challenges[0]}, algorithm=SHA-256")
        if wanted not in given:
            offers = [("WWW-Authenticate", challenge) for challenge in challenges]
            self._head(401, *offers, ("Content-Length", "0"))
        return wanted in given

    def _serve(self, path: str) -> None:
        match path:
            case "/locked" | "/digest" | "/offers" if not self._welcome(path):
                return
            case "/moved":
                self._head(302, ("Location", "/cam"), ("Content-Length", "0"))
            case "/gate":
                self._head(302, ("Location", "/locked"), ("Content-Length", "0"))
            case "/text":
                self._head(200, ("Content-Type", "text/html"))
                self.wfile.write(b"<html>no camera here</html>")
            case "/picture":
                self._head(200, ("Content-Type", "image/jpeg"))
                self.wfile.write(jpeg())
            case "/mute":
                time.sleep(3600)
            case _ if path in STREAMS:
                encoding = [("Transfer-Encoding", "chunked")] if path == "/chunked" else []
                self._head(200, ("Content-Type", "multipart/x-mixed-replace; boundary=--picture"), *encoding)
                self._stream(path)
            case _:
                self._head(404, ("Content-Length", "0"))

    def _write(self, path: str, data: bytes) -> None:
        if path == "/chunked":  # in two chunks, cut where a boundary is
            for piece in (data[:5], data[5:]):
                self.wfile.write(b"%x\r\n" % len(piece) + piece + b"\r\n")
        elif path == "/drip":
            for byte in data:
                self.wfile.write(bytes([byte]))
                time.sleep(0.2)
        else:
            self.wfile.write(data)

    def _stream(self, path: str) -> None:
        endless = {"/noise": b"\x00\xff" * 5000, "/flood": b"--picture\r\n\r\nnothing\r\n" * 5000}
        while path in endless:
            self.wfile.write(endless[path])
        if path == "/silent":
            time.sleep(3600)
        for body in parts(path):
            length = b"" if path == "/bare" else b"Content-Length: %d\r\n" % len(body)
            self._write(
                path, b"--picture\r\nContent-Type: image/jpeg\r\n" + length + b"\r\n" + body + b"\r\n"
            )
        if path == "/ends":
            self.wfile.write(b"--picture--\r\n")
        elif path == "/drops":
            body = jpeg()
            self.wfile.write(b"--picture\r\nContent-Length: %d\r\n\r\n" % len(body) + body[: len(body) // 2])


def main() -> None:
    """Serves until it is killed, or its parent is."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


main()
