"""A .tflite as onnxruntime runs it best: tf2onnx's QDQ model, with uint8 activations.

    PYTHONPATH=SITE python onnx_model.py IN.tflite OUT.onnx

tf2onnx keeps every weight, scale and zero point. Two things in what it writes keep onnxruntime from running
the convolutions in int8 on x86, and are changed here without changing a value: a ReLU between a convolution
and its quantisation goes behind it, or away, and int8 activations become uint8 with a zero point larger by
128, which is what its kernels are made for. Without that it runs convolutions in float, several times slower.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

MULTIPLIERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")  # whose second input is the weights


def converted(model: Path) -> Path:
    """The path of the ONNX form of a .tflite, converted once per content.

    Raises UserError: it does not convert, or TensorFlow is missing.
    """
    from edgecore.benchmarks.environments import CONVERTER, converter_site
    from edgecore.devices.emulation import cache
    from edgecore.errors import UserError

    digest = hashlib.sha256(model.read_bytes())
    digest.update(Path(__file__).read_bytes() + " ".join(CONVERTER).encode())

    def make(folder: Path) -> None:
        paths = [str(converter_site()), *filter(None, [os.environ.get("PYTHONPATH")])]
        done = subprocess.run(
            [sys.executable, "-P", __file__, str(model), str(folder / "model.onnx")],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        if done.returncode:
            reason = [line for line in done.stderr.splitlines() if line.strip()][-1:] or ["no reason given"]
            raise UserError(f"tf2onnx does not convert it: {reason[0].strip()}")

    return cache.make_once(cache.folder() / "onnx" / digest.hexdigest()[:16], make) / "model.onnx"


def _values(graph: Any) -> dict[str, Any]:
    from onnx import numpy_helper

    return {item.name: numpy_helper.to_array(item) for item in graph.initializer}


def quantise_before_clamping(graph: Any) -> None:
    """Puts each Relu and Clip that stands before quantisations behind them, or drops it where they saturate
    at its bounds anyway. Rounding keeps the order of values, so both ways give the same integers."""
    import numpy as np
    from onnx import helper, numpy_helper

    constants = _values(graph)
    users: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)

    def bounds(node: Any) -> tuple[float, float]:
        if node.op_type == "Relu":
            return 0.0, float("inf")
        given = [float(constants[name]) if name else None for name in node.input[1:]]
        low, high = [*given, None, None][:2]
        return float("-inf") if low is None else low, float("inf") if high is None else high

    def clamp(quantise: Any, low: float, high: float) -> Any:
        """The node that clamps what `quantise` gives, or None where its type does."""
        scale, zero_point = float(constants[quantise.input[1]]), constants[quantise.input[2]]
        limits = np.iinfo(zero_point.dtype)
        least = max(np.round(low / scale) + int(zero_point), limits.min)
        most = min(np.round(high / scale) + int(zero_point), limits.max)
        if (least, most) == (limits.min, limits.max):
            return None
        clamped, free = quantise.output[0], f"{quantise.output[0]}_free"
        quantise.output[0] = free
        names = [free]
        for end, value in (("least", least), ("most", most)):
            names.append(f"{free}_{end}")
            graph.initializer.append(numpy_helper.from_array(np.asarray(value, zero_point.dtype), names[-1]))
        return helper.make_node("Clip", names, [clamped])

    ordered = []
    clamps: dict[int, Any] = {}
    for node in graph.node:
        after = users.get(node.output[0], [])
        movable = node.op_type in ("Relu", "Clip") and all(
            user.op_type == "QuantizeLinear" and len(user.input) == 3 for user in after
        )
        if movable and after:
            for user in after:
                user.input[0] = node.input[0]
                clamps[id(user)] = clamp(user, *bounds(node))
            continue
        ordered.append(node)
        if clamps.get(id(node)) is not None:
            ordered.append(clamps[id(node)])
    del graph.node[:]
    graph.node.extend(ordered)


def make_unsigned(graph: Any) -> None:
    """int8 activations, inputs and outputs become uint8; weights stay int8."""
    import numpy as np
    from onnx import TensorProto, numpy_helper

    constants = _values(graph)

    def raised(values: Any) -> str:
        name = f"uint8_constant_{len(graph.initializer)}"
        shifted = (values.astype(np.int16) + 128).astype(np.uint8)
        graph.initializer.append(numpy_helper.from_array(np.asarray(shifted), name))
        return name

    weights = {name for node in graph.node if node.op_type in MULTIPLIERS for name in node.input[1:2] if name}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.output[0] in weights:
            continue
        if node.op_type == "DequantizeLinear" and node.input[0] in constants:
            positions = [0, 2]  # one side of an Add or a Mul, which takes both sides in one type
        elif node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            positions = [2]  # the zero point
        else:
            positions = list(range(len(node.input)))  # e.g. the value that a Pad writes
        for position in positions:
            name = node.input[position]
            if name in constants and constants[name].dtype == np.int8:
                node.input[position] = raised(constants[name])
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type == TensorProto.INT8:
            value.type.tensor_type.elem_type = TensorProto.UINT8
    del graph.value_info[:]


def convert(source: str, target: str) -> None:
    """Writes the ONNX form of a .tflite. Needs tf2onnx and TensorFlow."""
    import onnx
    import tf2onnx.convert

    model, _ = tf2onnx.convert.from_tflite(source, opset=17)
    quantise_before_clamping(model.graph)
    make_unsigned(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, target)


if __name__ == "__main__":
    convert(*sys.argv[1:])
