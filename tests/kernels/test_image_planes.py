"""kernels/image on planar frames and on boxes: conversion, layouts, strides, arguments."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from frames import before_a_guard_page, random_frame
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgecore.kernels.cpu import available_isas
from edgecore.kernels.image import COLOURS, ImagePlan

Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]

# red, green and blue luma weights, and the ranges of luma and chroma
MEANING = {
    "bt601": ((0.299, 0.587, 0.114), 16, 219, 224),
    "bt709": ((0.2126, 0.7152, 0.0722), 16, 219, 224),
    "jpeg": ((0.299, 0.587, 0.114), 0, 255, 255),
}


def real_colours(
    y: NDArray[np.float64], u: NDArray[np.float64], v: NDArray[np.float64], colour: str
) -> Pixels:
    """RGB in real numbers, clamped, of planes of one shape."""
    (kr, kg, kb), black, luma_range, chroma_range = MEANING[colour]
    luma = (y - black) * (255 / luma_range)
    pb, pr = ((plane - 128.0) * (255 / chroma_range) for plane in (u, v))
    red, blue = luma + 2 * (1 - kr) * pr, luma + 2 * (1 - kb) * pb
    green = luma - 2 * (1 - kb) * kb / kg * pb - 2 * (1 - kr) * kr / kg * pr
    return np.clip(np.stack([red, green, blue], axis=-1), 0, 255)  # type: ignore[return-value]


def planes(seed: int, height: int, width: int, padding: int = 0) -> Pixels:
    """Random planes, padding included, a third of them extreme."""
    random = np.random.default_rng(seed)
    frame = random.integers(0, 256, (height * 3 // 2, width + padding), dtype=np.uint8)
    return np.where(random.random(frame.shape) < 0.3, np.where(frame > 127, 255, 0), frame).astype(np.uint8)


def run(
    frame: Pixels,
    size: tuple[int, int],
    frame_order: str,
    target: tuple[int, int],
    order: str = "RGB",
    **how: object,
) -> Pixels:
    plan = ImagePlan(*size, frame_order, *target, order, **how)  # type: ignore[arg-type]
    out = np.empty(plan.shape, np.uint8)
    plan.run(frame, out)
    return out


def pictures(frame: Pixels, size: tuple[int, int], frame_order: str, colour: str = "bt601") -> Pixels:
    return run(frame, size, frame_order, size, colour=colour)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("isa", [available_isas()[0], available_isas()[-1]])
def test_every_colour_is_the_real_one(colour: str, isa: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All 2**24 of them: chroma over the frame, luma over its 2 x 2 pixels and 64 frames."""
    monkeypatch.setenv("EDGECORE_ISA", isa)
    u, v = np.meshgrid(np.arange(256), np.arange(256))
    frame = np.empty((768, 512), np.uint8)
    frame[512:, 0::2], frame[512:, 1::2] = u, v
    worst = 0.0
    for first in range(0, 256, 4):
        made = np.empty((256, 256, 4, 3))
        for i, (row, column) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
            frame[row:512:2, column::2] = first + i
        picture = pictures(frame, (512, 512), "NV12", colour)
        for i, (row, column) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
            made[:, :, i] = picture[row::2, column::2]
            expected = real_colours(np.full(u.shape, first + i), u, v, colour)
            worst = max(worst, float(np.abs(made[:, :, i] - expected).max()))
    assert worst < 0.56


@pytest.mark.parametrize("order", ["YUV420", "NV12"])
def test_layouts_are_opencvs(order: str) -> None:
    frame = np.maximum(planes(1, 34, 50), 16)  # OpenCV takes luma below black for black
    code = cv2.COLOR_YUV2RGB_NV12 if order == "NV12" else cv2.COLOR_YUV2RGB_I420
    expected = cv2.cvtColor(frame, code).astype(int)
    assert np.abs(pictures(frame, (34, 50), order) - expected).max() <= 2


@pytest.mark.parametrize("order", ["YUV420", "NV12"])
def test_padding_is_not_seen(order: str) -> None:
    frame = planes(2, 34, 50)
    padded = np.full((51, 64), 99, np.uint8)
    padded[:34, :50] = frame[:34]
    if order == "NV12":
        padded[34:, :50] = frame[34:]
    else:
        padded[34:].reshape(34, 32)[:, :25] = frame[34:].reshape(34, 25)
    np.testing.assert_array_equal(pictures(padded, (34, 50), order), pictures(frame, (34, 50), order))


halves = st.integers(1, 40)


@given(
    halves,
    halves,
    st.integers(1, 60),
    st.integers(1, 60),
    st.sampled_from(["YUV420", "NV12"]),
    st.sampled_from(["RGB", "BGR"]),
    st.sampled_from(["stretch", "letterbox", "crop"]),
    st.integers(0, 9),
    st.data(),
)
@settings(max_examples=150, deadline=None)
def test_planes_are_their_picture(
    h: int,
    w: int,
    height: int,
    width: int,
    frame_order: str,
    order: str,
    resize: str,
    padding: int,
    data: st.DataObject,
) -> None:
    """Resized from a box at any place, they give what the converted, cut picture gives."""
    size = 2 * h, 2 * w
    colour = data.draw(st.sampled_from(COLOURS))
    left, top = data.draw(st.integers(0, 2 * w - 1)), data.draw(st.integers(0, 2 * h - 1))
    box = left, top, data.draw(st.integers(1, 2 * w - left)), data.draw(st.integers(1, 2 * h - top))
    frame = planes(h * 41 + w, *size, 2 * padding)
    cut = pictures(frame, size, frame_order, colour)[top : top + box[3], left : left + box[2]]
    expected = run(np.ascontiguousarray(cut), cut.shape[:2], "RGB", (height, width), order, resize=resize)  # type: ignore[arg-type]
    made = run(frame, size, frame_order, (height, width), order, resize=resize, colour=colour, box=box)
    np.testing.assert_array_equal(made, expected)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("order", ["YUV420", "NV12"])
@pytest.mark.parametrize("target", [(24, 34), (9, 11), (70, 50)])
def test_grey_is_luma_over_the_full_range(colour: str, order: str, target: tuple[int, int]) -> None:
    frame = planes(3, 24, 34, 6)
    luma = run(frame[:24, :34], (24, 34), "GREY", target, "GREY").astype(float)
    black, span = MEANING[colour][1:3]
    expected = np.clip((luma - black) * (255 / span), 0, 255)
    tables = np.arange(256, dtype=np.uint8)[None, ::-1].copy()
    made = run(frame, (24, 34), order, target, "GREY", colour=colour)
    assert np.abs(made - expected).max() < 0.56
    np.testing.assert_array_equal(
        run(frame, (24, 34), order, target, "GREY", colour=colour, tables=tables), 255 - made
    )


def test_a_grey_letterbox_has_the_same_bars() -> None:
    made = run(planes(4, 10, 40), (10, 40), "NV12", (20, 20), "GREY", resize="letterbox")
    assert (made[:7] == 114).all() and (made[13:] == 114).all()


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from(["RGB", "GREY"]), st.data())
@settings(max_examples=80, deadline=None)
def test_a_box_is_the_picture_cut_out(h: int, w: int, order: str, data: st.DataObject) -> None:
    left, top = data.draw(st.integers(0, w - 1)), data.draw(st.integers(0, h - 1))
    width, height = data.draw(st.integers(1, w - left)), data.draw(st.integers(1, h - top))
    resize = data.draw(st.sampled_from(["stretch", "letterbox", "crop"]))
    frame = random_frame(h * 61 + w, h, w, 1 if order == "GREY" else 3)
    cut = np.ascontiguousarray(frame[top : top + height, left : left + width])
    for target in ((height, width), (11, 13)):
        np.testing.assert_array_equal(
            run(frame, (h, w), order, target, order, resize=resize, box=(left, top, width, height)),
            run(cut, (height, width), order, target, order, resize=resize),
        )


@pytest.mark.parametrize("order", ["YUV420", "NV12"])
def test_every_tier_gives_the_same_picture(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (2, 30, 32, 34, 62, 66, 98, 130):
        frame = planes(width, 6, width, 2)
        results = []
        for isa in available_isas():
            monkeypatch.setenv("EDGECORE_ISA", isa)
            results.append(pictures(frame, (6, width), order))
        for result in results[1:]:
            np.testing.assert_array_equal(result, results[0])


def test_rows_of_nv12_may_lie_apart() -> None:
    wide = planes(5, 12, 40)
    np.testing.assert_array_equal(
        run(wide[:, :30], (12, 30), "NV12", (7, 9)), run(wide[:, :30].copy(), (12, 30), "NV12", (7, 9))
    )


@pytest.mark.parametrize("size", [(2, 2), (4, 6), (8, 30), (34, 64), (50, 98)])
@pytest.mark.parametrize("target", [(1, 1), (5, 8), (34, 64), (90, 101)])
@pytest.mark.parametrize("order", ["YUV420", "NV12"])
def test_nothing_past_the_planes_is_touched(
    size: tuple[int, int], target: tuple[int, int], order: str
) -> None:
    frame = before_a_guard_page(size[0] * size[1] * 3 // 2).reshape(-1, size[1])
    frame[:] = planes(6, *size)
    out = before_a_guard_page(target[0] * target[1] * 3).reshape(*target, 3)
    last = size[1] - 1, size[0] - 1, 1, 1
    for box in (None, last, (1, 1, size[1] - 1, size[0] - 1)):
        for tensor in ("RGB", "GREY"):
            plan = ImagePlan(*size, order, *target, tensor, box=box)
            made = out.reshape(-1)[: target[0] * target[1] * plan.shape[2]]
            plan.run(frame, made)
            expected = run(frame.copy(), size, order, target, tensor, box=box)
            np.testing.assert_array_equal(made, expected.reshape(-1))


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((11, 6), np.uint8),
        np.zeros((12, 4), np.uint8),
        np.zeros((12, 6, 1), np.uint8),
        np.zeros((8, 6, 3), np.uint8),
        np.zeros((12, 6), np.int8),
        np.zeros((12, 6), np.uint8)[::-1],
        np.zeros((12, 6), np.uint8)[:, ::-1],
        np.zeros((24, 6), np.uint8)[:, ::2],
        np.broadcast_to(np.zeros(6, np.uint8), (12, 6)),
        None,
    ],
)
@pytest.mark.parametrize("order", ["YUV420", "NV12"])
def test_planes_are_checked(order: str, frame: object) -> None:
    plan = ImagePlan(8, 6, order, 4, 4, "RGB")
    with pytest.raises(ValueError, match=r"^frame:"):
        plan.run(frame, np.empty((4, 4, 3), np.uint8))  # type: ignore[arg-type]


@pytest.mark.parametrize("frame", [np.zeros((12, 8), np.uint8)[:, :6], np.zeros((12, 7), np.uint8)])
def test_planes_of_yuv420_are_one_block(frame: Pixels) -> None:
    with pytest.raises(ValueError, match=r"^frame: YUV420"):
        ImagePlan(8, 6, "YUV420", 4, 4, "RGB").run(frame, np.empty((4, 4, 3), np.uint8))


@pytest.mark.parametrize(("height", "width", "word"), [(7, 6, "frame_height"), (8, 5, "frame_width")])
@pytest.mark.parametrize("order", ["YUV420", "NV12"])
def test_planes_have_even_sides(order: str, height: int, width: int, word: str) -> None:
    with pytest.raises(ValueError, match=f"{word} is .*even"):
        ImagePlan(height, width, order, 4, 4, "RGB")


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 0, 0),
        (0, 0, 6, 0),
        (-1, 0, 2, 2),
        (0, -1, 2, 2),
        (5, 0, 2, 2),
        (0, 7, 2, 2),
        (0, 0, 7, 8),
        (0, 0, 6, 9),
        (2**31 - 1, 0, 2, 2),
        (0, 0, 2**31 - 1, 2),
        (0, 0, 2**40, 2),
        (0, 0, 2),
        (0, 0, 2, 2.5),
        "box",
        3,
    ],
)
def test_boxes_are_checked(box: object) -> None:
    with pytest.raises(ValueError, match=r"^box"):
        ImagePlan(8, 6, "BGR", 4, 4, "RGB", box=box)  # type: ignore[arg-type]


@pytest.mark.parametrize("colour", ["BT601", "", None, 3])
def test_colours_are_checked(colour: object) -> None:
    with pytest.raises(ValueError, match=r"^colour:"):
        ImagePlan(8, 6, "NV12", 4, 4, "RGB", colour=colour)  # type: ignore[arg-type]


@pytest.mark.parametrize("order", ["YUV420", "NV12"])
def test_tensors_are_not_planar(order: str) -> None:
    with pytest.raises(ValueError, match=r"^order:"):
        ImagePlan(8, 6, "BGR", 4, 4, order)
