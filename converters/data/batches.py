"""Batches for training, streamed from disk in an order and with variations that the seed decides."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from edgecore.converters.data.augment import Augmentation
from edgecore.converters.data.images import CACHE, THREADS, Images, made_ahead, normalised
from edgecore.converters.data.sources import Source
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]


class Batches:
    """Whole batches of varied images with their one-hot labels.

    What an epoch consists of depends on `seed` and its number alone, not on threads, the cache or other
    epochs: each epoch has a random order of its own, and each of its batches a random generator of its own.
    Memory is bounded by the cache and a few batches, whatever the set's size.

    An image that is left out is replaced by the next one of the source that decodes, mostly of the same
    class, so that all batches are whole and every epoch has the same number of steps.

    Args:
        batch: images a step.
        cache: bytes of decoded images to keep between epochs; see `Images`.
        threads: how many decode and vary.

    Raises:
        UserError: there are fewer images than one batch has.
    """

    def __init__(
        self,
        source: Source,
        spec: Preprocessing,
        augment: Augmentation,
        *,
        batch: int,
        seed: int,
        cache: int = CACHE,
        threads: int = THREADS,
    ) -> None:
        if len(source.items) < batch:
            raise UserError(
                f"{len(source.items)} training images do not fill a batch of {batch}; give a smaller --batch"
            )
        self.images = Images(source, spec, cache=cache)
        self.augment, self.batch, self.seed, self.threads = augment, batch, seed, threads
        self._one_hot = np.eye(len(source.classes), dtype=np.float32)

    def __len__(self) -> int:
        """Steps an epoch; what does not fill a batch is not seen in that epoch."""
        return len(self.images) // self.batch

    def epoch(self, n: int) -> Generator[Batch, None, None]:
        """Epoch `n`, from 0: float32 (batch, height, width, channels) and float32 (batch, classes).

        Raises UserError as `Source.frames` does, when it comes to such an image.
        """
        order = self._random(n).permutation(len(self.images))
        jobs = (
            partial(self._made, order[step * self.batch : (step + 1) * self.batch], self._random(n, step))
            for step in range(len(self))
        )
        with self.images:
            yield from made_ahead(jobs, self.threads)

    def _random(self, *key: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))

    def _made(self, positions: NDArray[np.int64], random: np.random.Generator) -> Batch:
        images = np.empty((len(positions), *self.images.shape), np.uint8)
        labels = np.empty(len(positions), np.int64)
        for row, position in enumerate(positions):
            images[row], labels[row] = self._labelled(int(position))
        inputs = normalised(self.augment.apply(images, random), self.images.spec)
        return self.augment.mix(inputs, self._one_hot[labels], random)

    def _labelled(self, position: int) -> tuple[NDArray[np.uint8], int]:
        """The image at `position` or, where that is left out, the next one, and its class."""
        source = self.images.source
        for further in range(len(self.images)):
            found = (position + further) % len(self.images)
            image = self.images.image(found)
            if image is not None:
                return image, source.items[found][1]
        raise UserError(f"{source.path}: none of the {len(source.items)} training images can be used")
