"""RTSP and Motion JPEG over real connections on loopback: the contract, and what servers do wrong."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import cv2
import numpy as np
import pytest
from servers import Server, clock, mjpeg, rtsp

from edgecore.camera import Source, SourceLost, source_of
from edgecore.camera.mjpeg import decoded
from edgecore.errors import UserError

TIMEOUT = 2.0
LATE = TIMEOUT + 1.0  # by then a source has said that it is lost
FRESH = 0.5  # seconds; a buffer that fills up is a second or more behind


@pytest.fixture(params=["rtsp", "mjpeg"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that is up."""
    with {"rtsp": rtsp, "mjpeg": mjpeg}[request.param]() as running:
        yield running


@pytest.fixture(scope="module")
def http() -> Iterator[Server]:
    """One server of Motion JPEG, for tests that leave it as it is."""
    with mjpeg() as running:
        yield running


def source(address: str, options: str = f"timeout={TIMEOUT}") -> Source:
    return source_of(f"{address}#{options}")


def lost(action: Callable[[], object]) -> str:
    """What a source says when it is lost, which it has to do in time and in one line."""
    began = time.monotonic()
    with pytest.raises(SourceLost) as caught:
        action()
    assert time.monotonic() - began < LATE
    assert "\n" not in str(caught.value)
    return str(caught.value)


def drained(stream: Source) -> None:
    """Reads for as long as frames come."""
    while True:
        stream.read()


def test_contract(server: Server) -> None:
    stream = source(server.url)
    assert stream.live and not stream.named and stream.title == server.url
    for _ in range(2):
        with stream:
            frames = [stream.read() for _ in range(20)]
    stream.close()
    assert "OPENCV_FFMPEG_CAPTURE_OPTIONS" not in os.environ
    for index, frame in enumerate(frames):
        assert frame is not None and frame.index == index
        assert frame.order == "BGR" and frame.pixels.dtype == np.uint8 and frame.pixels.shape == (360, 640, 3)
        assert frame.clock == "arrival" and frame.captured <= time.monotonic()
        frame.release()
    stamps = [frame.captured for frame in frames if frame is not None]
    assert stamps == sorted(stamps)


def test_frames_are_fresh(server: Server) -> None:
    with source(server.url) as stream:
        ages = []
        for _ in range(40):
            frame = stream.read()
            assert frame is not None
            ages.append(clock.age(frame.pixels))
    assert max(ages[-10:]) < FRESH


def test_server_killed(server: Server) -> None:
    with source(server.url) as stream:
        stream.read()
        server.stop()
        assert "ended the stream after" in lost(lambda: drained(stream))


def open_again(stream: Source) -> None:
    """As the feed does it: a server that begins on a busy machine may need more than one try."""
    for _ in range(5):
        try:
            stream.open()
            return
        except SourceLost as error:
            said = error
    raise said


def test_server_stalls_and_goes_on(server: Server) -> None:
    stream = source(server.url)
    with stream:
        stream.read()
        server.pause()
        assert "has sent no frame for 2 s" in lost(lambda: drained(stream))
        assert "within 2 s" in lost(stream.open)
        server.resume()
        open_again(stream)
        frame = stream.read()
        assert frame is not None and clock.age(frame.pixels) < 2


def test_server_comes_back(server: Server) -> None:
    stream = source(server.url)
    with stream:
        stream.read()
        server.stop()
        lost(lambda: drained(stream))
        assert "refuses the connection" in lost(stream.open)
        server.restart()
        open_again(stream)
        frame = stream.read()
        assert frame is not None and frame.index == 0


def test_wrong_path(server: Server) -> None:
    assert "404" in lost(source(server.at("nothing")).open)


def test_udp() -> None:
    with rtsp() as server:
        stream = source(server.url, f"transport=udp&timeout={TIMEOUT}")
        for attempt in reversed(range(5)):  # a busy machine loses packets, maybe those of the first key frame
            try:
                stream.open()
                break
            except SourceLost:
                assert attempt
        assert all(stream.read() for _ in range(5))
        server.stop()
        lost(lambda: drained(stream))


def test_rtsp_password(capfd: pytest.CaptureFixture[str]) -> None:
    with rtsp("me:sec ret") as server:
        with source(server.at("cam", "me:sec%20ret"), "timeout=10") as stream:
            assert stream.read() is not None
        for user in ("me:wr0ng", ""):
            stream = source(server.at("cam", user))
            said = lost(stream.open)
            assert "wants a user name and a password" in said and "wr0ng" not in said + stream.title
    assert "wr0ng" not in capfd.readouterr().err


@pytest.mark.parametrize("path", ["bare", "chunked", "moved"])
def test_http_dialects(http: Server, path: str) -> None:
    with source(http.at(path)) as stream:
        ages = [clock.age(frame.pixels) for frame, _ in zip(stream, range(10), strict=False)]
    assert max(ages) < FRESH


@pytest.mark.parametrize("path", ["locked", "digest", "offers", "gate"])
def test_http_password(http: Server, path: str) -> None:
    with source(http.at(path, "me:secret")) as stream:
        assert stream.read() is not None
    for user in ("me:wr0ng", ""):
        said = lost(source(http.at(path, user)).open)
        assert "wants a user name and a password" in said and "wr0ng" not in said


@pytest.mark.parametrize(
    ("offer", "tries"), [('Digest realm="a", nonce="b", qop="auth"', 2), ("", 1), ("Digest", 1)]
)
def test_wrong_password_is_tried_once(offer: str, tries: int) -> None:
    """Cameras lock out who tries again and again."""
    asked: list[bytes] = []
    challenge = f"HTTP/1.1 401 No\r\nWWW-Authenticate: {offer}\r\n\r\n".encode()

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):  # the listener is closed at the end
            while True:
                connection, _ = listener.accept()
                with connection:
                    asked.append(connection.recv(4096))
                    connection.sendall(challenge)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        said = lost(source(f"http://me:wr0ng@127.0.0.1:{listener.getsockname()[1]}/").open)
    assert "HTTP 401" in said or offer == "Digest"
    assert [b"Authorization: Digest" in request for request in asked] == [False, True][:tries]


def test_new_size_comes_out(http: Server) -> None:
    with source(http.at("sizes")) as stream:
        seen = [(frame.height, clock.age(frame.pixels)) for frame, _ in zip(stream, range(6), strict=False)]
    assert {height for height, _ in seen} == {360, 480}
    assert all(age < FRESH for _, age in seen)


def test_half_pictures_are_left_out(http: Server, capfd: pytest.CaptureFixture[str]) -> None:
    with source(http.at("halves")) as stream:
        frames = [frame for frame, _ in zip(stream, range(5), strict=False)]
    for frame in frames:
        assert frame.height == 360 and np.median(frame.pixels[-20:]) == pytest.approx(clock.GROUND, abs=3)
    assert [frame.index for frame in frames] == list(range(5))
    assert capfd.readouterr().err == ""


FORGED = """
import resource
from edgecore.camera.mjpeg import decoded
from edgecore.camera.opencv import opencv
import numpy as np

_, data = opencv().imencode(".jpg", np.zeros((16, 16, 3), np.uint8))
jpeg = bytearray(data.tobytes())
sides = jpeg.find(b"\\xff\\xc0") + 5
jpeg[sides : sides + 4] = (9000).to_bytes(2, "big") * 2
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert decoded(bytes(jpeg)) is None
assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB
"""


def test_a_picture_that_claims_to_be_vast_takes_no_memory() -> None:
    """In a process of its own, as OpenCV reads its limit when it is loaded."""
    subprocess.run([sys.executable, "-c", FORGED], check=True)


def test_a_head_without_end() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n--b\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(4096)
                connection.sendall(answer + b"X: y\r\n" * 100_000)

        threading.Thread(target=serve, daemon=True).start()
        assert "a head of over" in lost(source(f"http://127.0.0.1:{listener.getsockname()[1]}/").open)


def test_a_picture_that_is_too_long_is_left_out() -> None:
    for width in (30_000, 40_000):
        data = cv2.imencode(".jpg", np.zeros((2, width, 3), np.uint8))[1].tobytes()
        assert (decoded(data) is None) == (width == 40_000)


def test_flaws_are_not_reported_for_every_frame(http: Server, capfd: pytest.CaptureFixture[str]) -> None:
    with source(http.at("flawed")) as stream:
        for _ in range(5):
            assert stream.read() is not None
            os.write(2, b"another's\n")
    assert capfd.readouterr().err == "another's\n" * 5


@pytest.mark.parametrize("path", ["ends", "drops"])
def test_end_of_stream(http: Server, path: str) -> None:
    with source(http.at(path)) as stream:
        assert "ended the stream after 10 frames" in lost(lambda: drained(stream))


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("garbage", "pictures that do not decode"),
        ("flood", "pictures that do not decode"),
        ("noise", r"within 2 s|without an end"),
        ("text", "sends text/html, not Motion JPEG"),
        ("picture", "sends image/jpeg, not Motion JPEG"),
        ("silent", "gives no frame within 2 s"),
        ("mute", "gives no frame within 2 s"),
        ("drip", "gives no frame within 2 s"),
    ],
)
def test_wrong_answers(http: Server, path: str, says: str) -> None:
    assert re.search(says, lost(source(http.at(path)).open))


def test_only_the_newest_waiting_picture_is_decoded(http: Server) -> None:
    with source(http.url) as stream:
        stream.read()
        time.sleep(1)
        frame = stream.read()
    assert frame is not None and frame.index == 1 and clock.age(frame.pixels) < FRESH


@pytest.fixture(params=["rtsp", "http"])
def wrong_answer(request: pytest.FixtureRequest) -> Iterator[Callable[[bytes], str]]:
    """wrong_answer(bytes) -> the address of a server that says that to everybody."""
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve(said: bytes) -> None:
        while not stopped.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(0.2)
                try:
                    connection.recv(4096)
                    connection.sendall(said)
                except OSError:
                    continue

    def start(said: bytes) -> str:
        threading.Thread(target=serve, args=(said,), daemon=True).start()
        return f"{request.param}://127.0.0.1:{listener.getsockname()[1]}/cam"

    yield start
    stopped.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\x00" * 100_000,
        b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /cam\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n-5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n"
        b"--b\r\nContent-Length: 99999999\r\n\r\n",
    ],
    ids=["nothing", "ssh", "zeros", "no boundary", "nowhere", "circle", "chunks", "giant"],
)
def test_servers_of_something_else(wrong_answer: Callable[[bytes], str], said: bytes) -> None:
    lost(source(wrong_answer(said)).open)


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "http", "https"])
def test_nobody_listens(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "refuses the connection" in lost(source(f"{scheme}://127.0.0.1:{port}/cam").open)


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_bad_addresses(scheme: str) -> None:
    for address in (f"{scheme}://", f"{scheme}:///path", f"{scheme}://host:0/", f"{scheme}://host:99999/"):
        with pytest.raises(UserError, match="is no address; give"):
            source_of(address)
    with pytest.raises(UserError, match=r"transport is|no option"):
        source_of(f"{scheme}://camera/1#transport=pigeon")
