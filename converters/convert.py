"""From a trained Keras model to the one file that a device needs, verified on the way."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgecore import artefact
from edgecore.artefact import Artefact
from edgecore.converters import metadata, whole_file
from edgecore.converters.calibration import Calibration, choose
from edgecore.converters.data import Source
from edgecore.converters.formats import FloatNetwork, KerasNetwork
from edgecore.converters.integer import check_integer, tensors_of
from edgecore.converters.quantise import quantise, to_float
from edgecore.converters.verification.device import golden_of
from edgecore.converters.verification.host import PLAIN, HostModel
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing, Preprocessor

LEAST_AGREEMENT = 0.8


@dataclass(frozen=True)
class Agreement:
    """How the int8 model answers beside the float one on the same `images`."""

    images: int
    top1: float
    largest_difference: float

    def __str__(self) -> str:
        return (
            f"int8 agrees with float on {self.top1:.1%} of {self.images} images, "
            f"scores differ by at most {self.largest_difference:.3f}"
        )


def convert(
    model: keras.Model | FloatNetwork,
    facts: Artefact,
    spec: Preprocessing,
    training: Source,
    images: int,
    *,
    seed: int = 0,
    float_layers: Collection[str] = (),
    allow_float: bool = False,
) -> tuple[bytes, Agreement]:
    """The .tflite with its tail, and how it agrees with `model` on the calibration images.

    Args:
        model: a classifier.
        facts: its name and classes; input, scores and golden output are filled in.
        spec: what it wants to see of a frame.
        training: where `images` pictures are drawn from, as many of each class, by `seed`. The result
            depends on these arguments alone, to the byte.
        float_layers: layers to leave in float.
        allow_float: whether also operations without an int8 form may stay in float.

    Raises UserError if the labels do not fit, if anything else is left in float, or if the two models
    disagree on more than a fifth of the images.
    """
    network = model if isinstance(model, FloatNetwork) else KerasNetwork(model)
    if len(facts.classes) != network.classes:
        raise UserError(
            f"{len(facts.classes)} labels do not fit {network.name}, which has {network.classes} outputs; "
            "give its own with --labels"
        )
    calibration = Calibration(choose(training, images, seed), spec)
    kept = tensors_of(network, to_float(network), float_layers) if float_layers else set()
    flatbuffer = quantise(network, calibration, kept)
    if not allow_float:
        check_integer(flatbuffer, network, kept)
    agreement = compare(network, flatbuffer, calibration)
    if agreement.top1 < LEAST_AGREEMENT:
        raise UserError(
            f"{agreement}: too few; calibrate with images like those of training, check mean and scale, "
            "or fine-tune it with --qat"
        )
    facts = replace(facts, input=spec.to_json(), logits=network.logits)
    flatbuffer = metadata.add(flatbuffer, facts)
    return artefact.append(flatbuffer, replace(facts, golden=golden_of(flatbuffer, spec))), agreement


def golden_in_own_process(path: Path) -> bool | None:
    """Whether the engine on this machine gives the golden output of a .tflite; None: it cannot be compared.

    TensorFlow and tflite-runtime cannot share a process.

    Raises UserError where the engine does not take the file, or no TFLite interpreter is installed.
    """
    command = [sys.executable, "-m", "edgecore.cli", "inspect", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise UserError(f"the engine does not take {path}: {lines[-1].removeprefix('edgecore: ')}")
    found: bool | None = (json.loads(done.stdout)["golden"] or {}).get("reproduced")
    return found


def compare(network: FloatNetwork, flatbuffer: bytes, calibration: Calibration) -> Agreement:
    """Both networks on the same images, which the int8 one sees through the device's quantisation."""
    model = HostModel(flatbuffer, PLAIN)
    out_scale, out_zero = model.outputs[0]["quantization"]
    images, same, largest = 0, 0, 0.0
    for inputs in calibration.batches():
        expected = network.predict(inputs)
        for wanted, stored in zip(
            expected, _quantised(inputs, calibration.spec, *model.inputs[0]["quantization"]), strict=True
        ):
            model.run(stored[None])
            scores = (model.output()[0].astype(np.float32) - out_zero) * out_scale
            images += 1
            same += int(scores.argmax() == wanted.argmax())
            largest = max(largest, float(np.abs(scores - wanted).max()))
    return Agreement(images, same / max(1, images), largest)


def _quantised(
    inputs: NDArray[np.float32], spec: Preprocessing, scale: float, zero_point: int
) -> Iterator[NDArray[np.int8]]:
    preprocessor = Preprocessor(spec, np.int8, scale, zero_point)
    mean, factor = np.asarray(spec.mean, np.float32), np.asarray(spec.scale, np.float32)
    # Images of the network's own size pass the resize untouched, so the device's code is asked directly.
    frame_order = "RGB" if spec.order == "RGB" else "BGR"
    for sample in inputs:
        image = np.clip(np.rint(sample / factor + mean), 0, 255).astype(np.uint8)
        frame = image[..., 0] if spec.order == "GREY" else image
        stored = np.empty(sample.shape, np.int8)
        preprocessor(np.ascontiguousarray(frame), stored, frame_order)
        yield stored


def write(path: Path, data: bytes, option: str = "--out") -> None:
    """Writes a file whole or not at all; UserError, naming the option, if the folder does not take it."""
    whole_file.write_bytes(path, data, f"choose another {option}")


def move(written: Path, path: Path) -> None:
    """Gives a file that was written its final name; UserError if that cannot be."""
    try:
        written.replace(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another --out") from error


def with_accuracy(model: bytes, facts: dict[str, Any]) -> bytes:
    """The same .tflite with `facts` merged into the accuracy facts of its tail."""
    known = artefact.parse(model)
    if known is None:
        raise UserError("the model carries no edgecore.json to write its accuracy into; convert it again")
    return artefact.append(model, replace(known, accuracy={**known.accuracy, **facts}))
