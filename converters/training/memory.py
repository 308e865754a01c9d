"""Training batches from images that are all in memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edgecore.converters.augment import Augmentation
from edgecore.converters.data import Source, load
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]


class Batches:
    """The whole batches of each epoch; they depend on seed and epoch alone, so that runs resume alike."""

    def __init__(
        self, source: Source, spec: Preprocessing, augment: Augmentation, *, batch: int, seed: int
    ) -> None:
        if len(source.items) < batch:
            raise UserError(
                f"{len(source.items)} training images do not fill one batch of {batch}; lower --batch"
            )
        self.spec, self.augment, self.batch, self.seed = spec, augment, batch, seed
        self.classes = len(source.classes)
        self.count = len(source.items)
        self.source = source
        self.padded: NDArray[np.uint8] | None = None
        self.labels = np.array([index for _, index in source.items])

    def __len__(self) -> int:
        return self.count // self.batch

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of epoch `number`."""
        if self.padded is None:
            images, self.labels = load(self.source, self.spec)
            self.padded = self.augment.pad(images)
        random = np.random.default_rng(1000 * self.seed + number)
        order = random.permutation(self.count)
        one_hot = np.eye(self.classes, dtype=np.float32)
        mean, scale = np.asarray(self.spec.mean, np.float32), np.asarray(self.spec.scale, np.float32)
        for first in range(0, self.count - self.batch + 1, self.batch):
            chosen = order[first : first + self.batch]
            images = self.augment.apply(self.padded, chosen, random)
            yield (images - mean) * scale, one_hot[self.labels[chosen]]


def folds(source: Source, k: int) -> list[tuple[Source, Source]]:
    """(training, held out) of each fold; every class is cut into k runs of neighbours."""
    held: list[list[tuple[str, int]]] = [[] for _ in range(k)]
    for index in range(len(source.classes)):
        members = [item for item in source.items if item[1] == index]
        for fold in range(k):
            held[fold] += members[len(members) * fold // k : len(members) * (fold + 1) // k]
    result = []
    for items in held:
        chosen = set(items)
        rest = tuple(item for item in source.items if item not in chosen)
        result.append(
            (Source(source.path, source.classes, rest), Source(source.path, source.classes, tuple(items)))
        )
    return result
