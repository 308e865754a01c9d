"""picam: on libcamera's software camera, under picamera2 as it comes from PyPI."""

from __future__ import annotations

import gc
import json
import mmap
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from edgecore.camera import Frame, SourceLost, picamera, source_of
from edgecore.camera.picamera import BUFFERS, CLOSE_TIMEOUT, Layout, PiCamera, capture_time, layout_of
from edgecore.camera.source import TIMEOUT
from edgecore.errors import UserError

TESTS = Path(__file__).parents[2]
SHORT = 0.3  # seconds; the timeout of a read that is meant to fail


def camera(options: str = "", number: int = 0) -> PiCamera:
    source = source_of(f"picam:{number}?size=640x480{options}")
    assert isinstance(source, PiCamera)
    return source


def frame_of(source: PiCamera) -> Frame:
    frame = source.read()
    assert frame is not None
    return frame


def take(source: PiCamera, count: int) -> None:
    for _ in range(count):
        frame_of(source).release()


def starve(source: PiCamera) -> list[Frame]:
    """Holds every buffer until a read fails; the frames."""
    held = [frame_of(source) for _ in range(BUFFERS)]
    source.timeout = SHORT
    with pytest.raises(SourceLost, match=rf"gave no frame for {SHORT} s after [0-9]+ frames"):
        source.read()
    source.timeout = TIMEOUT
    return held


def descriptors() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


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


# Cameras that hang, are missing or are taken.


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """Set it to let go what the test holds up."""
    event = threading.Event()
    yield event
    event.set()


def test_camera_that_hangs(software_camera: Path, hang: threading.Event) -> None:
    source = camera()
    source.open()
    take(source, 1)
    source.timeout = SHORT
    # The thread that picamera2 serves everything from does not come back, so its stop() does not either.
    source._camera.pre_callback = lambda request: hang.wait()
    begin = time.monotonic()
    with pytest.raises(SourceLost):
        for _ in range(BUFFERS + 1):
            source.read()
    source.close()
    assert time.monotonic() - begin < SHORT + CLOSE_TIMEOUT + 2
    threads = threading.active_count()
    for _ in range(2):
        with pytest.raises(SourceLost, match="hangs since it was last used"):
            source.open()
    assert threading.active_count() == threads
    hang.set()
    source.timeout = TIMEOUT
    with source:
        take(source, 20)


def test_camera_that_does_not_open(
    software_camera: Path, hang: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    import picamera2

    monkeypatch.setattr(picamera, "STARTING", 0.1)

    def hold() -> None:
        with picamera2.Picamera2._cm._lock:
            hang.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    source = camera()
    source.timeout = 0.5
    begin = time.monotonic()
    with pytest.raises(SourceLost, match=r"did not open in 0\.6 s"):
        source.open()
    with pytest.raises(SourceLost, match="hangs since it was last used"):
        source.open()
    assert time.monotonic() - begin < 3
    hang.set()
    holder.join()
    monkeypatch.undo()
    source.timeout = TIMEOUT
    deadline = time.monotonic() + 10
    while True:  # what opened too late closes first
        try:
            source.open()
            break
        except SourceLost:
            assert time.monotonic() < deadline
    take(source, 1)
    source.close()


@pytest.mark.usefixtures("software_camera")
def test_camera_in_use() -> None:
    with camera() as first:
        second = camera()
        with pytest.raises(SourceLost, match=r"does not open .*no other program"):
            second.open()
        take(first, 1)
    with second:
        take(second, 1)


@pytest.mark.usefixtures("software_camera")
def test_missing_camera() -> None:
    with pytest.raises(
        UserError, match=r"Pi camera 7 does not exist; there are: 0 \(pictures\), 1 \(bars\)"
    ) as no:
        camera(number=7).open()
    assert not isinstance(no.value, SourceLost)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("exposure=1000", "no control for exposure"),
        ("gain=2", "no control for gain"),
    ],
)
@pytest.mark.usefixtures("software_camera")
def test_controls_that_the_camera_lacks(options: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        camera(f"&{options}").open()
    with camera() as source:
        take(source, 1)


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


# Layouts and clocks that the software camera has not got.


@pytest.mark.parametrize("order", ["BGR", "RGB"])
def test_packed_rows_may_lie_apart(order: str) -> None:
    memory = mmap.mmap(-1, 32)
    memory[:] = bytes(range(32))
    pixels = Layout(order, 4, 2, 16, 32, "bt601").pixels(memory)
    assert pixels.shape == (2, 4, 3) and pixels.strides == (16, 3, 1)
    assert pixels[1, 3].tolist() == [25, 26, 27]


@pytest.mark.parametrize("order", ["YUV420", "NV12"])
def test_planar_rows_keep_their_padding(order: str) -> None:
    memory = mmap.mmap(-1, 8 * 6 + 100)  # drivers round a buffer up
    layout = Layout(order, 6, 4, 8, len(memory), "jpeg")
    frame = Frame(layout.pixels(memory), order, 0.0, 0, columns=layout.width)
    assert frame.pixels.shape == (6, 8) and (frame.width, frame.height) == (6, 4)


@pytest.mark.parametrize(
    ("theirs", "ours"), [("RGB888", "BGR"), ("BGR888", "RGB"), ("YUV420", "YUV420"), ("NV12", "NV12")]
)
def test_formats(software_camera: Path, theirs: str, ours: str) -> None:
    from libcamera import ColorSpace

    stream = {"format": theirs, "size": (64, 48), "stride": 192, "framesize": 9216}
    for space, colour in (
        (ColorSpace.Sycc(), "jpeg"),
        (ColorSpace.Smpte170m(), "bt601"),
        (ColorSpace.Rec709(), "bt709"),
        (None, "bt601"),
    ):
        assert layout_of(stream, space) == Layout(ours, 64, 48, 192, 9216, colour)


def test_unknown_format() -> None:
    with pytest.raises(UserError, match="gives MJPEG"):
        layout_of({"format": "MJPEG", "size": (64, 48), "stride": 0, "framesize": 9216}, None)


def test_clock() -> None:
    now = 1000.0
    stamp = 999_900_000_000
    assert capture_time({"SensorTimestamp": stamp, "ExposureTime": 20_000}, now) == (
        pytest.approx(999.88),
        "exposure",
    )
    assert capture_time({"SensorTimestamp": stamp}, now) == (pytest.approx(999.9), "arrival")
    assert capture_time({"ExposureTime": 20_000}, now) == (now, "arrival")
    for other_clock in (1_000_100_000_000, 900_000_000_000):
        assert capture_time({"SensorTimestamp": other_clock, "ExposureTime": 1}, now) == (now, "arrival")
