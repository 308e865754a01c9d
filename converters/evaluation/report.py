"""How right a model is: what follows from the counts of (true class, predicted class)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgecore.converters import wilson
from edgecore.errors import UserError

Shares = NDArray[np.float64]  # one per class, NaN where nothing was counted
Interval = tuple[float, float]


@dataclass(frozen=True)
class Report:
    """Counts of (true class, predicted class), int64 (classes, classes), and what follows from them.

    Intervals are Wilson's at 95 %, see `wilson.interval`.
    """

    classes: tuple[str, ...]
    confusion: NDArray[np.int64]

    @property
    def images(self) -> int:
        """How many images were judged."""
        return int(self.confusion.sum())

    @property
    def hits(self) -> NDArray[np.int64]:
        """Per class: its images that were recognised, TP."""
        return np.diag(self.confusion)

    @property
    def occurring(self) -> NDArray[np.int64]:
        """Per class: its images, TP + FN."""
        return np.asarray(self.confusion.sum(axis=1))

    @property
    def answered(self) -> NDArray[np.int64]:
        """Per class: the images that were taken for it, TP + FP."""
        return np.asarray(self.confusion.sum(axis=0))

    @property
    def union(self) -> NDArray[np.int64]:
        """Per class: TP + FP + FN."""
        return np.asarray(self.occurring + self.answered - self.hits)

    @property
    def accuracy(self) -> float:
        """The share of images whose best class is the true one; 0 without images."""
        return float(self.hits.sum() / max(1, self.images))

    @property
    def accuracy_interval(self) -> Interval:
        """The interval of `accuracy`."""
        return wilson.interval(int(self.hits.sum()), self.images)

    @property
    def precision(self) -> Shares:
        """Per class: the share of the images taken for it that are its own; NaN where there are none."""
        return _shares(self.hits, self.answered)

    @property
    def recall(self) -> Shares:
        """Per class: the share of its images that were recognised; NaN for a class without images."""
        return _shares(self.hits, self.occurring)

    @property
    def iou(self) -> Shares:
        """Per class: TP / (TP + FP + FN); NaN for a class that neither occurs nor is predicted."""
        return _shares(self.hits, self.union)

    @property
    def miou(self) -> float:
        """The mean of `iou` over the classes that have one; NaN without images.

        Source: equation 3 of the Res-SqueezeNet paper.
        """
        known = self.iou[~np.isnan(self.iou)]
        return float(known.mean()) if known.size else float("nan")

    @property
    def absent(self) -> tuple[str, ...]:
        """The classes of which there was no image."""
        return tuple(name for name, count in zip(self.classes, self.occurring, strict=True) if count == 0)

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON values; null for what has no value. `from_json` takes it back."""
        return {
            "images": self.images,
            "accuracy": self.accuracy,
            "accuracy_interval": _numbers(self.accuracy_interval),
            "miou": None if np.isnan(self.miou) else self.miou,
            "classes": list(self.classes),
            "precision": _numbers(self.precision),
            "precision_interval": [_numbers(pair) for pair in intervals(self.hits, self.answered)],
            "recall": _numbers(self.recall),
            "recall_interval": [_numbers(pair) for pair in intervals(self.hits, self.occurring)],
            "iou": _numbers(self.iou),
            "iou_interval": [_numbers(pair) for pair in intervals(self.hits, self.union)],
            "confusion": self.confusion.tolist(),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Report:
        """The inverse of `to_json`."""
        return cls(tuple(values["classes"]), np.asarray(values["confusion"], np.int64))


def _shares(hits: NDArray[np.int64], of: NDArray[np.int64]) -> Shares:
    return np.asarray(hits / np.where(of > 0, of, np.nan))


def _numbers(values: Sequence[float] | Shares) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]


def intervals(hits: NDArray[np.int64], of: NDArray[np.int64]) -> list[Interval]:
    """Per class the interval of `hits / of`; (nan, nan) where nothing was counted."""
    return [wilson.interval(int(hit), int(count)) for hit, count in zip(hits, of, strict=True)]


def report_of(classes: tuple[str, ...], truth: NDArray[Any], predicted: NDArray[Any]) -> Report:
    """A report from true and predicted class indices, two arrays of the same length."""
    confusion = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(confusion, (truth, predicted), 1)
    return Report(classes, confusion)


def match_classes(model: tuple[str, ...], data: tuple[str, ...]) -> list[int]:
    """For each class of the model its index in the data; UserError if the two sets of names differ."""
    if len(model) != len(data):
        raise UserError(
            f"the model has {len(model)} classes, the data {len(data)} class folders; give its own data"
        )
    if set(model) != set(data):
        lacking = sorted(set(model) - set(data))
        if lacking:
            raise UserError(
                f"the data lacks the model's class '{lacking[0]}'; its folders must bear the labels' names"
            )
        unknown = sorted(set(data) - set(model))
        raise UserError(
            f"the model has a label twice and none for the data's class '{unknown[0]}'; mend its labels"
        )
    return [data.index(name) for name in model]
