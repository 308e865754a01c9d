"""kernels/image: the resize against Pillow, fits against their definitions, arguments at the border."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from frames import before_a_guard_page, random_frame
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from edgecore.kernels.cpu import available_isas
from edgecore.kernels.image import MAX_SIDE, ImagePlan

Pixels = NDArray[np.uint8]


def pillow_resize(
    frame: Pixels, width: int, height: int, box: tuple[int, int, int, int] | None = None
) -> Pixels:
    """Pillow's horizontal pass, then its vertical one (Pillow 13 alone would sometimes turn them round)."""
    rows, columns = frame.shape[:2]
    left, top, right, bottom = box or (0, 0, columns, rows)
    image = Image.fromarray(frame[..., 0] if frame.shape[2] == 1 else frame)
    image = image.resize((width, rows), Image.Resampling.BILINEAR, box=(left, 0, right, rows))
    image = image.resize((width, height), Image.Resampling.BILINEAR, box=(0, top, width, bottom))
    return np.asarray(image).reshape(height, width, frame.shape[2])


def run(
    frame: Pixels, height: int, width: int, order: str = "RGB", frame_order: str = "RGB", **options: object
) -> Pixels:
    plan = ImagePlan(frame.shape[0], frame.shape[1], frame_order, height, width, order, **options)  # type: ignore[arg-type]
    out = np.empty(plan.shape, np.uint8)
    plan.run(frame, out)
    return out


sides = st.integers(1, 70)


@given(sides, sides, sides, sides, st.booleans(), st.booleans(), st.integers(0, 2**16))
@settings(max_examples=150, deadline=None)
def test_stretch_is_pillow(
    h: int, w: int, height: int, width: int, grey: bool, extremes: bool, seed: int
) -> None:
    frame = random_frame(seed, h, w, 1 if grey else 3, extremes)
    order = "GREY" if grey else "RGB"
    np.testing.assert_array_equal(
        run(frame, height, width, order, order), pillow_resize(frame, width, height)
    )


@pytest.mark.parametrize("size", [(360, 640), (481, 641), (1080, 1920), (3, 4000), (4000, 3)])
@pytest.mark.parametrize("target", [(32, 32), (224, 224), (480, 300)])
def test_camera_sizes_are_pillow(size: tuple[int, int], target: tuple[int, int]) -> None:
    frame = random_frame(size[0], *size)
    np.testing.assert_array_equal(run(frame, *target), pillow_resize(frame, target[1], target[0]))


@given(sides, sides, st.booleans())
@settings(max_examples=30, deadline=None)
def test_same_size_is_the_identity(h: int, w: int, grey: bool) -> None:
    frame = random_frame(h * 71 + w, h, w, 1 if grey else 3)
    order = "GREY" if grey else "BGR"
    for resize in ("stretch", "letterbox", "crop"):
        np.testing.assert_array_equal(run(frame, h, w, order, order, resize=resize), frame)


@given(sides, sides, sides, sides)
@settings(max_examples=100, deadline=None)
def test_crop_is_pillows_box(h: int, w: int, height: int, width: int) -> None:
    frame = random_frame(h + w, h, w)
    box_h, box_w = h, w
    if w * height > width * h:
        box_w = min(w, max(1, (2 * width * h + height) // (2 * height)))
    else:
        box_h = min(h, max(1, (2 * height * w + width) // (2 * width)))
    top, left = (h - box_h) // 2, (w - box_w) // 2
    expected = pillow_resize(frame, width, height, (left, top, left + box_w, top + box_h))
    np.testing.assert_array_equal(run(frame, height, width, resize="crop"), expected)


@given(sides, sides, sides, sides)
@settings(max_examples=100, deadline=None)
def test_letterbox_centres_the_frame(h: int, w: int, height: int, width: int) -> None:
    frame = random_frame(h + w, h, w)
    inner_h, inner_w = height, width
    if w * height > width * h:
        inner_h = min(height, max(1, (2 * h * width + w) // (2 * w)))
    else:
        inner_w = min(width, max(1, (2 * w * height + h) // (2 * h)))
    top, left = (height - inner_h) // 2, (width - inner_w) // 2
    expected = np.full((height, width, 3), 114, np.uint8)
    expected[top : top + inner_h, left : left + inner_w] = pillow_resize(frame, inner_w, inner_h)
    np.testing.assert_array_equal(run(frame, height, width, resize="letterbox"), expected)


@given(sides, sides, sides, sides)
@settings(max_examples=60, deadline=None)
def test_bilinear_is_opencvs_within_rounding(h: int, w: int, height: int, width: int) -> None:
    frame = random_frame(h + w, h, w)
    expected = cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR).astype(int)
    assert np.abs(run(frame, height, width, filter="bilinear") - expected).max() <= 2


def test_bilinear_enlarges_as_the_triangle_does() -> None:
    frame = random_frame(8, 20, 31)
    np.testing.assert_array_equal(run(frame, 41, 77, filter="bilinear"), run(frame, 41, 77))
    assert (run(frame, 7, 9, filter="bilinear") != run(frame, 7, 9)).any()


@pytest.mark.parametrize("target", [(9, 7), (20, 31), (40, 31), (13, 50)])
@pytest.mark.parametrize("resize", ["stretch", "letterbox", "crop"])
def test_orders(target: tuple[int, int], resize: str) -> None:
    frame = random_frame(5, 20, 31)
    swapped = np.ascontiguousarray(frame[..., ::-1])
    rgb = run(frame, *target, resize=resize)
    np.testing.assert_array_equal(run(frame, *target, "BGR", resize=resize), rgb[..., ::-1])
    np.testing.assert_array_equal(run(swapped, *target, "RGB", "BGR", resize=resize), rgb)
    luma = np.asarray(Image.fromarray(frame).convert("L"))[..., None]
    grey = run(luma, *target, "GREY", "GREY", resize=resize)
    np.testing.assert_array_equal(run(frame, *target, "GREY", resize=resize), grey)
    np.testing.assert_array_equal(run(swapped, *target, "GREY", "BGR", resize=resize), grey)
    np.testing.assert_array_equal(
        run(luma[..., 0], *target, "RGB", "GREY", resize=resize), np.repeat(grey, 3, 2)
    )


def test_grey_is_pillows_over_all_colours() -> None:
    frame = random_frame(1, 256, 256)
    frame[..., 0] = np.arange(256)
    np.testing.assert_array_equal(
        run(frame, 256, 256, "GREY")[..., 0], np.asarray(Image.fromarray(frame).convert("L"))
    )


@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
@pytest.mark.parametrize("frame_order", ["RGB", "BGR", "GREY"])
def test_tables_apply_per_channel_bars_included(frame_order: str, resize: str) -> None:
    frame = random_frame(3, 12, 30, 1 if frame_order == "GREY" else 3)
    tables = np.random.default_rng(4).integers(0, 256, (3, 256), dtype=np.uint8)
    plain = run(frame, 16, 16, "RGB", frame_order, resize=resize)
    expected = np.stack([tables[c][plain[..., c]] for c in range(3)], axis=2)
    np.testing.assert_array_equal(
        run(frame, 16, 16, "RGB", frame_order, resize=resize, tables=tables), expected
    )


@pytest.mark.parametrize("target", [(10, 12), (30, 40)])
def test_row_strides(target: tuple[int, int]) -> None:
    big = random_frame(6, 50, 60)
    part = big[10:40, 5:45]
    np.testing.assert_array_equal(run(part, *target), run(np.ascontiguousarray(part), *target))
    np.testing.assert_array_equal(run(part[::-1], *target), run(np.ascontiguousarray(part[::-1]), *target))
    np.testing.assert_array_equal(run(part[::2], *target), run(np.ascontiguousarray(part[::2]), *target))


def test_a_plan_runs_again_and_reads_read_only_frames() -> None:
    plan = ImagePlan(20, 30, "BGR", 7, 9, "RGB")
    for seed in range(3):
        frame = random_frame(seed, 20, 30)
        frame.flags.writeable = False
        out = np.empty((1, 7, 9, 3), np.int8)
        plan.run(frame, out)
        np.testing.assert_array_equal(out[0].view(np.uint8), run(frame, 7, 9, "RGB", "BGR"))


def test_nothing_is_written_outside_the_tensor() -> None:
    for resize in ("stretch", "letterbox", "crop"):
        guarded = np.full(64 + 13 * 17 * 3 + 64, 0xA5, np.uint8)
        ImagePlan(40, 50, "BGR", 13, 17, "RGB", resize).run(random_frame(2, 40, 50), guarded[64:-64])
        assert (guarded[:64] == 0xA5).all() and (guarded[-64:] == 0xA5).all()


@pytest.mark.parametrize("argument", ["frame_height", "frame_width", "height", "width"])
@pytest.mark.parametrize("value", [0, -1, MAX_SIDE + 1, 2**40, 1.5, None])
def test_sizes_are_checked(argument: str, value: object) -> None:
    sizes = {"frame_height": 4, "frame_width": 4, "height": 4, "width": 4, argument: value}
    with pytest.raises(ValueError, match=f"^{argument}:"):
        ImagePlan(frame_order="BGR", order="RGB", **sizes)  # type: ignore[arg-type]


@pytest.mark.parametrize("argument", ["frame_order", "order", "resize", "filter"])
@pytest.mark.parametrize("value", ["rgb", "", None, 3])
def test_names_are_checked(argument: str, value: object) -> None:
    names = {"frame_order": "BGR", "order": "RGB", "resize": "crop", argument: value}
    with pytest.raises(ValueError, match=f"^{argument}:"):
        ImagePlan(frame_height=4, frame_width=4, height=4, width=4, **names)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "tables",
    [
        np.zeros((3, 255), np.uint8),
        np.zeros((1, 256), np.uint8),
        np.zeros(768, np.uint8),
        np.zeros((3, 256), np.int32),
        np.zeros((3, 512), np.uint8)[:, ::2],
        "text",
    ],
)
def test_tables_are_checked(tables: object) -> None:
    with pytest.raises(ValueError, match=r"^tables:"):
        ImagePlan(4, 4, "BGR", 4, 4, "RGB", tables=tables)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((8, 6), np.uint8),
        np.zeros((8, 6, 4), np.uint8),
        np.zeros((8, 6, 1), np.uint8),
        np.zeros((6, 8, 3), np.uint8),
        np.zeros((1, 8, 6, 3), np.uint8),
        np.zeros((8, 6, 3), np.int8),
        np.zeros((8, 6, 3), np.float32),
        np.zeros((8, 12, 3), np.uint8)[:, ::2],
        np.zeros((8, 6, 3), np.uint8)[..., ::-1],
        np.zeros((8, 6, 6), np.uint8)[..., ::2],
        np.zeros((0, 6, 3), np.uint8),
        None,
        [1, 2, 3],
    ],
)
def test_frames_are_checked(frame: object) -> None:
    plan = ImagePlan(8, 6, "BGR", 4, 4, "RGB")
    with pytest.raises(ValueError, match=r"^frame:"):
        plan.run(frame, np.empty((4, 4, 3), np.uint8))  # type: ignore[arg-type]


def read_only() -> Pixels:
    out = np.zeros((4, 4, 3), np.uint8)
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    "out",
    [
        np.empty((4, 4, 2), np.uint8),
        np.empty((4, 5, 3), np.uint8),
        np.empty(0, np.uint8),
        np.empty((4, 4, 3), np.float32),
        np.empty((4, 4, 3), np.bool_),
        np.empty((4, 4, 6), np.uint8)[..., ::2],
        np.empty((4, 4, 3), np.uint8, order="F"),
        read_only(),
        b"bytes",
        None,
    ],
)
def test_outputs_are_checked(out: object) -> None:
    plan = ImagePlan(8, 6, "BGR", 4, 4, "RGB")
    with pytest.raises(ValueError, match=r"^out:"):
        plan.run(np.zeros((8, 6, 3), np.uint8), out)  # type: ignore[arg-type]


@given(sides, sides, sides, sides, st.sampled_from(["RGB", "BGR", "GREY"]), st.sampled_from(["RGB", "GREY"]))
@settings(max_examples=100, deadline=None)
def test_every_tier_gives_the_same_bytes(
    h: int, w: int, height: int, width: int, frame_order: str, order: str
) -> None:
    frame = random_frame(h + w, h, 3 * w, 1 if frame_order == "GREY" else 3, extremes=h % 2 == 0)
    with pytest.MonkeyPatch.context() as patch:
        results = []
        for isa in available_isas():
            patch.setenv("EDGECORE_ISA", isa)
            for filter in ("triangle", "bilinear"):
                results.append(run(frame, height, width, order, frame_order, filter=filter))
    results = [np.concatenate(results[i : i + 2]) for i in range(0, len(results), 2)]
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_an_unknown_tier_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGECORE_ISA", "sse9")
    with pytest.raises(ValueError, match="sse9"):
        ImagePlan(4, 4, "BGR", 4, 4, "RGB")


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 11), (33, 64), (40, 41), (50, 97)])
@pytest.mark.parametrize("target", [(1, 1), (5, 8), (33, 64), (40, 20), (90, 101)])
@pytest.mark.parametrize(
    "orders", [("RGB", "RGB"), ("BGR", "RGB"), ("BGR", "GREY"), ("GREY", "GREY"), ("GREY", "RGB")]
)
def test_nothing_past_the_arrays_is_touched(
    size: tuple[int, int], target: tuple[int, int], orders: tuple[str, str]
) -> None:
    channels, out_channels = (1 if order == "GREY" else 3 for order in orders)
    frame = before_a_guard_page(size[0] * size[1] * channels).reshape(*size, channels)
    frame[:] = random_frame(size[0], *size, channels)
    out = before_a_guard_page(target[0] * target[1] * out_channels).reshape(*target, out_channels)
    for resize in ("stretch", "letterbox", "crop"):
        ImagePlan(*size, orders[0], *target, orders[1], resize).run(frame, out)
        np.testing.assert_array_equal(out, run(frame.copy(), *target, orders[1], orders[0], resize=resize))
