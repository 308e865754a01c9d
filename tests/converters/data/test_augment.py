"""Augmentation varies what it says and nothing else, and follows its random generator."""

from __future__ import annotations

import numpy as np
import pytest

from edgecore.converters.data.augment import Augmentation

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


@pytest.mark.parametrize("seed", [0, 5])
def test_the_generator_decides_everything(seed: int) -> None:
    augment = Augmentation(translate=3, flip=True, brightness=0.3, rotate=10)
    np.testing.assert_array_equal(varied(augment, seed), varied(augment, seed))
