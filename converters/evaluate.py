"""How right a model is: accuracy, figures per class, the confusion matrix and the mIoU that it gives."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgecore.converters.data import Source, load, to_input
from edgecore.errors import UserError


@dataclass(frozen=True)
class Report:
    """Counts of (true class, predicted class) and what follows from them."""

    classes: tuple[str, ...]
    confusion: NDArray[np.int64]

    @property
    def images(self) -> int:
        """How many images were judged."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """The share of images whose best class is the true one."""
        return float(np.trace(self.confusion) / max(1, self.images))

    @property
    def recall(self) -> NDArray[np.float64]:
        """Per class: the share of its images that were recognised; NaN for a class without images."""
        return np.asarray(np.diag(self.confusion) / _or_nan(self.confusion.sum(axis=1)))

    @property
    def iou(self) -> NDArray[np.float64]:
        """Per class: TP / (TP + FP + FN); NaN for a class that neither occurs nor is predicted."""
        hits = np.diag(self.confusion)
        union = self.confusion.sum(axis=0) + self.confusion.sum(axis=1) - hits
        return np.asarray(hits / _or_nan(union))

    @property
    def miou(self) -> float:
        """The mean of `iou` over the classes that have one."""
        return float(np.nanmean(self.iou))

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON values; `from_json` takes it back."""
        return {
            "images": self.images,
            "accuracy": self.accuracy,
            "miou": self.miou,
            "classes": list(self.classes),
            "recall": [None if np.isnan(value) else float(value) for value in self.recall],
            "iou": [None if np.isnan(value) else float(value) for value in self.iou],
            "confusion": self.confusion.tolist(),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Report:
        """The inverse of `to_json`."""
        return cls(tuple(values["classes"]), np.asarray(values["confusion"], np.int64))


def _or_nan(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(counts > 0, counts, np.nan)


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
        missing = sorted(set(model) - set(data))
        raise UserError(
            f"the data lacks the model's class '{missing[0]}'; its folders must bear the labels' names"
        )
    return [data.index(name) for name in model]


def evaluate_tflite(
    path: str | Path | None,
    source: Source,
    *,
    threads: int | None = None,
    labels: str | Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Runs a .tflite, None for the bundled one, over all images of `source` as the device does.

    Must not be called in a process that has TensorFlow loaded.
    """
    import edgecore

    model = edgecore.load(path, threads=threads, labels=labels)
    to_data = match_classes(tuple(model.labels), source.classes)
    truth: list[int] = []
    predicted: list[int] = []
    for frame, index in source.frames():
        truth.append(index)
        predicted.append(to_data[model.classify(frame, 1)[0].index])
        if progress and len(truth) % 500 == 0:
            progress(len(truth))
    return report_of(source.classes, np.asarray(truth, np.int64), np.asarray(predicted, np.int64))


def evaluate_in_own_process(path: Path, data: Path) -> Report:
    """`evaluate_tflite` on the test part of `data`, for callers that have TensorFlow loaded."""
    command = [sys.executable, "-m", "edgecore.cli", "eval", str(path), "--data", str(data)]
    command += ["--held-out", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise UserError(f"evaluating {path} failed: {lines[-1].removeprefix('edgecore: ')}")
    return Report.from_json(json.loads(done.stdout))


def evaluate_keras(path: str | Path, source: Source) -> Report:
    """Runs a .keras model with the preprocessing and classes of its model.json (needs TensorFlow)."""
    from edgecore.converters.keras_model import open_model

    model, facts, spec = open_model(path)
    if facts is None:
        raise UserError(
            f"{path} has no model.json beside it, which says its input and classes; train it here"
        )
    to_data = np.asarray(match_classes(facts.classes, source.classes))
    images, truth = load(source, spec)
    scores = model.predict(to_input(images, spec), batch_size=100, verbose=0)
    return report_of(source.classes, truth, to_data[scores.argmax(axis=1)])


def as_text(report: Report) -> str:
    """A table for people: each class with recall and IoU, then the totals."""
    width = max(len(name) for name in report.classes)
    lines = [f"{'class':<{width}}  images  recall     IoU"]
    for index, name in enumerate(report.classes):
        count = int(report.confusion[index].sum())
        lines.append(f"{name:<{width}}  {count:6d}  {report.recall[index]:6.4f}  {report.iou[index]:6.4f}")
    lines.append(f"accuracy {report.accuracy:.4f}, mIoU {report.miou:.4f}, {report.images} images")
    return "\n".join(lines)


def confusion_text(report: Report) -> str:
    """The confusion matrix: a row per true class, a column per predicted one, in the same order."""
    width = max(len(name) for name in report.classes)
    cell = max(5, len(str(report.confusion.max())) + 1)
    rows = [
        f"{name:<{width}}" + "".join(f"{count:{cell}d}" for count in report.confusion[index])
        for index, name in enumerate(report.classes)
    ]
    return "\n".join(rows)
