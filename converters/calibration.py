"""The images that a conversion is calibrated with, as the device would make them of photographs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgecore.converters.data import Source, to_input
from edgecore.preprocess import Preprocessing, image_of


@dataclass(frozen=True)
class Calibration:
    """Images to take the ranges of all tensors from: `source` holds the chosen ones.

    Iterating decodes them one after the other, so that memory does not grow with their number; unusable ones
    are left out, see `Source.frames`.
    """

    source: Source
    spec: Preprocessing

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """Float inputs (height, width, channels), the same at every call.

        One pixel of the first image is made black and its neighbour white, so that the input's range is that
        of all pixels: with scale 1/255 and mean 0 the device's quantisation is then pixel - 128, exactly.
        """
        for number, (frame, _) in enumerate(self.source.frames()):
            image = image_of(frame, self.spec)
            if number == 0:
                image[0, :2] = [[0], [255]]
            yield to_input(image, self.spec)

    def batches(self, size: int = 32) -> Iterator[NDArray[np.float32]]:
        """The same inputs, up to `size` at a time."""
        batch: list[NDArray[np.float32]] = []
        for sample in self:
            batch.append(sample)
            if len(batch) == size:
                yield np.stack(batch)
                batch = []
        if batch:
            yield np.stack(batch)


def choose(source: Source, count: int, seed: int = 0) -> Source:
    """About `count` images of `source`, as many of each class, drawn without replacement by `seed`.

    A class with fewer images than its share gives all that it has; there is at least one of each.
    """
    random = np.random.default_rng(seed)
    share = max(1, count // len(source.classes))
    chosen: list[tuple[str, int]] = []
    for index in range(len(source.classes)):
        members = [item for item in source.items if item[1] == index]
        picked = random.permutation(len(members))[:share]
        chosen += [members[position] for position in sorted(picked)]
    return replace(source, items=tuple(chosen))
