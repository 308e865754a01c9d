"""Every frame as blue, green and red."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from materials import picture

from edgecore.camera.picture import bgr_of
from edgecore.camera.source import Frame

BGR = picture(1)
HEIGHT, WIDTH = BGR.shape[:2]


def planes(order: str, stride: int) -> np.ndarray:
    """`BGR` as planes with rows of `stride` bytes, what lies behind the picture being 255."""
    dense = cv2.cvtColor(BGR, cv2.COLOR_BGR2YUV_I420)
    u, v = dense[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    out = np.full((HEIGHT * 3 // 2, stride), 255, np.uint8)
    out[:HEIGHT, :WIDTH] = dense[:HEIGHT]
    if order == "NV12":
        out[HEIGHT:, 0:WIDTH:2], out[HEIGHT:, 1:WIDTH:2] = u, v
    else:
        halves = out[HEIGHT:].reshape(2, HEIGHT // 2, stride // 2)
        halves[0, :, : WIDTH // 2], halves[1, :, : WIDTH // 2] = u, v
    return out


@pytest.mark.parametrize("gap", [0, 16])
def test_packed_frames_are_copied(gap: int) -> None:
    wide = np.zeros((HEIGHT, WIDTH + gap, 3), np.uint8)
    pixels = wide[:, :WIDTH]
    for order, expected in (("BGR", BGR), ("RGB", BGR[:, :, ::-1])):
        pixels[:] = BGR
        found = bgr_of(Frame(pixels, order, 0.0, 0))
        pixels[:] = 0
        assert np.array_equal(found, expected)
        assert found.flags.c_contiguous and found.flags.writeable


def test_grey_frames() -> None:
    found = bgr_of(Frame(BGR[:, :, 1], "GREY", 0.0, 0))
    assert np.array_equal(found, np.repeat(BGR[:, :, 1:2], 3, axis=2))


@pytest.mark.parametrize("stride", [WIDTH, WIDTH + 32])
@pytest.mark.parametrize("order", ["NV12", "YUV420"])
def test_planar_frames_come_back(order: str, stride: int) -> None:
    columns = None if stride == WIDTH else WIDTH
    found = bgr_of(Frame(planes(order, stride), order, 0.0, 0, columns=columns))
    assert found.shape == BGR.shape and found.dtype == np.uint8 and found.flags.writeable
    assert np.abs(found.astype(int) - BGR).mean() < 6  # colour has half the resolution


@pytest.mark.parametrize(
    ("colour", "yuv", "expected"),
    [
        ("bt601", (81, 90, 240), (0, 0, 255)),
        ("bt709", (63, 102, 240), (0, 0, 255)),
        ("jpeg", (76, 85, 255), (0, 0, 254)),
        ("jpeg", (16, 128, 128), (16, 16, 16)),
        ("bt601", (16, 128, 128), (0, 0, 0)),
    ],
)
def test_colours_are_what_the_camera_says(
    colour: str, yuv: tuple[int, int, int], expected: tuple[int, int, int]
) -> None:
    pixels = np.repeat(np.array([yuv[0]] * 4 + [yuv[1], yuv[2]], np.uint8)[:, None], 4, axis=1)
    found = bgr_of(Frame(pixels, "YUV420", 0.0, 0, colour=colour))
    assert np.abs(found.astype(int) - expected).max() <= 3
