"""A full-integer .tflite over labelled images, as the device sees them. Never beside TensorFlow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import import_module, metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgecore.converters.evaluation.jobs import Answers, Tell, TfliteJob
from edgecore.converters.evaluation.report import match_classes
from edgecore.layers import layers_of
from edgecore.model import Model, load

TOLD_EVERY = 100


def run(job: TfliteJob, tell: Tell) -> Answers:
    """Answers image by image; UserError where the file, its labels or the images do not fit."""
    model = load(job.model, threads=job.threads, labels=job.labels, delegate=job.kernels == "engine")
    infer = _by_reference(model) if job.kernels == "reference" else _by_model(model)
    to_data = match_classes(tuple(model.labels), job.images.classes)
    predicted = np.full(len(job.images), -1, np.int64)
    digests = np.zeros(len(predicted), np.uint64)
    for position, frame in enumerate(job.images.frames()):
        if frame is None:
            continue
        model.prepare(frame)
        output = infer()
        predicted[position] = to_data[int(output.argmax())]
        digests[position] = _digest(output)
        if (position + 1) % TOLD_EVERY == 0:
            tell(position + 1)
    parameters = sum(layer.parameters for layer in layers_of(model.network))
    return Answers(predicted, digests, parameters, _runtime(model), _notes(model))


def _by_model(model: Model) -> Callable[[], NDArray[Any]]:
    def infer() -> NDArray[Any]:
        model.infer()
        return model.network.output().reshape(-1)

    return infer


def _by_reference(model: Model) -> Callable[[], NDArray[Any]]:
    from edgecore.interpreter import runtime_name

    runtime = import_module(runtime_name() + ".interpreter")
    interpreter = runtime.Interpreter(
        model_content=model.network.data,
        num_threads=model.network.threads,
        experimental_op_resolver_type=runtime.OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def infer() -> NDArray[Any]:
        interpreter.set_tensor(source["index"], model.network.input())
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(target["index"])).reshape(-1)

    return infer


def _digest(output: NDArray[Any]) -> int:
    return int.from_bytes(hashlib.blake2b(output.tobytes(), digest_size=8).digest(), "little")


def _runtime(model: Model) -> str:
    engines = model.network.engines()
    return f"edgecore {metadata.version('edgecore')}, {engines[0].isa}" if engines else model.network.runtime


def _notes(model: Model) -> tuple[str, ...]:
    delegate = model.network.delegate
    notes = [model.network.notice] if model.network.notice else []
    if delegate is not None and delegate.claimed_nodes < delegate.total_nodes:
        notes.append(f"the engine runs {delegate.claimed_nodes} of {delegate.total_nodes} operators")
    return tuple(notes)
