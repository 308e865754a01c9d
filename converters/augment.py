"""Random variations of training images, a batch at a time, in numpy and OpenCV."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Augmentation:
    """How far images are varied.

    `translate`: pixels, the border reflected; `flip`: left-right, half of the images; `brightness`: the
    largest relative change of all pixels; `rotate`: the largest angle in degrees, the border reflected.
    """

    translate: int = 0
    flip: bool = False
    brightness: float = 0.0
    rotate: float = 0.0

    def pad(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Images with the margin from which `apply` cuts; done once for a whole set."""
        margin = self.translate
        if not margin:
            return images
        return np.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode="reflect")

    def apply(
        self, padded: NDArray[np.uint8], chosen: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.float32]:
        """Variations of `padded[chosen]`: float32 0..255, (len(chosen), height, width, channels)."""
        count, reach = len(chosen), 2 * self.translate + 1
        height, width = padded.shape[1] - reach + 1, padded.shape[2] - reach + 1
        windows = np.lib.stride_tricks.sliding_window_view(
            padded,
            (height, width),
            axis=(1, 2),  # type: ignore[call-overload]
        )
        rows, columns = random.integers(0, reach, count), random.integers(0, reach, count)
        images = windows[chosen, rows, columns].transpose(0, 2, 3, 1)
        if self.flip:
            mirrored = random.random(count) < 0.5
            images = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
        if self.rotate:
            images = self._rotated(images, random)
        if not self.brightness:
            return images.astype(np.float32)
        gain = 1 + random.uniform(-self.brightness, self.brightness, (count, 1, 1, 1))
        return np.minimum(images * gain.astype(np.float32), np.float32(255))

    def _rotated(self, images: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
        import cv2

        height, width = images.shape[1:3]
        turned = np.empty_like(images)
        for position, angle in enumerate(random.uniform(-self.rotate, self.rotate, len(images))):
            turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), float(angle), 1.0)
            image = cv2.warpAffine(
                np.ascontiguousarray(images[position]),
                turn,
                (width, height),
                borderMode=cv2.BORDER_REFLECT_101,
            )
            turned[position] = image.reshape(images.shape[1:])
        return turned
