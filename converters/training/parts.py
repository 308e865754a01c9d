"""Which images a run learns from, which judge its epochs, and which judge its result."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgecore.converters.data import Source
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

    def facts(self) -> dict[str, Any]:
        """What config.json says of the data; equal facts mean the same names in the same parts."""
        named = {"training": self.training, "validation": self.validation, "test": self.test}
        return {
            "path": str(self.training.path.resolve()),
            "classes": list(self.classes),
            "images": {name: len(source.items) for name, source in named.items()},
            "names": {name: _digest(source) for name, source in named.items()},
        }


def parts_of(training: Source, test: Source, validation: float) -> Parts:
    """The parts, with `validation` as the share of the training images that is held out for judging epochs.

    Raises UserError if a class is left without images in one of them.
    """
    held = test
    if validation:
        training, held = training.split(validation)
    for part, source in (("training", training), ("validation", held), ("test", test)):
        found = {index for _, index in source.items}
        missing = [name for index, name in enumerate(source.classes) if index not in found]
        if missing:
            raise UserError(f"no image of class '{missing[0]}' in the {part} part; add some of it")
    return Parts(training, held, test)


def class_weights(source: Source, kind: str) -> NDArray[np.float32]:
    """What an image of each class counts, (classes,): 1, or for "balanced" n / (classes * n of its class)."""
    count = len(source.classes)
    if kind == "none":
        return np.ones(count, np.float32)
    images = np.bincount([index for _, index in source.items], minlength=count)
    return np.asarray(len(source.items) / (count * images), np.float32)


def _digest(source: Source) -> str:
    return hashlib.sha256("\n".join(name for name, _ in source.items).encode()).hexdigest()[:16]
