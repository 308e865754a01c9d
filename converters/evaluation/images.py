"""The one list of images that all runners of an evaluation answer to, image by image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgecore.converters.data import Source


@dataclass(frozen=True)
class ImageList:
    """What a process needs to know of a `Source` to read the same images: see there for the fields."""

    path: Path
    classes: tuple[str, ...]
    items: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, source: Source) -> ImageList:
        """The source's images."""
        return cls(source.path, source.classes, source.items)

    def __len__(self) -> int:
        return len(self.items)

    def frames(self) -> Iterator[NDArray[np.uint8] | None]:
        """The frame of each image in order, (height, width, 3), blue-green-red; None: it does not decode."""
        for frame, _ in Source(self.path, self.classes, self.items).frames():
            yield frame

    def truth(self) -> NDArray[np.int64]:
        """(images,): the true classes' indices."""
        return np.asarray([index for _, index in self.items], np.int64)
