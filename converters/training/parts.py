"""Which images a run learns from, which judge its epochs, and which judge its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgecore.converters.data import Source
from edgecore.converters.data.listing import listing
from edgecore.errors import UserError


@dataclass(frozen=True)
class Parts:
    """The parts of a data set. Without a validation part of its own, `validation` is the test part."""

    training: Source
    validation: Source
    test: Source

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, the same in every part."""
        return self.training.classes

    def to_json(self) -> dict[str, Any]:
        """The content of split.json; equal contents mean the same images in the same parts."""
        return listing(self.classes, {name: (source.path, source.items) for name, source in self.named()})

    def counts(self) -> dict[str, int]:
        """How many images each part has."""
        return {name: len(source.items) for name, source in self.named()}

    def named(self) -> list[tuple[str, Source]]:
        """(name, part); the test part stands once where it validates too."""
        validation = [] if self.validation is self.test else [("validation", self.validation)]
        return [("training", self.training), *validation, ("test", self.test)]


def parts_of(training: Source, test: Source, validation: float) -> Parts:
    """The parts, with `validation` as the share of the training images that is held out for judging epochs.

    Raises UserError if a class is left without images in one of them.
    """
    held = test
    if validation:
        training, held = training.split(validation)
    parts = Parts(training, held, test)
    for part, source in parts.named():
        found = {index for _, index in source.items}
        missing = [name for index, name in enumerate(source.classes) if index not in found]
        if missing:
            raise UserError(f"no image of class '{missing[0]}' in the {part} part; add some of it")
    return parts


def class_weights(source: Source, kind: str) -> NDArray[np.float32]:
    """What an image of each class counts, (classes,): 1, or for "balanced" n / (classes * n of its class)."""
    count = len(source.classes)
    if kind == "none":
        return np.ones(count, np.float32)
    images = np.bincount([index for _, index in source.items], minlength=count)
    return np.asarray(len(source.items) / (count * images), np.float32)
