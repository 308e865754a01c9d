"""Random variations of training images, a batch at a time, in numpy and OpenCV."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgecore.errors import UserError


@dataclass(frozen=True)
class Augmentation:
    """How far images are varied; 0 and False leave them as they are.

    Attributes:
        translate: pixels, at most, along either axis; whole ones.
        flip: left-right, of half of the images.
        brightness: the largest relative change of all pixels, which stay within 0..255.
        rotate: the largest angle in degrees, about the centre.
        mixup: alpha of mixup's Beta(alpha, alpha) distribution (Zhang et al. 2017, arXiv:1710.09412).

    At the border translation and rotation show the image's reflection; its outermost pixels are not repeated.

    Raises:
        UserError: a value out of range.
    """

    translate: int = 0
    flip: bool = False
    brightness: float = 0.0
    rotate: float = 0.0
    mixup: float = 0.0

    def __post_init__(self) -> None:
        for name, most in (("translate", 1 << 15), ("brightness", 1), ("rotate", 180), ("mixup", 100)):
            if not 0 <= getattr(self, name) <= most:
                raise UserError(f"augment: {name} is {getattr(self, name)}; give 0 to {most}")

    def apply(self, images: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.float32]:
        """Variations of uint8 (n, height, width, channels): float32 0..255 of the same shape."""
        count = len(images)
        if self.translate or self.flip or self.rotate:
            reach = self.translate
            shifts = random.integers(-reach, reach + 1, (count, 2)).astype(np.float64)
            mirrored = (random.random(count) < 0.5) & self.flip
            images = _moved(images, shifts, mirrored, random.uniform(-self.rotate, self.rotate, count))
        varied = images.astype(np.float32)
        if self.brightness:
            gains = 1 + random.uniform(-self.brightness, self.brightness, (count, 1, 1, 1))
            varied *= gains.astype(np.float32)
            np.minimum(varied, np.float32(255), out=varied)
        return varied

    def mix(
        self, images: NDArray[np.float32], labels: NDArray[np.float32], random: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """mixup: each image becomes a mean of itself and another of the batch, and so do their labels.

        Args:
            images: (n, height, width, channels).
            labels: one-hot, (n, classes).

        Returns:
            share * own + (1 - share) * other's for both, the share drawn for each image.
        """
        if not self.mixup:
            return images, labels
        count = len(images)
        shares = random.beta(self.mixup, self.mixup, count).astype(np.float32)
        partners = random.permutation(count)
        own = shares[:, None, None, None]
        mixed = own * images + (1 - own) * images[partners]
        return mixed, shares[:, None] * labels + (1 - shares[:, None]) * labels[partners]


def _moved(
    images: NDArray[np.uint8],
    shifts: NDArray[np.float64],
    mirrored: NDArray[np.bool_],
    angles: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Each image turned, mirrored and shifted in one pass; without an angle no pixel is interpolated."""
    import cv2

    height, width, channels = images.shape[1:]
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    radians = np.deg2rad(angles)
    cosines, sines = np.cos(radians), np.sin(radians)
    # (x, y) of the result -> (x, y) of the image, relative to the centre, which is what warpAffine evaluates.
    turns = np.array([[cosines, -sines], [sines, cosines]]).transpose(2, 0, 1)
    turns[:, :, 0] *= np.where(mirrored, -1.0, 1.0)[:, None]
    offsets = centre - turns @ centre + shifts
    maps = np.concatenate([turns, offsets[:, :, None]], axis=2)
    moved = np.empty_like(images)
    for image, target, mapping in zip(images, moved, maps, strict=True):
        if channels == 1:
            image, target = image[..., 0], target[..., 0]
        cv2.warpAffine(
            image,
            mapping,
            (width, height),
            dst=target,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
    return moved
