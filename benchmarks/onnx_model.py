"""A .tflite as onnxruntime runs it best: tf2onnx's QDQ model, with uint8 activations.

    PYTHONPATH=SITE python onnx_model.py IN.tflite OUT.onnx

tf2onnx keeps every weight, scale and zero point. Two things in what it writes keep onnxruntime from running
the convolutions in int8 on x86, and are changed here without changing a value: a ReLU before a quantisation
that saturates at the same bounds is dropped, and int8 activations become uint8 with a zero point larger by
128, which is what its kernels are made for. Without that it runs convolutions in float, several times slower.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


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


def drop_clamps(graph: Any) -> int:
    """Takes out each Relu and Clip whose bounds the quantisation after it has too; returns how many."""
    import numpy as np

    constants = _values(graph)
    users: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)

    def saturates(quantise: Any, low: float, high: float) -> bool:
        if quantise.op_type != "QuantizeLinear" or len(quantise.input) < 3:
            return False
        scale, zero_point = float(constants[quantise.input[1]]), constants[quantise.input[2]]
        limits = np.iinfo(zero_point.dtype)
        lowest, highest = ((limit - int(zero_point)) * scale for limit in (limits.min, limits.max))
        return bool(lowest >= low - scale / 2 and highest <= high + scale / 2)

    def bound(node: Any, position: int, default: float) -> float:
        return float(constants[node.input[position]]) if node.input[position:][:1] > [""] else default

    dropped = 0
    for node in list(graph.node):
        if node.op_type == "Relu":
            low, high = 0.0, float("inf")
        elif node.op_type == "Clip":
            low, high = bound(node, 1, float("-inf")), bound(node, 2, float("inf"))
        else:
            continue
        after = users.get(node.output[0], [])
        if after and all(saturates(user, low, high) for user in after):
            for user in after:
                user.input[0] = node.input[0]
            graph.node.remove(node)
            dropped += 1
    return dropped


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

    for node in graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            if node.input[0] in constants:
                continue
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
    drop_clamps(model.graph)
    make_unsigned(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, target)


if __name__ == "__main__":
    convert(*sys.argv[1:])
