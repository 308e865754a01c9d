"""An ONNX file becomes a Keras model: its graph is read here, its operators are in operators.py.

The existing translators pin other versions of TensorFlow and OpenCV than edgecore runs with, or leave layers
that cannot be quantised one by one; classifiers need about fifty operators of ONNX (https://onnx.ai/onnx/operators).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edgecore.converters.formats.onnx.gelu import join_gelus
from edgecore.converters.formats.onnx.node import Node, Unsupported
from edgecore.converters.formats.onnx.operators import OPERATORS
from edgecore.converters.formats.onnx.values import CHANNELS_LAST, Value, reshaped
from edgecore.converters.host import reason_of
from edgecore.errors import UserError

QUANTISED = ("QuantizeLinear", "DequantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger")
DOMAINS = ("", "ai.onnx")
Constants = dict[str, np.ndarray]


def open_onnx(path: Path, size: tuple[int, int] | None = None) -> keras.Model:
    """The Keras model of a classifier's ONNX file: float (batch, height, width, channels) in.

    `size` is the (height, width) of an input that the file leaves open. Layers are named after ONNX's nodes.

    Raises UserError: the package onnx is missing, the file does not load, it is quantised already, it has
    several inputs or outputs or no image as its input, or it holds an operator that has no translation.
    """
    if importlib.util.find_spec("onnx") is None:
        raise UserError(
            "ONNX files need the package onnx, which is missing; run: pip install 'edgecore[host]'"
        )
    model = _load(path)
    graph = model.graph
    join_gelus(graph)
    known = {item.name for item in graph.initializer}
    inputs = [item for item in graph.input if item.name not in known]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise UserError(
            f"{path} has {len(inputs)} inputs and {len(graph.output)} outputs; "
            "a classifier takes one image and gives one score per class: export that part alone"
        )
    image = _image(path, inputs[0], size)
    value = _Translation(path, model, {inputs[0].name: image}).run(graph.output[0].name)
    if len(value.shape) > 2 and max(value.shape) == int(np.prod(value.shape)):
        value = reshaped(value, (1, max(value.shape)), "flat_scores")
    return keras.Model(image.tensor, value.tensor, name=_identifier(path.stem))


def _load(path: Path) -> Any:
    import onnx

    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except Exception as error:
        raise UserError(f"{path} does not load as an ONNX model: {reason_of(error)}") from error
    if any(node.op_type in QUANTISED for node in model.graph.node):
        raise UserError(f"{path} is quantised already; give the float network that it was made of")
    return model


def _image(path: Path, tensor: Any, size: tuple[int, int] | None) -> Value:
    """The input: (n, channels, height, width), or channels last where TensorFlow wrote the file."""
    dims = [item.dim_value if item.HasField("dim_value") else 0 for item in tensor.type.tensor_type.shape.dim]
    text = f"({', '.join(str(side or 'n') for side in dims)})"
    if tensor.type.tensor_type.elem_type != 1:
        raise UserError(f"the input of {path} is not float32; export the network without its own rescaling")
    if len(dims) != 4 or (dims[1] not in (1, 3) and dims[3] not in (1, 3)):
        raise UserError(f"{path} takes {text}, not one batch of images of 1 or 3 channels")
    if dims[0] > 1:
        raise UserError(f"{path} takes batches of {dims[0]}; export it with an open batch or a batch of 1")
    axes = CHANNELS_LAST if dims[1] in (1, 3) else (0, 1, 2, 3)
    height, width, channels = (dims[axis] for axis in axes[1:])
    if size is None and 0 in (height, width):
        raise UserError(f"{path} leaves the size of its input open: {text}; give --size HxW")
    if size is not None and any(
        own not in (0, side) for own, side in zip((height, width), size, strict=True)
    ):
        raise UserError(f"{path} takes {height}x{width} images, not {size[0]}x{size[1]}; leave --size out")
    shape = (*(size or (height, width)), channels)
    return Value(keras.Input(shape, name="image"), axes)


def _identifier(name: str) -> str:
    """`name` as Keras takes it for a layer."""
    return name.strip("/").replace("/", "_").replace(":", "_").replace(" ", "_") or "node"


class _Translation:
    """One pass over the nodes, which ONNX keeps in an order that can be computed."""

    def __init__(self, path: Path, model: Any, values: dict[str, Value]) -> None:
        from onnx import numpy_helper

        self._path, self._model, self._values = path, model, values
        self._constants: Constants = {
            item.name: numpy_helper.to_array(item) for item in model.graph.initializer
        }
        self._names: set[str] = set()
        opsets = {item.domain: item.version for item in model.opset_import}
        self._opset = int(opsets.get("", opsets.get("ai.onnx", 1)))

    def run(self, output: str) -> Value:
        """The value of the graph's output."""
        for proto in self._model.graph.node:
            if all(name in self._constants for name in proto.input if name):
                self._fold(proto)
            elif proto.op_type == "Shape":
                self._constants[proto.output[0]] = np.asarray(self._values[proto.input[0]].shape, np.int64)
            else:
                self._translate(proto)
        if output not in self._values:
            raise UserError(f"the output of {self._path} does not depend on its input; export it again")
        return self._values[output]

    def _fold(self, proto: Any) -> None:
        """A node of constants alone, computed by ONNX's own reference."""
        from onnx import helper
        from onnx.reference import ReferenceEvaluator

        given = {name: self._constants[name] for name in proto.input if name}
        inputs = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
            for name, array in given.items()
        ]
        outputs = [helper.make_empty_tensor_value_info(name) for name in proto.output]
        graph = helper.make_graph([proto], "constants", inputs, outputs)
        model = helper.make_model(graph, opset_imports=self._model.opset_import)
        try:
            found = ReferenceEvaluator(model).run(None, given)
        except Exception as error:
            raise self._refusal(proto, f"cannot be computed: {error}") from error
        self._constants.update(zip(proto.output, (np.asarray(array) for array in found), strict=True))

    def _translate(self, proto: Any) -> None:
        from onnx import helper

        operator = OPERATORS.get(proto.op_type) if proto.domain in DOMAINS else None
        if operator is None:
            domain = f"{proto.domain}." if proto.domain not in DOMAINS else ""
            raise self._refusal(proto, f"has no translation of ONNX's {domain}{proto.op_type}")
        node = Node(
            name=self._name(proto),
            opset=self._opset,
            attributes={item.name: helper.get_attribute_value(item) for item in proto.attribute},
            inputs=[self._constants.get(name, self._values.get(name)) for name in proto.input],
            outputs=len(proto.output),
        )
        try:
            found = operator(node)
        except Unsupported as error:
            raise self._refusal(proto, str(error)) from error
        except (ValueError, IndexError, TypeError, KeyError) as error:
            raise self._refusal(proto, f"does not fit its input: {reason_of(error)}") from error
        # Further outputs, such as the mask of a dropout, are for training.
        self._values.update(zip(proto.output, found if isinstance(found, list) else [found], strict=False))

    def _name(self, proto: Any) -> str:
        base = name = _identifier(proto.name or proto.op_type)
        number = 1
        while name in self._names:
            number += 1
            name = f"{base}_{number}"
        self._names.add(name)
        return name

    def _refusal(self, proto: Any, what: str) -> UserError:
        node = proto.name or next(iter(proto.output), "")
        return UserError(
            f"{self._path}: the {proto.op_type} '{node}' {what}; "
            "export the network without it, or as Keras or a SavedModel"
        )
