"""Writes .tflite files from a plain description, over the schema that ai-edge-litert ships.

TensorFlow is not needed, so a test can write a model and run it with tflite-runtime in one process.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import flatbuffers
import numpy as np
from numpy.typing import NDArray

try:
    from ai_edge_litert import schema_py_generated as schema
except ImportError:  # where LiteRT has no wheel, tests lay its schema where Python finds it
    import schema_py_generated as schema

# Operator -> (version that has int8 kernels, its options table; None where it has none).
_OPERATORS: dict[str, tuple[int, str | None]] = {
    "CONV_2D": (3, "Conv2DOptions"),
    "DEPTHWISE_CONV_2D": (3, "DepthwiseConv2DOptions"),
    "FULLY_CONNECTED": (4, "FullyConnectedOptions"),
    "TRANSPOSE_CONV": (3, "TransposeConvOptions"),
    "MAX_POOL_2D": (2, "Pool2DOptions"),
    "AVERAGE_POOL_2D": (2, "Pool2DOptions"),
    "MEAN": (2, "ReducerOptions"),
    "ADD": (2, "AddOptions"),
    "SUB": (2, "SubOptions"),
    "MUL": (2, "MulOptions"),
    "CONCATENATION": (2, "ConcatenationOptions"),
    "PAD": (2, "PadOptions"),
    "RESHAPE": (1, "ReshapeOptions"),
    "SOFTMAX": (2, "SoftmaxOptions"),
    "RELU": (2, None),
    "RELU6": (2, None),
    "LEAKY_RELU": (2, "LeakyReluOptions"),
    "LOGISTIC": (2, None),
    "TANH": (2, None),
    "ABS": (1, None),
    "HARD_SWISH": (1, "HardSwishOptions"),
    "QUANTIZE": (2, "QuantizeOptions"),
    "DEQUANTIZE": (2, "DequantizeOptions"),
    "RESIZE_NEAREST_NEIGHBOR": (2, "ResizeNearestNeighborOptions"),
    "RESIZE_BILINEAR": (2, "ResizeBilinearOptions"),
    "TRANSPOSE": (2, "TransposeOptions"),
    "SHAPE": (1, "ShapeOptions"),
    "STRIDED_SLICE": (1, "StridedSliceOptions"),
    "SLICE": (2, "SliceOptions"),
    "SPLIT": (2, "SplitOptions"),
    "SPLIT_V": (2, "SplitVOptions"),
    "SQUEEZE": (1, "SqueezeOptions"),
    "EXPAND_DIMS": (1, "ExpandDimsOptions"),
    "PACK": (1, "PackOptions"),
}
_TYPES = {"float32": "FLOAT32", "int32": "INT32", "uint8": "UINT8", "int64": "INT64", "int8": "INT8"}


class _ActivationCode(enum.IntEnum):
    NONE = 0
    RELU = 1
    RELU_N1_TO_1 = 2
    RELU6 = 3


class ModelWriter:
    """One subgraph. Tensors are referred to by the index that their method returns; -1 is an absent input."""

    def __init__(self) -> None:
        self._tensors: list[Any] = []
        self._buffers: list[Any] = [schema.BufferT()]
        self._operators: list[Any] = []
        self._codes: list[tuple[str, int]] = []
        self.inputs: list[int] = []
        self.outputs: list[int] = []

    def tensor(
        self,
        shape: Sequence[int],
        dtype: str = "int8",
        scale: float | Sequence[float] | NDArray[Any] | None = None,
        zero_point: int | Sequence[int] = 0,
        axis: int = 0,
        data: NDArray[Any] | None = None,
        signature: Sequence[int] | None = None,
        name: str | None = None,
    ) -> int:
        """Adds a tensor.

        scale: None for an unquantised tensor, a number, or one number per index of dimension `axis`.
        data: contents of a constant. signature: shape with -1 for dimensions that the caller may resize.
        """
        table = schema.TensorT()
        table.shape = np.asarray(shape, np.int32)
        table.hasRank = True
        table.type = getattr(schema.TensorType, _TYPES[dtype])
        table.name = name or f"t{len(self._tensors)}"
        if signature is not None:
            table.shapeSignature = np.asarray(signature, np.int32)
        if scale is not None:
            scales = np.atleast_1d(np.asarray(scale, np.float32))
            points = np.broadcast_to(np.asarray(zero_point, np.int64), scales.shape).copy()
            quantisation = schema.QuantizationParametersT()
            quantisation.scale, quantisation.zeroPoint = scales, points
            quantisation.quantizedDimension = axis
            table.quantization = quantisation
        if data is not None:
            array = np.asarray(data, dtype, order="C")
            if list(array.shape) != list(shape):
                raise ValueError(f"data of shape {array.shape} for a tensor of shape {tuple(shape)}")
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(array.tobytes(), np.uint8)
            table.buffer = len(self._buffers)
            self._buffers.append(buffer)
        self._tensors.append(table)
        return len(self._tensors) - 1

    def shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(int(n) for n in self._tensors[tensor].shape)

    def op(
        self,
        name: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        version: int | None = None,
        **options: Any,
    ) -> None:
        """Adds an operator. Options are the schema's, in snake case: padding="SAME", stride_w=2,
        fused_activation_function="RELU6", dilation_w_factor=1, alpha=0.1, keep_dims=True, ..."""
        default_version, options_name = _OPERATORS[name]
        code = (name, version or default_version)
        if code not in self._codes:
            self._codes.append(code)
        table = schema.OperatorT()
        table.opcodeIndex = self._codes.index(code)
        table.inputs = np.asarray(inputs, np.int32)
        table.outputs = np.asarray(outputs, np.int32)
        if options_name is not None:
            values = getattr(schema, options_name + "T")()
            for key, value in options.items():
                field = _camel(key)
                if not hasattr(values, field):
                    raise ValueError(f"{name} has no option {key}")
                if key == "padding":
                    value = getattr(schema.Padding, value)
                elif key == "fused_activation_function":
                    value = _ActivationCode[value].value
                setattr(values, field, value)
            table.builtinOptionsType = getattr(schema.BuiltinOptions, options_name)
            table.builtinOptions = values
        elif options:
            raise ValueError(f"{name} takes no options")
        self._operators.append(table)

    def digest(self) -> str:
        """sha256 of everything that numbers decide: constants and scales, whatever the file's layout."""
        state = hashlib.sha256()
        for table in self._tensors:
            state.update(self._buffers[table.buffer].data.tobytes() if table.buffer else b"")
            if table.quantization is not None:
                state.update(table.quantization.scale.tobytes() + table.quantization.zeroPoint.tobytes())
        return state.hexdigest()

    def build(self) -> bytes:
        subgraph = schema.SubGraphT()
        subgraph.tensors = self._tensors
        subgraph.inputs = np.asarray(self.inputs, np.int32)
        subgraph.outputs = np.asarray(self.outputs, np.int32)
        subgraph.operators = self._operators
        subgraph.name = "main"
        model = schema.ModelT()
        model.version = 3
        model.description = "written by a test"
        model.subgraphs = [subgraph]
        model.buffers = self._buffers
        model.operatorCodes = []
        for name, version in self._codes:
            code = schema.OperatorCodeT()
            code.builtinCode = getattr(schema.BuiltinOperator, name)
            code.deprecatedBuiltinCode = min(code.builtinCode, 127)
            code.version = version
            model.operatorCodes.append(code)
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def edited(model: bytes, change: Callable[[Any], None]) -> bytes:
    """The same model after `change` had its ModelT, the schema's own tree of it."""
    unpacked = schema.ModelT.InitFromPackedBuf(model, 0)
    change(unpacked)
    builder = flatbuffers.Builder(len(model) * 2)
    builder.Finish(unpacked.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def expose(model: bytes) -> bytes:
    """The same model with the result of every operator among its outputs, after its own."""

    def change(whole: Any) -> None:
        graph = whole.subgraphs[0]
        own = [int(index) for index in graph.outputs]
        inner = [int(index) for operator in graph.operators for index in operator.outputs]
        graph.outputs = np.asarray(own + [index for index in inner if index not in own], np.int32)
        whole.signatureDefs = None

    return edited(model, change)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
