"""From a trained Keras model to the one file that a device needs, verified on the way."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from edgecore import artefact, golden
from edgecore.artefact import Artefact
from edgecore.converters.data import Source, load, to_input
from edgecore.converters.host import quiet
from edgecore.converters.quantise import quantise
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing, Preprocessor

# Types that an all-integer graph may hold: int32 for biases and axes, bool and int64 for constants of shapes.
INTEGER = (np.int8, np.int16, np.int32, np.int64, np.bool_)
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


def calibration_inputs(source: Source, spec: Preprocessing, count: int) -> NDArray[np.float32]:
    """About `count` inputs, the same number of each class, as the device would make them.

    One pixel of the first image is made black and its neighbour white, so that the input's range is that of
    all pixels: with scale 1/255 and mean 0 the device's quantisation is then pixel - 128, exactly.
    """
    images, _ = load(source.balanced(count), spec)
    images[0, 0, :2] = [[0], [255]]
    return to_input(images, spec)


def convert(
    model: keras.Model, facts: Artefact, spec: Preprocessing, training: Source, images: int
) -> tuple[bytes, Agreement]:
    """The .tflite with its tail, and how it agrees with `model` on the calibration images.

    Raises UserError if the labels do not fit, if anything is left in float, or if the two models disagree on
    more than a fifth of the images.
    """
    outputs = model.output_shape[-1]
    if len(facts.classes) != outputs:
        raise UserError(f"{len(facts.classes)} labels do not fit {model.name}, which has {outputs} outputs")
    inputs = calibration_inputs(training, spec, images)
    flatbuffer = quantise(model, iter(inputs))
    check_integer(flatbuffer)
    agreement = compare(model, flatbuffer, inputs, spec)
    if agreement.top1 < LEAST_AGREEMENT:
        raise UserError(
            f"{agreement}: too few; calibrate with images like those of training, or check mean and scale"
        )
    facts = replace(facts, input=spec.to_json(), golden=golden_of(flatbuffer, spec))
    return artefact.append(flatbuffer, facts), agreement


def golden_of(flatbuffer: bytes, spec: Preprocessing) -> bytes:
    """What the reference kernels say to the pictures of edgecore/golden.py."""
    return golden.record(_interpreter(flatbuffer, "BUILTIN_REF"), spec)


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


def _interpreter(flatbuffer: bytes, kernels: str = "BUILTIN_WITHOUT_DEFAULT_DELEGATES") -> Any:
    with quiet():
        interpreter = tf.lite.Interpreter(
            model_content=flatbuffer,
            experimental_op_resolver_type=tf.lite.experimental.OpResolverType[kernels],
        )
        interpreter.allocate_tensors()
    return interpreter


def check_integer(flatbuffer: bytes) -> None:
    """UserError naming the first tensor that is not integer, or if input or output are not int8."""
    interpreter = _interpreter(flatbuffer)
    for tensor in interpreter.get_tensor_details():
        if tensor["dtype"] not in INTEGER:
            kind = np.dtype(tensor["dtype"]).name
            raise UserError(
                f"the converted model keeps {tensor['name']} in {kind}; an operation has no int8 form"
            )
    for tensor in (*interpreter.get_input_details(), *interpreter.get_output_details()):
        if tensor["dtype"] is not np.int8:
            raise UserError(
                f"the converted model has {np.dtype(tensor['dtype']).name} at its border, not int8"
            )


def compare(
    model: keras.Model, flatbuffer: bytes, inputs: NDArray[np.float32], spec: Preprocessing
) -> Agreement:
    """Both models on `inputs`, which the int8 one sees through the quantisation that the device applies."""
    interpreter = _interpreter(flatbuffer)
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    expected = model.predict(inputs, batch_size=100, verbose=0)
    scale, zero_point = source["quantization"]
    out_scale, out_zero = target["quantization"]
    scores = np.empty_like(expected)
    for position, stored in enumerate(_quantised(inputs, spec, scale, zero_point)):
        interpreter.set_tensor(source["index"], stored[None])
        interpreter.invoke()
        scores[position] = (
            interpreter.get_tensor(target["index"])[0].astype(np.float32) - out_zero
        ) * out_scale
    same = float((scores.argmax(axis=1) == expected.argmax(axis=1)).mean())
    return Agreement(len(inputs), same, float(np.abs(scores - expected).max()))


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


def write(path: Path, data: bytes) -> None:
    """Writes the .tflite whole or not at all; UserError if the folder does not take it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another --out") from error


def with_accuracy(model: bytes, facts: dict[str, Any]) -> bytes:
    """The same .tflite with `facts` merged into the accuracy facts of its tail."""
    known = artefact.parse(model)
    if known is None:
        raise UserError("the model carries no edgecore.json to write its accuracy into; convert it again")
    return artefact.append(model, replace(known, accuracy={**known.accuracy, **facts}))
