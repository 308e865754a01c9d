"""The one list of images that all runners of an evaluation answer to, image by image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgecore.converters.data import LeftOut, Source
from edgecore.converters.data.reading import Reader


@dataclass(frozen=True)
class ImageList:
    """What a process needs to know of a `Source` to read the same images: see there for the fields.

    `limit` is how many of them may be unusable, see `LeftOut`.
    """

    path: Path
    classes: tuple[str, ...]
    items: tuple[tuple[str, int], ...]
    limit: int = 0

    @classmethod
    def of(cls, source: Source) -> ImageList:
        """The source's images."""
        return cls(source.path, source.classes, source.items, source.left_out.limit)

    def __len__(self) -> int:
        return len(self.items)

    def frames(self) -> Iterator[NDArray[np.uint8] | None]:
        """The frame of each image in order, (height, width, 3), blue-green-red; None: it cannot be used.

        Raises UserError where too many cannot be used; see `LeftOut`.
        """
        numbers = Counter(self.classes[index] for _, index in self.items)
        source = Source(self.path, self.classes, self.items, LeftOut(self.path, numbers, self.limit))
        with Reader(self.path) as reader:
            for item in self.items:
                yield source.frame(reader, item)

    def truth(self) -> NDArray[np.int64]:
        """(images,): the true classes' indices."""
        return np.asarray([index for _, index in self.items], np.int64)
