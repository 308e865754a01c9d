"""Augmentation varies what it says and nothing else, and follows its random generator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgecore.converters.data.augment import Augmentation
from edgecore.errors import UserError

IMAGES = np.random.default_rng(3).integers(0, 256, (5, 12, 10, 3)).astype(np.uint8)


def varied(augment: Augmentation, seed: int = 0) -> np.ndarray:
    return augment.apply(IMAGES, np.random.default_rng(seed))


def test_without_options_images_pass_untouched() -> None:
    np.testing.assert_array_equal(varied(Augmentation()), IMAGES)


def test_each_image_is_itself_or_its_mirror() -> None:
    out = varied(Augmentation(flip=True), seed=1)
    mirrored = [np.array_equal(out[i], IMAGES[i, :, ::-1]) for i in range(5)]
    straight = [np.array_equal(out[i], IMAGES[i]) for i in range(5)]
    assert all(a != b for a, b in zip(mirrored, straight, strict=True))
    assert any(mirrored)
    assert any(straight)


def test_translation_cuts_a_window_of_the_reflected_image() -> None:
    augment = Augmentation(translate=2)
    padded = np.pad(IMAGES, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    for number, image in enumerate(varied(augment)):
        assert any(
            np.array_equal(image, padded[number, y : y + 12, x : x + 10]) for y in range(5) for x in range(5)
        )


def test_brightness_stays_within_its_bounds() -> None:
    out = varied(Augmentation(brightness=0.2))
    assert out.dtype == np.float32
    assert out.max() <= 255
    below = IMAGES < 200
    gain = out[below & (IMAGES > 0)] / IMAGES[below & (IMAGES > 0)]
    assert 0.8 <= gain.min() < gain.max() <= 1.2


def test_rotation_keeps_shape_and_range_for_colour_and_grey() -> None:
    augment = Augmentation(rotate=15)
    assert varied(augment).shape == IMAGES.shape
    grey = IMAGES[..., :1]
    out = augment.apply(grey, np.random.default_rng(0))
    assert out.shape == grey.shape
    assert not np.array_equal(out, grey)
    np.testing.assert_array_equal(out, varied(augment)[..., :1])


def test_rotation_turns_about_the_centre_by_at_most_the_angle() -> None:
    y, x = np.mgrid[-20:21, -20:21]
    bar = np.where((np.abs(x) < 3) & (y < 0), 250, 0).astype(np.uint8)[..., None]
    images = np.repeat(bar[None], 200, axis=0)
    out = Augmentation(rotate=30).apply(images, np.random.default_rng(2))[..., 0]
    within = np.hypot(x, y) < 15  # beyond, the reflection comes in
    weights = out * within
    angles = np.degrees(np.arctan2((weights * x).sum(axis=(1, 2)), -(weights * y).sum(axis=(1, 2))))
    assert -31 < angles.min() < -25
    assert 25 < angles.max() < 31
    assert abs(angles.mean()) < 4


def test_a_mirrored_image_may_be_shifted_and_turned_too() -> None:
    ramp = np.broadcast_to(np.arange(0, 200, 4, np.uint8), (40, 50))[None, ..., None]
    images = np.repeat(ramp, 100, axis=0)
    out = Augmentation(translate=2, flip=True, rotate=3).apply(images, np.random.default_rng(2))[..., 0]
    slopes = (out[:, 10:-10, 35] - out[:, 10:-10, 15]).mean(axis=1) / 20
    assert np.all(np.abs(np.abs(slopes) - 4) < 0.1)
    assert 30 < (slopes < 0).sum() < 70


@pytest.mark.parametrize("seed", [0, 5])
def test_the_generator_decides_everything(seed: int) -> None:
    augment = Augmentation(translate=3, flip=True, brightness=0.3, rotate=10)
    np.testing.assert_array_equal(varied(augment, seed), varied(augment, seed))


@given(
    count=st.integers(1, 4),
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    channels=st.sampled_from([1, 3]),
    augment=st.builds(
        Augmentation,
        translate=st.integers(0, 30),
        flip=st.booleans(),
        brightness=st.floats(0, 1),
        rotate=st.floats(0, 180),
        mixup=st.floats(0, 2),
    ),
)
def test_shapes_of_any_kind_stay_and_so_does_the_range(
    count: int, height: int, width: int, channels: int, augment: Augmentation
) -> None:
    random = np.random.default_rng(1)
    images = random.integers(50, 200, (count, height, width, channels)).astype(np.uint8)
    before = images.copy()
    out = augment.apply(images, random)
    mixed, shares = augment.mix(out, np.eye(count, dtype=np.float32), random)
    assert out.shape == mixed.shape == images.shape
    assert (out.dtype, mixed.dtype, shares.dtype) == (np.float32,) * 3
    assert mixed.min() >= 50 * (1 - augment.brightness) - 1e-2
    assert mixed.max() <= min(255, 199 * (1 + augment.brightness)) + 1e-2
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(images, before)


def test_mixup_mixes_images_and_labels_by_the_same_shares() -> None:
    count = 2000
    labels = np.eye(count, dtype=np.float32)
    images = np.arange(count, dtype=np.float32)[:, None, None, None] * np.ones((1, 2, 2, 3), np.float32)
    mixed, shares = Augmentation(mixup=0.4).mix(images, labels, np.random.default_rng(5))
    np.testing.assert_allclose(mixed[:, 1, 1, 2], shares @ np.arange(count), rtol=1e-4)
    own = np.diag(shares)
    assert own.mean() == pytest.approx(0.5, abs=0.03)
    assert own.var() == pytest.approx(1 / (4 * (2 * 0.4 + 1)), rel=0.1)  # of Beta(0.4, 0.4)
    assert np.all(np.count_nonzero(shares, axis=1) <= 2)


@pytest.mark.parametrize(
    "wrong",
    [{"translate": -1}, {"brightness": 1.5}, {"rotate": 200.0}, {"mixup": -0.1}, {"mixup": float("nan")}],
)
def test_values_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(UserError, match=f"augment: {name} is"):
        Augmentation(**wrong)
