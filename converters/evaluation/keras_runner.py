"""A .keras model over labelled images, through the device's preprocessing. Never beside a TFLite runtime."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from edgecore.artefact import Artefact
from edgecore.converters.data import to_input
from edgecore.converters.evaluation.images import ImageList
from edgecore.converters.evaluation.jobs import Answers, KerasJob, Tell
from edgecore.converters.evaluation.report import match_classes
from edgecore.converters.keras_model import open_model
from edgecore.errors import UserError
from edgecore.model import read_labels
from edgecore.preprocess import Preprocessing, image_of

BATCH = 64


def run(job: KerasJob, tell: Tell) -> Answers:
    """Answers image by image, in batches; UserError where the file, its classes or the images do not fit."""
    model, facts, spec = open_model(job.model)
    to_data = np.asarray(match_classes(_classes(job, facts, model.output_shape[-1]), job.images.classes))
    predicted = np.full(len(job.images), -1, np.int64)
    for positions, pixels in _batches(job.images, spec):
        scores = np.asarray(model.predict_on_batch(to_input(pixels, spec)))
        predicted[positions] = to_data[scores.argmax(axis=1)]
        tell(positions[-1] + 1)
    notes = () if job.flatbuffer is None else _write_float(model, job.flatbuffer)
    runtime = f"keras {keras.__version__}"
    return Answers(predicted, np.empty(0, np.uint64), int(model.count_params()), runtime, notes)


def _classes(job: KerasJob, facts: Artefact | None, outputs: int) -> tuple[str, ...]:
    if job.labels is None and facts is None:
        raise UserError(
            f"{job.model} has no {job.model.with_suffix('.json').name} beside it, which says its classes; "
            "give --labels, or train it here"
        )
    classes = tuple(read_labels(job.labels)) if job.labels is not None else facts.classes if facts else ()
    if len(classes) != outputs:
        raise UserError(f"{len(classes)} labels do not fit {job.model}, which has {outputs} outputs")
    return classes


def _batches(images: ImageList, spec: Preprocessing) -> Iterator[tuple[list[int], NDArray[np.uint8]]]:
    """(positions in the list, the pictures that the network sees) of the images that decode."""
    held = np.empty((BATCH, spec.height, spec.width, spec.channels), np.uint8)
    positions: list[int] = []
    for position, frame in enumerate(images.frames()):
        if frame is None:
            continue
        held[len(positions)] = image_of(frame, spec)
        positions.append(position)
        if len(positions) == BATCH:
            yield positions, held
            positions = []
    if positions:
        yield positions, held[: len(positions)]


def _write_float(model: keras.Model, path: Path) -> tuple[str, ...]:
    from edgecore.converters.quantise import to_float

    try:
        path.write_bytes(to_float(model))
    except UserError as error:
        return (f"no float .tflite, so no latency and size of it: {error}",)
    return ()
