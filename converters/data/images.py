"""Decoded images of a source, kept in memory as far as a budget goes; and all of them in order."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgecore.converters.data.reading import Reader
from edgecore.converters.data.sources import Source
from edgecore.preprocess import Preprocessing, Preprocessor

CACHE = 512 << 20
THREADS = min(4, os.cpu_count() or 1)

Job = TypeVar("Job")


class _Preprocessors(threading.local):
    """One for each thread, so that neither waits for the other; with a quantisation that keeps the pixels."""

    def __init__(self, spec: Preprocessing) -> None:
        self.preprocessor = Preprocessor(replace(spec, mean=(0.0,), scale=(1.0,)), np.uint8, 1.0, 0)


class Images:
    """The images of `source` as the network sees them; the first that fit into `cache` are kept decoded.

    What the images are does not depend on the cache. Threads may share one. It is a context manager, that
    closes the source's files; images can be asked for again afterwards.

    Args:
        cache: bytes of decoded images to keep, as uint8 in the network's size.
    """

    def __init__(self, source: Source, spec: Preprocessing, *, cache: int = CACHE) -> None:
        self.source, self.spec = source, spec
        self.shape = (spec.height, spec.width, spec.channels)
        kept = min(len(source.items), cache // int(np.prod(self.shape)))
        self._pixels = np.empty((kept, *self.shape), np.uint8)  # memory is taken as images come
        self._known = np.zeros(kept, bool)
        self._reader = Reader(source.path)
        self._threads = _Preprocessors(spec)

    def __len__(self) -> int:
        return len(self.source.items)

    @property
    def cached(self) -> int:
        """How many images are kept."""
        return int(self._known.sum())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def image(self, position: int) -> NDArray[np.uint8] | None:
        """The image of `source.items[position]`, (height, width, channels); None where it is left out.

        Raises UserError as `Source.frames` does.
        """
        if position < len(self._known) and self._known[position]:
            return np.asarray(self._pixels[position])
        frame = self.source.frame(self._reader, self.source.items[position])
        if frame is None:
            return None
        image = np.empty(self.shape, np.uint8)
        self._threads.preprocessor(frame, image)
        if position < len(self._known):
            self._pixels[position] = image
            self._known[position] = True
        return image

    def in_order(
        self, batch: int, *, threads: int = THREADS
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        """All images that are not left out, up to `batch` at a time: (n, height, width, channels), (n,).

        The second array has their class indices. Raises UserError as `Source.frames` does.
        """
        firsts = range(0, len(self), batch)
        jobs = (partial(self._some, range(first, min(first + batch, len(self)))) for first in firsts)
        with self, closing(made_ahead(jobs, threads)) as made:
            for images, labels in made:
                if len(labels):
                    yield images, labels

    def _some(self, positions: Sequence[int]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        found = [(image, position) for position in positions if (image := self.image(position)) is not None]
        images = np.empty((len(found), *self.shape), np.uint8)
        labels = np.empty(len(found), np.int64)
        for row, (image, position) in enumerate(found):
            images[row] = image
            labels[row] = self.source.items[position][1]
        return images, labels


def made_ahead(jobs: Iterable[Callable[[], Job]], threads: int) -> Generator[Job, None, None]:
    """The jobs' results in order, made by `threads` threads, each at most two jobs ahead of their use.

    An error of a job is raised in its place; when the consumer stops, so do the threads.
    """
    waiting: deque[Future[Job]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for job in jobs:
                waiting.append(pool.submit(job))
                if len(waiting) > 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for unwanted in waiting:
                unwanted.cancel()


def in_order(
    source: Source, spec: Preprocessing, batch: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """All images as the network's input, up to `batch` at a time, and their class indices.

    The input is float32 (n, height, width, channels), the indices (n,). Images that are left out are in
    neither. To pass over them more than once without decoding anew use `Images.in_order` and `to_input`.

    Raises UserError as `Source.frames` does.
    """
    for images, labels in Images(source, spec, cache=0).in_order(batch):
        yield to_input(images, spec), labels


def load(source: Source, spec: Preprocessing) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """All images that decode, uint8 (n, height, width, channels), and their class indices (n,).

    Raises UserError as `Source.frames` does.
    """
    shape = (len(source.items), spec.height, spec.width, spec.channels)
    images, labels, count = np.empty(shape, np.uint8), np.empty(len(source.items), np.int64), 0
    for some, indices in Images(source, spec, cache=0).in_order(32):
        images[count : count + len(some)] = some
        labels[count : count + len(some)] = indices
        count += len(some)
    return images[:count], labels[:count]


def to_input(images: NDArray[np.uint8], spec: Preprocessing) -> NDArray[np.float32]:
    """The network's float input (pixel - mean) * scale for uint8 images (..., width, channels)."""
    return normalised(images.astype(np.float32), spec)


def normalised(pixels: NDArray[np.float32], spec: Preprocessing) -> NDArray[np.float32]:
    """(pixel - mean) * scale of float32 (..., width, channels); `pixels` itself may be overwritten."""
    rows = pixels.reshape(-1, pixels.shape[-2] * pixels.shape[-1])  # numpy is slow over an axis of 3
    rows -= np.tile(np.asarray(spec.mean, np.float32), pixels.shape[-2])
    rows *= np.tile(np.asarray(spec.scale, np.float32), pixels.shape[-2])
    return rows.reshape(pixels.shape)
