"""The test picture: its clock, its movement, and that it neither leaks nor aliases."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgecore.camera import Frame, source_of
from edgecore.camera.pattern import Pattern, read_clock
from edgecore.camera.source import FORMATS
from edgecore.errors import UserError

TO_BGR = {
    "RGB": cv2.COLOR_RGB2BGR,
    "GREY": cv2.COLOR_GRAY2BGR,
    "YUV420": cv2.COLOR_YUV2BGR_I420,
    "NV12": cv2.COLOR_YUV2BGR_NV12,
}


def taken(source: Pattern) -> Frame:
    frame = source.read()
    assert frame is not None
    return frame


def seen(frame: Frame) -> np.ndarray:
    """The picture as BGR."""
    return frame.pixels if frame.order == "BGR" else cv2.cvtColor(frame.pixels, TO_BGR[frame.order])


def drawn(frame: Frame) -> int:
    """What the clock must say."""
    return int(frame.captured * 1e3) & 0xFFFFFFFF


@pytest.mark.parametrize("order", FORMATS)
@pytest.mark.parametrize("size", [(32, 16), (64, 48), (96, 240), (640, 480), (1280, 80), (1920, 1080)])
def test_clock_is_read_back(order: str, size: tuple[int, int]) -> None:
    with Pattern(size, order) as source:
        for _ in range(3):
            frame = taken(source)
            assert (frame.width, frame.height) == size
            assert read_clock(frame.pixels) == read_clock(seen(frame)) == drawn(frame)


@pytest.mark.parametrize("size", [(33, 17), (101, 77), (511, 333)])
@pytest.mark.parametrize("order", ["BGR", "RGB", "GREY"])
def test_odd_sizes(size: tuple[int, int], order: str) -> None:
    with Pattern(size, order) as source:
        frames = [taken(source) for _ in range(50)]
    for frame in frames:
        assert (frame.width, frame.height) == size and read_clock(frame.pixels) == drawn(frame)


def test_clock_of_padded_rows() -> None:
    with Pattern((640, 480), "NV12") as source:
        frame = taken(source)
        padded = np.full((720, 704), 99, np.uint8)
        padded[:, :640] = frame.pixels
    assert read_clock(padded, 640) == drawn(frame)


@pytest.mark.parametrize("quality", [10, 50, 95])
def test_clock_survives_jpeg(quality: int) -> None:
    with Pattern() as source:
        frame = taken(source)
        jpeg = cv2.imencode(".jpg", frame.pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    assert read_clock(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)) == drawn(frame)


def test_clock_survives_a_video_codec(tmp_path: Path) -> None:
    path = tmp_path / "pattern.mp4"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 30, (320, 240))
    written = []
    with Pattern((320, 240), fps=200) as source:
        for _ in range(20):
            frame = taken(source)
            written.append(drawn(frame))
            writer.write(frame.pixels)
            frame.release()
    writer.release()
    with source_of(path) as clip:
        assert [read_clock(frame.pixels) for frame in clip] == written


@pytest.mark.parametrize("size", [(160, 120), (320, 240), (1280, 960)])
def test_clock_survives_scaling(size: tuple[int, int]) -> None:
    with Pattern() as source:
        frame = taken(source)
    assert read_clock(cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA)) == drawn(frame)


def test_no_clock_where_there_is_none() -> None:
    assert read_clock(np.full((480, 640, 3), 128, np.uint8)) is None


@pytest.mark.parametrize("order", ["BGR", "RGB", "YUV420", "NV12"])
def test_colours_are_where_they_belong(order: str) -> None:
    with Pattern((640, 480), order) as source:
        row = seen(taken(source))[30].astype(int)
    expected = [(255, 255, 255), (0, 255, 255), (255, 255, 0), (0, 255, 0)]
    expected += [(255, 0, 255), (0, 0, 255), (255, 0, 0), (0, 0, 0)]
    for index, colour in enumerate(expected):
        assert np.abs(row[40 + 80 * index] - colour).max() <= 20, index


@pytest.mark.parametrize("order", ["YUV420", "NV12"])
def test_planar_formats_hold_the_same_picture(order: str) -> None:
    """What is left on a canvas that is drawn on again and again is what a fresh one shows."""
    with Pattern((320, 240), order) as source, Pattern((320, 240)) as plain:
        for _ in range(200):
            frame, other = taken(source), taken(plain)
            difference = np.abs(seen(frame)[10:].astype(int) - other.pixels[10:]).mean()
            assert difference < 2, frame.index
            frame.release()
            other.release()


@pytest.mark.parametrize("order", FORMATS)
def test_used_canvases_show_what_fresh_ones_show(order: str) -> None:
    clock = 20  # rows
    with Pattern((640, 480), order) as source:
        fresh = [taken(source) for _ in range(150)]
    with Pattern((640, 480), order) as source:
        for one in fresh:
            frame = taken(source)
            assert (frame.pixels[clock:] == one.pixels[clock:]).all(), frame.index
            frame.release()


def test_it_moves() -> None:
    with Pattern() as source:
        frames = [taken(source) for _ in range(100)]
    pictures = {frame.pixels[20:].tobytes() for frame in frames}
    assert len(pictures) == 100


def test_memory_is_used_again_and_only_grows_while_frames_are_held() -> None:
    with Pattern() as source:
        places = set()
        for _ in range(100):
            frame = taken(source)
            places.add(frame.pixels.ctypes.data)
            frame.release()
        assert len(places) == 1
        held = [taken(source) for _ in range(30)]
        assert len({frame.pixels.ctypes.data for frame in held}) == 30
        for frame in held:
            frame.release()
        del held, frame
        places = set()
        for _ in range(100):
            frame = taken(source)
            places.add(frame.pixels.ctypes.data)
            frame.release()
        assert len(places) <= 8


def test_frames_may_be_released_in_another_thread() -> None:
    with Pattern((64, 48)) as source:
        waiting: list[Frame] = []
        more = threading.Semaphore(0)

        def release() -> None:
            for _ in range(2000):
                more.acquire()
                frame = waiting.pop(0)
                assert read_clock(frame.pixels) == drawn(frame)
                frame.release()

        reader = threading.Thread(target=release)
        reader.start()
        for _ in range(2000):
            waiting.append(taken(source))
            more.release()
        reader.join()


def test_pixels_are_read_only() -> None:
    with Pattern() as source:
        frame = taken(source)
        with pytest.raises(ValueError, match="read-only"):
            frame.pixels[0, 0] = 0


def test_live_frames_appear_whether_or_not_anyone_reads() -> None:
    rate = 25
    with Pattern((64, 48), fps=rate, live=True) as source:
        first = taken(source)
        time.sleep(3.5 / rate)
        late = taken(source)
    # Three frames were lost in between; the next appears in its own time, not when it was asked for.
    steps = (late.captured - first.captured) * rate
    assert steps >= 3.5 and late.captured - first.captured < 3.0
    assert late.index == first.index + 1


def test_live_rate() -> None:
    source = Pattern(live=True)
    assert source.live and source.timeout > 3
    with source:
        times = [taken(source).captured for _ in range(10)]
    assert (times[-1] - times[0]) * 30 > 9 - 0.9  # the first may have come late


def test_number_of_frames() -> None:
    with source_of("test:pattern?size=64x48&frames=5") as source:
        assert len(list(source)) == 5
    with source_of("test:pattern?frames=0") as source:
        assert source.read() is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("test:film", "there is test:pattern"),
        ("test:pattern?size=31x48", "a clock does not fit"),
        ("test:pattern?size=640x16", "a clock does not fit"),
        ("test:pattern?size=641x480&format=NV12", "even width and height"),
        ("test:pattern?size=32000x32000", "is too large"),
        ("test:pattern?fps=0", "a number above 0"),
        ("test:pattern?live=yes", "one of 0, 1"),
        ("test:pattern?loop=1", "no option 'loop'"),
    ],
)
def test_refused(name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        source_of(name)
