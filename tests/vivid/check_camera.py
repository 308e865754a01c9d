"""V4L2 cameras for real: run by check.sh in a machine where the kernel's vivid driver makes two of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgecore.camera import Frame, SourceLost, source_of
from edgecore.camera.v4l2 import Camera, present
from edgecore.errors import UserError

DRIVER = Path("/sys/bus/platform/drivers/vivid")
BY_ID = Path("/dev/v4l/by-id/usb-Vivid_1-video-index0")


@pytest.fixture(autouse=True)
def plugged_in() -> Iterator[None]:
    """Both cameras are there, before and after a test."""
    yield
    plug(True)


def plug(there: bool) -> None:
    if (DRIVER / "vivid.0").exists() != there:
        (DRIVER / ("bind" if there else "unbind")).write_text("vivid.0")
    assert Path("/dev/video0").exists() == there


def known(frame: Frame | None) -> Frame:
    assert frame is not None
    return frame


def test_contract() -> None:
    camera = source_of("v4l2:0?size=640x360&fps=30")
    assert camera.live and not camera.named
    for _ in range(2):
        with camera:
            frames = [known(camera.read()) for _ in range(6)]
        assert [frame.index for frame in frames] == list(range(6))
        stamps = [frame.captured for frame in frames]
        assert stamps == sorted(stamps) and 0 <= time.monotonic() - stamps[-1] < 5
        for frame in frames:
            assert frame.order == "BGR" and frame.pixels.dtype == np.uint8
            assert (frame.width, frame.height) == (640, 360)
    assert camera.title == "camera 0"
    camera.close()


def test_frames_stay_valid() -> None:
    with source_of("0") as camera:
        first = known(camera.read())
        copy = first.pixels.copy()
        for _ in range(6):
            camera.read()
        assert (first.pixels == copy).all()


def test_a_wait_in_the_queue_counts() -> None:
    with source_of("0?size=320x180&fps=30") as camera:
        camera.read()
        time.sleep(2)
        ages = []
        for _ in range(12):
            captured = known(camera.read()).captured
            ages.append(time.monotonic() - captured)
    assert max(ages) > 1.5, "the driver held old frames, and nobody said so"
    assert min(ages) < 0.5


@pytest.mark.parametrize(
    ("options", "order", "says"),
    [
        ("size=640x360&fourcc=YUYV&fps=30", "BGR", "camera 0"),
        ("size=640x360&fourcc=NV12", "BGR", "camera 0"),
        ("size=640x360&fourcc=GREY", "GREY", "camera 0"),  # OpenCV 4.11 makes BGR of it
        ("size=641x359", "BGR", "instead"),
        ("size=640x360&fourcc=H264", "BGR", "instead"),
    ],
)
def test_what_the_camera_chose(options: str, order: str, says: str) -> None:
    with source_of(f"v4l2:0?{options}") as camera:
        frame = known(camera.read())
        assert frame.order in (order, "BGR") and (frame.height, frame.width) == (360, 640)
        assert camera.title.startswith("camera 0") and says in camera.title
        print(camera.title)


def test_stall() -> None:
    """At one frame a second every frame is late for a camera that waits 0.4 s."""
    began = time.monotonic()
    with pytest.raises(SourceLost, match=r"gives no frame"):
        source_of("v4l2:0?size=320x180&fps=1&timeout=0.4").open()
    assert time.monotonic() - began > 0.4
    with Camera("0", size=(320, 180), fps=1) as camera:
        camera.timeout = 0.4
        with pytest.raises(SourceLost, match=r"has sent no frame for 0.4 s"):
            for _ in range(6):  # those that are there already
                began = time.monotonic()
                camera.read()
        assert 0.4 < time.monotonic() - began < 0.9


def test_unplugged_and_back() -> None:
    camera = source_of("0")
    with camera:
        camera.read()
        plug(False)
        began = time.monotonic()
        with pytest.raises(SourceLost):
            for _ in range(20):
                camera.read()
        assert time.monotonic() - began < 4
        with pytest.raises(SourceLost, match="does not exist"):
            camera.open()
        plug(True)
        camera.open()
        assert known(camera.read()).index == 0


def test_a_name_survives_a_changed_number() -> None:
    BY_ID.parent.mkdir(parents=True, exist_ok=True)
    BY_ID.unlink(missing_ok=True)
    camera = source_of(f"v4l2:{BY_ID}")
    with pytest.raises(SourceLost, match="does not exist"):
        camera.open()
    for number in (0, 1):
        BY_ID.unlink(missing_ok=True)
        BY_ID.symlink_to(f"../../video{number}")
        with camera:
            assert known(camera.read()).pixels.size
            held = {str(path.resolve()) for path in Path("/proc/self/fd").iterdir()}
            assert f"/dev/video{number}" in held
    BY_ID.unlink()


def test_absent() -> None:
    with pytest.raises(
        UserError, match=r"camera 7 does not exist .*there are: 0 \(vivid\), 1 \(vivid\)"
    ) as caught:
        source_of("7").open()
    assert not isinstance(caught.value, SourceLost)
    plug(False)
    assert present() == "no camera is plugged in"


def test_busy() -> None:
    with source_of("0"), pytest.raises(SourceLost, match="no other program uses it"):
        source_of("0").open()


def test_rates_of_frames() -> None:
    with source_of("0?size=320x180&fps=30") as camera:
        camera.read()
        began = time.monotonic()
        for _ in range(60):
            camera.read()
        print(f"{60 / (time.monotonic() - began):.1f} frames a second of 30")
