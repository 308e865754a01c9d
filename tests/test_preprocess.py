"""edgecore.preprocess: specifications, byte tables, frames of any layout."""

from __future__ import annotations

import threading
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing, Preprocessor, byte_tables, image_of


def frame_of(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def planes_of(rows: int, columns: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (rows, columns), dtype=np.uint8)


def test_unit_scale_is_a_flip_of_the_top_bit() -> None:
    """With input scale 1/255, in float32 as TFLite stores it, and zero point -128."""
    for scale in (1 / 255, float(np.float32(1 / 255))):
        tables = byte_tables(Preprocessing(8, 8, scale=(1 / 255,)), np.int8, scale, -128)
        assert tables.shape == (3, 256)
        assert (tables == (np.arange(256) ^ 0x80)).all()


def test_the_same_size_tensor_is_the_frame() -> None:
    frame = frame_of(12, 9)
    out = np.empty((1, 12, 9, 3), np.int8)
    Preprocessor(Preprocessing(9, 12, "BGR"), np.int8, 1 / 255, -128)(frame, out)
    np.testing.assert_array_equal(out[0].view(np.uint8), frame ^ 0x80)


@given(
    mean=st.floats(-300, 300),
    real_scale=st.floats(-4, 4).filter(lambda x: abs(x) > 1e-6),
    scale=st.floats(1e-4, 10),
    zero_point=st.integers(0, 255),
    signed=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_tables_round_half_away(
    mean: float, real_scale: float, scale: float, zero_point: int, signed: bool
) -> None:
    dtype = np.int8 if signed else np.uint8
    zero_point -= 128 if signed else 0
    table = byte_tables(
        Preprocessing(1, 1, "GREY", mean=(mean,), scale=(real_scale,)), dtype, scale, zero_point
    )[0]
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    for pixel in range(0, 256, 17):
        steps = Fraction((pixel - mean) * real_scale / scale)
        whole = int(abs(steps) + Fraction(1, 2)) * (1 if steps >= 0 else -1)
        assert table[pixel] == (min(max(whole + zero_point, low), high) & 0xFF)


def test_halves_round_away_from_zero_on_both_sides() -> None:
    table = byte_tables(Preprocessing(1, 1, "GREY", mean=(2.5,), scale=(1.0,)), np.int8, 1.0, 0)[0].view(
        np.int8
    )
    assert table[:6].tolist() == [-3, -2, -1, 1, 2, 3]


def test_channels_have_their_own_mean_and_scale() -> None:
    spec = Preprocessing(4, 4, "RGB", mean=(10, 20, 30), scale=(1, 0.5, 0.25))
    tables = byte_tables(spec, np.uint8, 1.0, 0)
    assert tables[:, 250].tolist() == [240, 115, 55]
    image = image_of(frame_of(7, 9), spec)
    out = np.empty((1, 4, 4, 3), np.uint8)
    Preprocessor(spec, np.uint8, 1.0, 0)(frame_of(7, 9), out)
    np.testing.assert_array_equal(out[0], np.stack([tables[c][image[..., c]] for c in range(3)], 2))


def test_orders_and_layouts_of_a_frame_give_one_picture() -> None:
    frame = frame_of(30, 41)
    spec = Preprocessing(16, 12)
    expected = image_of(np.ascontiguousarray(frame[..., ::-1]), spec, "RGB")
    np.testing.assert_array_equal(image_of(frame, spec), expected)
    np.testing.assert_array_equal(image_of(frame[..., ::-1], spec, "RGB"), expected)
    mirrored = frame[:, ::-1]
    np.testing.assert_array_equal(image_of(mirrored, spec), image_of(np.ascontiguousarray(mirrored), spec))
    grey = frame[..., 0]
    np.testing.assert_array_equal(image_of(grey, spec), image_of(np.repeat(grey[..., None], 3, 2), spec))
    assert image_of(frame, Preprocessing(16, 12, "GREY")).shape == (12, 16, 1)


def test_frames_may_change_size_and_kind() -> None:
    spec = Preprocessing(8, 8)
    preprocessor = Preprocessor(spec, np.int8, 1 / 255, -128)
    out = np.empty((8, 8, 3), np.int8)
    for frame in (frame_of(20, 30), frame_of(8, 8), frame_of(20, 30, 1), frame_of(20, 30)[..., 0]):
        preprocessor(frame, out)
        np.testing.assert_array_equal(out.view(np.uint8), image_of(frame, spec) ^ 0x80)


@pytest.mark.parametrize("order", ["YUV420", "NV12"])
def test_planes_boxes_and_colours(order: str) -> None:
    """Each of a camera's words about a frame changes the tensor, and a tensor of its size is its picture."""
    planes = planes_of(60, 64)
    picture = image_of(planes, Preprocessing(48, 40, "BGR"), order, 48, "bt709")
    spec = Preprocessing(16, 12)
    preprocessor = Preprocessor(spec, np.uint8, 1 / 255, 0)
    out = np.empty((12, 16, 3), np.uint8)
    for box in (None, (3, 5, 21, 30)):
        x, y, width, height = box or (0, 0, 48, 40)
        preprocessor(planes, out, order, 48, "bt709", box)
        np.testing.assert_array_equal(out, image_of(picture[y : y + height, x : x + width], spec))
        np.testing.assert_array_equal(out, image_of(picture, spec, box=box))
        np.testing.assert_array_equal(out, image_of(planes, spec, order, 48, "bt709", box))
    for change in ((64, "bt709", None), (48, "jpeg", None), (48, "bt709", (0, 0, 48, 38))):
        assert (image_of(planes, spec, order, *change) != image_of(picture, spec)).any()


def test_one_preprocessor_serves_threads() -> None:
    spec = Preprocessing(24, 24)
    preprocessor = Preprocessor(spec, np.uint8, 1 / 255, 0)
    frames = [frame_of(90 + i, 120, i) for i in range(4)]
    expected = [image_of(frame, spec) for frame in frames]
    wrong: list[int] = []

    def work(i: int) -> None:
        out = np.empty((24, 24, 3), np.uint8)
        for _ in range(20):
            preprocessor(frames[i], out)
            if not np.array_equal(out, expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_json_round_trip() -> None:
    spec = Preprocessing(32, 24, "BGR", "letterbox", (1, 2, 3), (0.5, 0.25, 0.125))
    assert Preprocessing.from_json(spec.to_json()) == spec
    assert Preprocessing.from_json({**spec.to_json(), "unknown": 1}) == spec
    assert spec.mean == (1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"width": 0}, "width"),
        ({"height": 40000}, "height"),
        ({"width": "32"}, "width"),
        ({"order": "rgb"}, "order"),
        ({"resize": "fit"}, "resize"),
        ({"mean": [0, 0]}, "mean"),
        ({"mean": 3}, "mean"),
        ({"scale": [float("nan")]}, "scale"),
        ({"scale": ["x"]}, "scale"),
    ],
)
def test_specifications_are_checked(change: dict[str, object], word: str) -> None:
    with pytest.raises(UserError, match=word):
        Preprocessing.from_json({"width": 32, "height": 32, **change})


def test_a_size_is_needed() -> None:
    with pytest.raises(UserError, match="height is missing"):
        Preprocessing.from_json({"width": 32})


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point"),
    [
        (np.float32, 1.0, 0),
        (np.int16, 1.0, 0),
        (np.int8, 0.0, 0),
        (np.int8, float("nan"), 0),
        (np.int8, float("inf"), 0),
        (np.int8, 1.0, 128),
        (np.uint8, 1.0, -1),
    ],
)
def test_quantisation_is_checked(dtype: type, scale: float, zero_point: int) -> None:
    with pytest.raises(UserError, match="network's input"):
        Preprocessor(Preprocessing(8, 8), dtype, scale, zero_point)


@pytest.mark.parametrize("shape", [(), (5,), (5, 5, 2), (5, 5, 4), (1, 5, 5, 3), (0, 5, 3), (5, 0)])
def test_frame_shapes_are_checked(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="frame"):
        image_of(np.zeros(shape, np.uint8), Preprocessing(8, 8))


def test_other_arguments_are_checked() -> None:
    preprocessor = Preprocessor(Preprocessing(8, 8), np.int8, 1 / 255, -128)
    out = np.empty((8, 8, 3), np.int8)
    with pytest.raises(ValueError, match="frame"):
        preprocessor(np.zeros((5, 5, 3), np.float32), out)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="frame_order"):
        preprocessor(frame_of(5, 5), out, "GREY")
    with pytest.raises(ValueError, match="frame_order"):
        preprocessor(frame_of(5, 5), out, "YUV")
    with pytest.raises(ValueError, match="frame_order"):
        preprocessor(frame_of(6, 6), out, "NV12")
    with pytest.raises(ValueError, match="frame"):
        preprocessor(planes_of(7, 6), out, "NV12")
    with pytest.raises(ValueError, match="frame_width"):
        preprocessor(planes_of(6, 6), out, "NV12", 5)
    with pytest.raises(ValueError, match="columns"):
        preprocessor(planes_of(6, 6), out, "NV12", 8)
    with pytest.raises(ValueError, match="columns"):
        preprocessor(frame_of(5, 5), out, "BGR", 5)
    with pytest.raises(ValueError, match="colour"):
        preprocessor(planes_of(6, 6), out, "NV12", colour="rec2020")
    with pytest.raises(ValueError, match="box"):
        preprocessor(frame_of(5, 5), out, box=(0, 0, 6, 5))
    with pytest.raises(ValueError, match="out"):
        preprocessor(frame_of(5, 5), out.view(np.uint8))
    with pytest.raises(ValueError, match="out"):
        preprocessor(frame_of(5, 5), np.empty((8, 8, 4), np.int8))
