"""Formats, paddings and clocks that the software camera has not got."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from edgecore.camera import Frame
from edgecore.camera.picamera_layout import Layout, capture_time, layout_of
from edgecore.errors import UserError


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
