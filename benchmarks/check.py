"""Do the peers run the same model, and in int8? Asked before anything is timed."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edgecore.benchmarks import onnx_model
from edgecore.benchmarks.turns import Entrant, RuntimeFailed, inspect

ONNX = "onnxruntime"
# Kinds of layers that multiply by weights: those that name the type themselves, and those that do not.
_IN_INT8 = {ONNX: ("QLinearConv", "QGemm", "QLinearMatMul"), "openvino": ()}
_MULTIPLIERS = {
    ONNX: (*onnx_model.MULTIPLIERS, "FusedConv", "FusedGemm", "FusedMatMul"),
    "openvino": ("Convolution", "Deconvolution", "FullyConnected", "MatMul"),
}


def form_for(runtime: str, model: Path) -> Path:
    """The file that a runtime reads for a .tflite. Raises UserError: there is none."""
    return onnx_model.converted(model) if runtime == ONNX else model


def look(entrants: Sequence[Entrant], folder: Path) -> dict[str, dict[str, Any]]:
    """Of each runtime: its layers, and how far its outputs are from the reference kernels'.

    {runtime: {"version", "layers", "float_layers": [count, of], "avx512_layers": count, "difference": in
    steps of the output's scale, "differing": share of the outputs}}; "failed" alone where it cannot run the
    model. The reference is tflite-runtime's; where that did not enter, there are no differences.
    """
    found: dict[str, dict[str, Any]] = {}
    outputs: dict[str, list[np.ndarray]] = {}
    jobs = list(entrants)
    jobs += [
        replace(entrant, runtime="reference") for entrant in entrants if entrant.runtime == "tflite-runtime"
    ]
    with tempfile.TemporaryDirectory(dir=folder) as name:
        for job in jobs:
            file = Path(name) / f"{job.runtime}.npz"
            try:
                found[job.runtime] = inspect(job, file)
            except RuntimeFailed as error:
                found[job.runtime] = {"failed": str(error)}
                continue
            with np.load(file) as arrays:
                outputs[job.runtime] = [arrays[key] for key in arrays.files]
    reference = outputs.pop("reference", None)
    found.pop("reference", None)
    for runtime, arrays in outputs.items():
        layers = found[runtime].get("layers")
        if runtime in _MULTIPLIERS and layers is not None:
            found[runtime]["float_layers"] = float_layers(runtime, layers)
            found[runtime]["avx512_layers"] = sum(
                count
                for kind, count in layers.items()
                if kind.startswith(_MULTIPLIERS[runtime]) and "avx512" in kind
            )
        if reference is not None:
            found[runtime].update(distance(arrays, reference))
    return found


def float_layers(runtime: str, layers: Mapping[str, int]) -> list[int]:
    """[how many of the layers that multiply run in float, how many there are].

    onnxruntime: kinds of kernels. OpenVINO: "Type primitive", whose primitive ends with the precision.
    """
    inside = outside = 0
    for kind, count in layers.items():
        name, _, primitive = kind.partition(" ")
        if name in _IN_INT8[runtime] or (name in _MULTIPLIERS[runtime] and primitive.upper().endswith("_I8")):
            inside += count
        elif name in _MULTIPLIERS[runtime]:
            outside += count
    return [outside, inside + outside]


def distance(arrays: Sequence[np.ndarray], reference: Sequence[np.ndarray]) -> dict[str, Any]:
    """How far outputs are from the reference's: the largest difference, and the share that differs.

    uint8 stands for int8 with a zero point larger by 128.
    """
    largest, differing, total = 0.0, 0, 0
    for mine, theirs in zip(arrays, reference, strict=True):
        wide = mine.ravel().astype(np.float64)
        if mine.dtype == np.uint8 and theirs.dtype == np.int8:
            wide -= 128
        apart = np.abs(wide - theirs.ravel())
        largest = max(largest, float(apart.max(initial=0.0)))
        differing += int(np.count_nonzero(apart))
        total += apart.size
    return {"difference": largest, "differing": differing / max(total, 1)}
