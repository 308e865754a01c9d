"""How right one model is, for callers that need no more than its report; `evaluation` compares its forms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgecore.converters.data import Source, judged_source
from edgecore.converters.evaluation import jobs
from edgecore.converters.evaluation.images import ImageList
from edgecore.converters.evaluation.jobs import Answers, KerasJob, TfliteJob
from edgecore.converters.evaluation.report import Report, match_classes, report_of

__all__ = [
    "Report",
    "evaluate_in_own_process",
    "evaluate_keras",
    "evaluate_tflite",
    "match_classes",
    "report_of",
]


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
    from edgecore.converters.evaluation import tflite_runner

    images = ImageList.of(source)
    job = TfliteJob(_path(path), images, labels=_path(labels), threads=threads)
    return tflite_runner.run(job, progress or _nothing).report(images)


def evaluate_in_own_process(path: Path, data: Path) -> Report:
    """`evaluate_tflite` on the test part of `data`, for callers that have TensorFlow loaded."""
    images = ImageList.of(judged_source(data, held_out=True))
    answers: Answers = jobs.run(TfliteJob(path, images))
    return answers.report(images)


def evaluate_keras(path: str | Path, source: Source) -> Report:
    """Runs a .keras model with the preprocessing and classes of its model.json (needs TensorFlow)."""
    from edgecore.converters.evaluation import keras_runner

    images = ImageList.of(source)
    return keras_runner.run(KerasJob(Path(path), images), _nothing).report(images)


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)


def _nothing(images: int) -> None:
    pass
