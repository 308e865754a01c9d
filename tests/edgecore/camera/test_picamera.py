"""picam: on libcamera's software camera, under picamera2 as it comes from PyPI."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from software_camera.frames import camera, frame_of, starve, take

from edgecore.bench.memory import holdings
from edgecore.camera import SourceLost, source_of
from edgecore.camera.picamera import BUFFERS, PiCamera
from edgecore.errors import UserError

TESTS = Path(__file__).parents[2]


def descriptors() -> int:
    gc.collect()
    return holdings().files


# What the software camera gives.


@pytest.mark.usefixtures("software_camera")
def test_contract() -> None:
    source = camera()
    assert source.live and not source.named and source.title == "Pi camera 0"
    for _ in range(2):
        with source:
            stamps = []
            for index in range(20):
                frame = frame_of(source)
                assert (frame.index, frame.order, frame.colour, frame.clock) == (
                    index,
                    "NV12",
                    "bt709",
                    "arrival",
                )
                assert frame.pixels.shape == (720, 640) and frame.pixels.dtype == np.uint8
                assert (frame.width, frame.height, frame.name) == (640, 480, None)
                stamps.append(frame.captured)
                frame.release()
            assert all(before < after for before, after in pairwise(stamps))
            assert 0 <= time.monotonic() - stamps[-1] < 2
    source.close()
    source.close()


@pytest.mark.usefixtures("software_camera")
def test_pixels_where_the_picture_has_them() -> None:
    # Quarters red, green, blue and white, as BT.601 in full range, which JPEG has.
    red, green, blue, white = (76, 85, 255), (150, 44, 21), (29, 255, 107), (255, 128, 128)
    with camera() as source:
        frame = frame_of(source)
        for (top, left), colour in zip(
            ((0, 0), (0, 1), (1, 0), (1, 1)), (red, green, blue, white), strict=True
        ):
            y, x = 120 + 240 * top, 160 + 320 * left
            chroma = frame.pixels[480 + y // 2, x : x + 2]
            assert [frame.pixels[y, x], *chroma] == pytest.approx(colour, abs=2)
        frame.release()


@pytest.mark.usefixtures("software_camera")
def test_two_cameras_at_once() -> None:
    with camera() as first, camera(number=1) as second:
        one, other = frame_of(first), frame_of(second)
        assert (one.pixels != other.pixels).any()
        one.release()
        other.release()


@pytest.mark.usefixtures("software_camera")
def test_lores() -> None:
    source = source_of("picam:0?size=320x240&stream=lores&fps=30")
    with source:
        frame = source.read()
        assert frame is not None and (frame.width, frame.height) == (320, 240)
        frame.release()


@pytest.mark.usefixtures("software_camera")
def test_size_that_the_camera_lacks() -> None:
    with source_of("picam:0?size=100x100") as source:
        frame = source.read()
        assert frame is not None and (frame.width, frame.height) == (640, 480)
        frame.release()


# Buffers.


@pytest.mark.usefixtures("software_camera")
def test_released_buffers_come_back() -> None:
    with camera() as source:
        for frame in [frame_of(source) for _ in range(BUFFERS)]:  # all are mapped now
            frame.release()
        before = descriptors()
        take(source, 3000)
        assert descriptors() == before


@pytest.mark.usefixtures("software_camera")
def test_a_held_frame_stays_as_it_is() -> None:
    with camera() as source:
        held = frame_of(source)
        copy = held.pixels.copy()
        changed = False
        for _ in range(40):
            frame = frame_of(source)
            changed = changed or bool((frame.pixels != copy).any())
            frame.release()
        assert changed and (held.pixels == copy).all()
        held.release()


@pytest.mark.usefixtures("software_camera")
def test_frame_outlives_the_camera() -> None:
    with camera() as source:
        frame = frame_of(source)
        released = frame_of(source)
        released.release()
    assert frame.pixels[0, 0] == pytest.approx(76, abs=2)
    frame.release()
    assert released.pixels.max() > 0


@pytest.mark.usefixtures("software_camera")
def test_pixels_cannot_be_drawn_on() -> None:
    with camera() as source:
        frame = frame_of(source)
        with pytest.raises(ValueError, match="read-only"):
            frame.pixels[0, 0] = 1
        frame.release()


@pytest.mark.usefixtures("software_camera")
def test_starved_camera_is_lost_and_found() -> None:
    source = camera("&timeout=1")
    with source:
        held = [frame_of(source) for _ in range(BUFFERS)]
        for _ in range(2):
            begin = time.monotonic()
            with pytest.raises(SourceLost, match="gave no frame for 1 s after 4 frames"):
                source.read()
            assert 1 <= time.monotonic() - begin < 3
        for frame in held:
            frame.release()
        source.close()
        source.open()
        frame = frame_of(source)
        assert frame.index == 0
        frame.release()


@pytest.mark.usefixtures("software_camera")
def test_a_read_that_was_given_up_loses_no_buffer() -> None:
    with camera() as source:
        for _ in range(BUFFERS + 1):
            for frame in starve(source):
                frame.release()
        take(source, 20)


@pytest.mark.usefixtures("software_camera")
def test_frames_that_nobody_released() -> None:
    source = camera()
    for _ in range(3):
        with source:
            frame_of(source)
        with source:
            starve(source)


@pytest.mark.usefixtures("software_camera")
def test_opening_again_leaves_nothing_behind() -> None:
    source = camera()
    with source:
        take(source, 1)
    before, threads = descriptors(), threading.active_count()
    for _ in range(3):
        with source:
            held = starve(source)
        for frame in held:
            frame.release()
        del held, frame
    assert descriptors() <= before and threading.active_count() <= threads


# Options.


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("picam:imx708", "name the camera by its number"),
        ("picam:0?format=GREY", "one of BGR, RGB, YUV420, NV12"),
        ("picam:0?stream=raw", "one of main, lores"),
        ("picam:0?rotation=90", "one of 0, 180"),
        ("picam:0?zoom=2", "no option 'zoom'"),
    ],
)
def test_wrong_options(uri: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        source_of(uri)


@pytest.mark.parametrize(
    ("options", "flips"),
    [
        ("", (False, False)),
        ("?rotation=180", (True, True)),
        ("?rotation=180&hflip=1", (False, True)),
        ("?vflip=1", (False, True)),
    ],
)
def test_rotation_is_two_flips(options: str, flips: tuple[bool, bool]) -> None:
    source = source_of(f"picam:0{options}")
    assert isinstance(source, PiCamera)
    assert (source._settings.hflip, source._settings.vflip) == flips


# What a process of its own says.


def run_python(code: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    if folder is not None:
        install = f"virtual.install(pathlib.Path({str(folder)!r}))"
        code = f"import pathlib\nfrom software_camera import virtual\n{install}\n{code}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIBCAMERA")}
    environment["PYTHONPATH"] = str(TESTS)
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment
    )


def test_without_picamera2() -> None:
    done = run_python(
        "import sys; sys.modules['picamera2'] = None\n"
        "from edgecore.cli import main; sys.exit(main(['run', 'picam:0']))"
    )
    assert done.returncode == 2 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "needs picamera2" in line and "apt install python3-picamera2 --no-install-recommends" in line


def test_nothing_on_the_terminal(software_camera: Path) -> None:
    done = run_python(
        "from edgecore.camera import source_of\n"
        "with source_of('picam:0?size=100x100') as source:\n"
        "    for _ in range(10): source.read().release()\n"
        "try: source_of('picam:5').open()\n"
        "except Exception as error: print(error)\n"
        "source.open()",  # and ends without closing it
        software_camera,
    )
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.count("\n") == 1 and "does not exist" in done.stdout


@pytest.mark.usefixtures("software_camera")
def test_run_command() -> None:
    program = [sys.executable, "-m", "software_camera", "run", "picam:0", "--frames", "20", "--json"]
    done = subprocess.run(
        program, capture_output=True, text=True, timeout=60, env=os.environ | {"PYTHONPATH": str(TESTS)}
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 21 and all(line["predictions"] for line in lines[:20])
