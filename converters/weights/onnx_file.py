"""The initialisers of an ONNX model, under the names of the modules that they came from.

An exporter keeps the names of a state dict unless it changes an array: PyTorch's transposes dense kernels and
folds batch norms into convolutions, and calls the results `onnx::Conv_193`. Its nodes are called after
modules, though (`/layer1/layer1.0/conv1/Conv`), so that those give such arrays their names back.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgecore.converters.host import reason_of
from edgecore.converters.weights.files import Arrays
from edgecore.errors import UserError

if TYPE_CHECKING:
    import onnx

# Operations whose second input is a kernel and whose third is a bias.
KERNELS = ("Conv", "Gemm", "MatMul")


def read(path: Path) -> Arrays:
    """Initialisers in PyTorch's layout. Raises UserError for a damaged file or missing external data."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        graph = onnx.load(path).graph
        initialisers = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    except (DecodeError, OSError, ValueError, TypeError, onnx.checker.ValidationError) as error:
        raise UserError(f"{path} does not read as ONNX: {reason_of(error)}; export it again") from error
    # The others are shapes, bounds and factors.
    arrays = {name: array for name, array in initialisers.items() if array.dtype.kind == "f" and array.ndim}
    for node in graph.node:
        if node.op_type in KERNELS:
            _rename(node, arrays)
    return arrays


def _rename(node: onnx.NodeProto, arrays: Arrays) -> None:
    """Gives the kernel and bias of one node the names and the layout of a state dict."""
    module = module_of(node.name)
    for place, part in ((1, "weight"), (2, "bias")):
        name = node.input[place] if place < len(node.input) else ""
        if name not in arrays:
            continue
        if part == "weight" and _is_transposed(node):
            arrays[name] = arrays[name].T
        if module and _is_anonymous(name):
            arrays[f"{module}.{part}"] = arrays.pop(name)


def _is_transposed(node: onnx.NodeProto) -> bool:
    """Whether a dense kernel is (inputs, outputs)."""
    if node.op_type == "Conv":
        return False
    return not any(attribute.name == "transB" and attribute.i for attribute in node.attribute)


def _is_anonymous(name: str) -> bool:
    return name.isdigit() or name.startswith("onnx::")


def module_of(node: str) -> str:
    """`/features/features.1/conv/conv.0/Conv` is of the module features.1.conv.0; "" if it does not say.

    A child of a list of modules is called with the list's name before its number, and after the list.
    """
    words = [word for word in node.split("/")[:-1] if word]
    return ".".join(
        word
        for number, word in enumerate(words)
        if number + 1 == len(words) or not words[number + 1].startswith(f"{word}.")
    )
