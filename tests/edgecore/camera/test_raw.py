"""Raw frames through real pipes, files and terminals."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from contract import CHECKS, Promise
from materials import picture

from edgecore.camera import source_of
from edgecore.camera.raw import RawFrames
from edgecore.errors import UserError

WIDTH, HEIGHT = 64, 48
SIZES = {"BGR": 3.0, "RGB": 3.0, "GREY": 1.0, "YUV420": 1.5, "NV12": 1.5}  # bytes a pixel


@pytest.fixture(params=SIZES)
def promise(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Promise]:
    """Four frames of each format, in a file that is standard input."""
    raw = tmp_path / "frames"
    size = int(WIDTH * HEIGHT * SIZES[request.param])
    raw.write_bytes(np.random.default_rng(1).integers(0, 256, 4 * size, dtype=np.uint8).tobytes())
    with raw.open() as file:
        monkeypatch.setattr(sys, "stdin", file)

        def make() -> RawFrames:
            file.seek(0)
            source = source_of(f"-?size={WIDTH}x{HEIGHT}&format={request.param}")
            assert isinstance(source, RawFrames)
            return source

        yield Promise(make, (WIDTH, HEIGHT), 4, request.param)


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check: Callable[[Promise], None], promise: Promise) -> None:
    check(promise)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """(where to read, where to write); a test may close the second."""
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    with suppress(OSError):
        os.close(writing)


def test_short_reads_are_joined(pipe: tuple[int, int]) -> None:
    pictures = [picture(seed) for seed in range(3)]
    data = b"".join(item.tobytes() for item in pictures)

    def write() -> None:
        for at in range(0, len(data), 4001):
            os.write(pipe[1], data[at : at + 4001])
            time.sleep(0.001)
        os.close(pipe[1])

    writer = threading.Thread(target=write)
    writer.start()
    with RawFrames((WIDTH, HEIGHT), descriptor=pipe[0]) as source:
        frames = list(source)
        assert source.read() is None
    writer.join()
    assert len(frames) == 3
    for frame, expected in zip(frames, pictures, strict=True):
        assert (frame.pixels == expected).all()


def test_captured_when_the_last_byte_came(pipe: tuple[int, int]) -> None:
    data = picture(1).tobytes()
    os.write(pipe[1], data[:-1])
    begin = time.monotonic()
    threading.Timer(0.2, os.write, (pipe[1], data[-1:])).start()
    with RawFrames((WIDTH, HEIGHT), descriptor=pipe[0]) as source:
        frame = source.read()
    assert frame is not None and begin + 0.19 < frame.captured <= time.monotonic()


@pytest.mark.parametrize("extra", [1, 5000])
def test_end_within_a_frame(pipe: tuple[int, int], extra: int) -> None:
    data = picture(1).tobytes()
    os.write(pipe[1], data + data[:extra])
    os.close(pipe[1])
    with RawFrames((WIDTH, HEIGHT), descriptor=pipe[0]) as source:
        assert source.read() is not None
        with pytest.raises(UserError, match=f"ended with {extra} of the 9216 bytes of frame 1"):
            source.read()


@pytest.mark.parametrize("given", [0, 100])
def test_silence_ends_the_run_when_asked(pipe: tuple[int, int], given: int) -> None:
    os.write(pipe[1], bytes(given))
    with RawFrames((WIDTH, HEIGHT), timeout=0.1, descriptor=pipe[0]) as source:
        begin = time.monotonic()
        with pytest.raises(UserError, match=r"gave nothing for 0\.1 s"):
            source.read()
        assert time.monotonic() - begin >= 0.09


def test_a_descriptor_that_does_not_block(pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[0], False)
    data = picture(1).tobytes()
    threading.Timer(0.1, os.write, (pipe[1], data)).start()
    with RawFrames((WIDTH, HEIGHT), descriptor=pipe[0]) as source:
        frame = source.read()
    assert frame is not None and (frame.pixels == picture(1)).all()


def test_colour_of_planar_frames(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], bytes(WIDTH * HEIGHT * 3 // 2))
    source = RawFrames((WIDTH, HEIGHT), "NV12", "bt709", descriptor=pipe[0])
    with source:
        frame = source.read()
    assert frame is not None and (frame.order, frame.colour) == ("NV12", "bt709")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("-", "give it: '-.size=640x480'"),
        ("-?size=640", "give WIDTHxHEIGHT"),
        ("-?size=63x48&format=NV12", "even width and height"),
        ("-?size=64x47&format=YUV420", "even width and height"),
        ("-?size=32768x32768", "is too large"),
        ("-?size=64x48&format=YUYV", "give one of BGR"),
        ("-?size=64x48&colour=bt2020", "give one of bt601"),
        ("-?size=64x48&loop=1", "no option 'loop'"),
    ],
)
def test_refused(name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        source_of(name)


def test_a_terminal_is_refused_with_an_example() -> None:
    ours, theirs = pty.openpty()
    with pytest.raises(UserError, match=r"is a terminal; .*ffmpeg .* \| edgecore run"):
        RawFrames((WIDTH, HEIGHT), descriptor=theirs).open()
    os.close(ours)
    os.close(theirs)


def test_no_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UserError, match="there is no standard input"):
        source_of("-?size=4x4").open()


def test_a_folder_is_no_stream(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    with (
        RawFrames((WIDTH, HEIGHT), descriptor=descriptor) as source,
        pytest.raises(UserError, match="cannot be read: Is a directory"),
    ):
        source.read()
    os.close(descriptor)


def test_run_on_a_pipe(model: Path) -> None:
    data = b"".join(picture(seed).tobytes() for seed in range(5))
    command = [sys.executable, "-m", "edgecore.cli", "run", "-?size=64x48", "--model", str(model), "--json"]
    done = subprocess.run(command, input=data, capture_output=True, timeout=60)
    assert done.returncode == 0 and done.stderr == b""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 6 and lines[-1]["summary"]["frames"] == 5
