"""A converted model on held-out images, beside the float model and the reference kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgecore import artefact
from edgecore.converters.data import Images, Source, to_input
from edgecore.converters.evaluate import match_classes
from edgecore.converters.verification.device import Device
from edgecore.converters.verification.result import (
    ClassChange,
    EngineCheck,
    Flip,
    LayerError,
    ScoreError,
    Verification,
)
from edgecore.errors import UserError
from edgecore.network import TensorSpec
from edgecore.preprocess import Preprocessing, byte_tables

# Multiply-accumulates that the reference may spend: it does one or two of 10^9 a second.
REFERENCE_WORK = 60_000_000_000
LEAST_EXACT = 4


def verify(
    whole: bytes,
    converted: Path,
    held_out: Source,
    spec: Preprocessing,
    classes: Sequence[str],
    *,
    exact_images: int = 64,
    layer_images: int = 8,
    progress: Callable[[int], None] | None = None,
) -> Verification:
    """Judges the .tflite at `converted` on every image of `held_out`, one at a time.

    Args:
        whole: the float flatbuffer of the same network.
        converted: a classifier; its int8 answers are those of the engine in a process of its own.
        held_out: images that took no part in training and calibration.
        spec: the model's preprocessing.
        classes: the model's labels, in the order of its outputs.
        exact_images: on about so many, of all classes alike, the engine's bytes are held against those of
            the reference kernels; on fewer, but 4, where those would take minutes. 0: none.
        layer_images: on about so many the errors of the layers are measured; 0: none.
        progress: is told the number of images that are done.

    Raises:
        UserError: the models, the labels and the data do not fit each other; too many images cannot be used;
            the engine does not take the file, or dies.
    """
    if not held_out.items:
        raise UserError(f"{held_out.path} has no images to verify with; give held-out ones")
    from edgecore.converters.verification.host import FASTEST, HostModel
    from edgecore.converters.verification.layer_errors import layer_errors

    flatbuffer = artefact.flatbuffer_of(_read(converted))
    original = HostModel(whole, FASTEST)
    counts = _Counts(tuple(classes), match_classes(tuple(classes), held_out.classes))
    with Device(converted) as device:
        _check_fit("float", original.input_shape, original.output_shape, spec, classes)
        _check_fit("converted", device.input.shape, device.output.shape, spec, classes)
        step = _step(len(held_out.items), exact_images, device.facts["macs"])
        for position, (name, index, real, stored) in enumerate(_inputs(held_out, spec, device.input)):
            asked = bool(step) and position % step == 0
            device.send(stored, reference=asked)
            original.run(real)
            answer = device.receive()
            counts.answers(name, index, original.output()[0], _real(answer, device.output)[0])
            if asked:
                counts.bytes(device.receive().tobytes() == answer.tobytes())
            if progress:
                progress(position + 1)
    layers: tuple[LayerError, ...] = ()
    if layer_images:
        few = _inputs(held_out.balanced(layer_images), spec, device.input)
        layers = layer_errors(whole, flatbuffer, ((real, stored) for _, _, real, stored in few))
    return counts.verification(device.facts, layers)


def _step(images: int, wanted: int, macs: int) -> int:
    """Every how many images the reference is asked; 0: never."""
    affordable = max(LEAST_EXACT, REFERENCE_WORK // max(1, macs))
    return max(1, images // min(wanted, affordable)) if wanted else 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; give the path of a .tflite file") from error


def _check_fit(
    name: str, taken: tuple[int, ...], given: tuple[int, ...], spec: Preprocessing, classes: Sequence[str]
) -> None:
    shape = (1, spec.height, spec.width, spec.channels)
    if taken != shape:
        raise UserError(
            f"the {name} model takes {taken}, not {shape} as its preprocessing says; convert again"
        )
    if given != (1, len(classes)):
        raise UserError(
            f"the {name} model gives {given}, which {len(classes)} labels do not fit; give its own"
        )


def _inputs(
    source: Source, spec: Preprocessing, target: TensorSpec
) -> Iterator[tuple[str, int, NDArray[np.float32], NDArray[Any]]]:
    """(image's name, class index, float input, input as the device makes it) of each that is not left out."""
    tables = byte_tables(spec, target.dtype, target.scale, target.zero_point) if target.scale else None
    channels = np.arange(spec.channels)
    with Images(source, spec, cache=0) as images:
        for position, (name, index) in enumerate(source.items):
            image = images.image(position)
            if image is None:
                continue
            real = to_input(image, spec)[None]
            stored = real if tables is None else tables[channels, image].view(target.dtype)[None]
            yield name, index, real, stored


def _real(stored: NDArray[Any], spec: TensorSpec) -> NDArray[np.float32]:
    real = stored.astype(np.float32)
    return np.asarray((real - spec.zero_point) * spec.scale if spec.scale else real, np.float32)


class _Counts:
    """What the images said so far."""

    def __init__(self, classes: tuple[str, ...], to_data: list[int]) -> None:
        self._classes = classes
        self._label = {data: label for label, data in enumerate(to_data)}
        self._images, self._float_hits, self._int8_hits, self._flipped = np.zeros((4, len(classes)), int)
        self._flips: list[Flip] = []
        self._largest = self._absolute = self._squared = 0.0
        self._compared = self._differing = 0

    def answers(self, name: str, index: int, real: NDArray[np.float32], found: NDArray[np.float32]) -> None:
        """The scores of both models for an image of the data's class `index`."""
        truth, expected, answer = self._label[index], int(real.argmax()), int(found.argmax())
        self._images[truth] += 1
        self._float_hits[truth] += expected == truth
        self._int8_hits[truth] += answer == truth
        if answer != expected:
            self._flipped[truth] += 1
            names = (self._classes[label] for label in (truth, expected, answer))
            self._flips.append(Flip(name, *names))
        error = np.abs(found.astype(np.float64) - real)
        self._largest = max(self._largest, float(error.max()))
        self._absolute += float(error.mean())
        self._squared += float((error**2).mean())

    def bytes(self, same: bool) -> None:
        """Whether the engine gave the reference's bytes for an image."""
        self._compared += 1
        self._differing += not same

    def verification(self, facts: dict[str, Any], layers: tuple[LayerError, ...]) -> Verification:
        """All of it, with the engine's facts and the errors of the layers."""
        images = int(self._images.sum())
        return Verification(
            classes=tuple(
                ClassChange(name, *map(int, counts))
                for name, *counts in zip(
                    self._classes, self._images, self._float_hits, self._int8_hits, self._flipped, strict=True
                )
            ),
            agreeing=images - len(self._flips),
            score_error=ScoreError(self._largest, self._absolute / images, (self._squared / images) ** 0.5),
            flips=tuple(self._flips),
            layers=layers,
            engine=EngineCheck(
                **{**facts, "left": tuple(facts["left"])}, compared=self._compared, differing=self._differing
            ),
        )
