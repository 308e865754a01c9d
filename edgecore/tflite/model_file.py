"""A .tflite file's structure, verified while it is read."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgecore.tflite.arguments import check_arguments
from edgecore.tflite.consistency import LARGEST_TENSOR, check_node, check_types
from edgecore.tflite.dataflow import check_calls, check_dataflow
from edgecore.tflite.flatbuffer import Buffer, FlatbufferError, Table
from edgecore.tflite.scales import check_scales
from edgecore.tflite.schema import (
    ARGUMENT_OPTIONS,
    COUNT_OPTIONS,
    IDENTIFIER,
    LARGEST_OPTION,
    OPTIONS_NEEDED,
    TENSOR_TYPES,
    VECTOR_OPTIONS,
    operator_name,
)

MOST_VALUES = 64  # elements of a constant that is a shape, axes or paddings


@dataclass(frozen=True)
class Tensor:
    """One tensor of a subgraph. `axis` is the dimension that per-channel scales belong to.

    `variable`: it keeps its contents from run to run. `changes`: a size is known only when the model runs.
    `values` are the contents of a short constant of integers, such as a shape; None for any other tensor.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    constant: bool
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int
    variable: bool = False
    changes: bool = False
    values: tuple[int, ...] | None = None

    @property
    def elements(self) -> int:
        """The number of elements; 1 for a scalar."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Operator:
    """One node, in execution order. Input -1 is an optional tensor that is absent."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: tuple[int, ...] = ()  # those of schema.ARGUMENT_OPTIONS
    beta: float = 1.0  # of a SOFTMAX: what its input is multiplied by


@dataclass(frozen=True)
class Subgraph:
    """One graph of a model; the first is the one that runs."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class ModelFile:
    """What a .tflite holds, without its weights. `end` is the number of bytes the FlatBuffer spans."""

    description: str
    subgraphs: tuple[Subgraph, ...]
    metadata: tuple[str, ...]
    end: int

    @property
    def main(self) -> Subgraph:
        """The subgraph that an interpreter runs."""
        return self.subgraphs[0]


def read_model_file(data: bytes) -> ModelFile:
    """Reads and verifies the whole structure of a .tflite.

    Raises FlatbufferError when the bytes are not a well-formed TFLite model: an offset, an index or a size
    that does not fit, an unknown tensor type, constants of another size than their shape, an operator that
    reads what is not there yet.
    """
    buffer = Buffer(data)
    root = buffer.root(IDENTIFIER)
    version = root.scalar(0, "I")
    if version != 3:
        raise FlatbufferError(f"the schema version is {version}, not 3")
    codes = [_operator_code(table) for table in root.tables(1)]
    spans = [_buffer_span(table, buffer) for table in root.tables(4)]
    subgraphs = tuple(_subgraph(table, codes, spans) for table in root.tables(2))
    if not subgraphs:
        raise FlatbufferError("the model has no graph")
    check_calls(subgraphs)
    _within(root.integers(5, "i"), len(spans), "metadata buffer")
    metadata = []
    for table in root.tables(6):
        _within((table.scalar(1, "I"),), len(spans), "metadata buffer")
        metadata.append(table.string(0))
    for table in root.tables(7):
        _signature(table, subgraphs)
    return ModelFile(root.string(3), subgraphs, tuple(metadata), buffer.end)


def _within(indices: tuple[int, ...], count: int, what: str, lowest: int = 0) -> None:
    for index in indices:
        if not lowest <= index < count:
            raise FlatbufferError(f"{what} {index} does not exist")


def _operator_code(table: Table) -> str:
    # Files of old converters fill only the one-byte field, newer ones both where the number fits.
    code = max(table.scalar(0, "b"), table.scalar(3, "i"))
    custom = table.string(1)
    if code < 0:
        raise FlatbufferError(f"operator code {code} does not exist")
    name = operator_name(code)
    return f"CUSTOM {custom}" if name == "CUSTOM" else name


def _buffer_span(table: Table, buffer: Buffer) -> tuple[int, int]:
    """Where a buffer's data stand, and their size; they may follow the FlatBuffer, at an absolute offset."""
    offset, outside = table.scalar(1, "Q"), table.scalar(2, "Q")
    if offset > 1:
        buffer.require(offset, outside)
        return offset, outside
    return table.span(0)


def _tensor(table: Table, spans: list[tuple[int, int]]) -> Tensor:
    name = table.string(3)
    shape = table.integers(0, "i")
    kind = table.scalar(1, "b")
    if kind not in TENSOR_TYPES:
        raise FlatbufferError(f"tensor {name!r} has the unknown type {kind}")
    type_name, bits = TENSOR_TYPES[kind]
    if any(size < 0 for size in shape) or math.prod(shape) > LARGEST_TENSOR:
        raise FlatbufferError(f"tensor {name!r} has the shape {list(shape)}")
    index = table.scalar(2, "I")
    _within((index,), len(spans), "buffer")
    position, size = spans[index]
    sparse = table.table(6) is not None
    if size and bits and not sparse and size != (math.prod(shape) * bits + 7) // 8:
        raise FlatbufferError(f"tensor {name!r} of shape {list(shape)} has {size} bytes of data")
    values = None
    if size and not sparse and type_name in ("int32", "int64") and math.prod(shape) <= MOST_VALUES:
        values = table.buffer.integers(position, math.prod(shape), "i" if bits == 32 else "q")
    changes = min(table.integers(7, "i"), default=0) < 0
    quantization = table.table(4)
    scales, zero_points, axis = _quantization(quantization, name, type_name, len(shape), bits)
    constant = size > 0 or table.scalar(10, "I") > 0  # field 10: the index of a buffer in another file
    variable = table.scalar(5, "B") > 0
    return Tensor(name, type_name, shape, constant, scales, zero_points, axis, variable, changes, values)


def _quantization(
    table: Table | None, name: str, type_name: str, rank: int, bits: int
) -> tuple[tuple[float, ...], tuple[int, ...], int]:
    """Scales, zero points and the dimension they belong to."""
    if table is None:
        return (), (), 0
    table.floats(0)
    table.floats(1)
    scales, zero_points, axis = table.floats(2), table.integers(3, "q"), table.scalar(6, "i")
    table.table(5)
    if scales and (len(zero_points) not in (len(scales), 1) or not 0 <= axis < max(rank, 1)):
        raise FlatbufferError(f"tensor {name!r} has a damaged quantisation")
    if any(not math.isfinite(scale) or scale < 0 for scale in scales):
        raise FlatbufferError(f"tensor {name!r} has a damaged quantisation")
    if scales and "int" in type_name:
        # TFLite never asks whether the type holds its zero point, and reads its tables beyond their ends.
        width = min(bits, 32)
        lowest = 0 if type_name.startswith("uint") and bits < 32 else -(1 << (width - 1))
        if any(not lowest <= point < lowest + (1 << width) for point in zero_points):
            raise FlatbufferError(f"tensor {name!r} has a zero point that no {type_name} is")
    return scales, zero_points, axis


def _operator(table: Table, codes: list[str], tensors: int) -> Operator:
    code = table.scalar(0, "I")
    _within((code,), len(codes), "operator code")
    inputs, outputs = table.integers(1, "i"), table.integers(2, "i")
    _within(inputs, tensors, "tensor", -1)
    _within(outputs, tensors, "tensor")
    kind = table.scalar(3, "B")
    options = table.table(4)
    if options is not None:
        for field, default in COUNT_OPTIONS.get(kind, ()):
            if not 1 <= options.scalar(field, "i", default) <= LARGEST_OPTION:
                raise FlatbufferError(f"a {codes[code]} has a stride or filter out of range")
        for field in VECTOR_OPTIONS.get(kind, ()):
            options.integers(field, "i")
    if (options is None and kind) or kind != OPTIONS_NEEDED.get(codes[code], kind):
        raise FlatbufferError(f"a {codes[code]} has lost its options")
    table.span(5)
    table.span(7)
    _within(table.integers(8, "i"), tensors, "tensor")
    table.table(12)
    fields = ARGUMENT_OPTIONS.get(codes[code], ())
    numbers = tuple(options.scalar(*field) if options is not None else 0 for field in fields)
    beta = options.real(0) if codes[code] == "SOFTMAX" and options is not None else 1.0
    return Operator(codes[code], inputs, outputs, numbers, beta)


def _subgraph(table: Table, codes: list[str], spans: list[tuple[int, int]]) -> Subgraph:
    tensors = tuple(_tensor(item, spans) for item in table.tables(0))
    inputs, outputs = table.integers(1, "i"), table.integers(2, "i")
    _within(inputs, len(tensors), "tensor")
    _within(outputs, len(tensors), "tensor")
    operators = tuple(_operator(item, codes, len(tensors)) for item in table.tables(3))
    table.string(4)
    check_dataflow(tensors, operators, inputs)
    for operator in operators:
        check_node(operator.name, [tensors[i].shape if i >= 0 else None for i in operator.inputs])
        check_arguments(operator, tensors)
        check_scales(operator, tensors)
        if operator.inputs and operator.inputs[0] >= 0 and operator.outputs:
            check_types(operator.name, tensors[operator.inputs[0]].type, tensors[operator.outputs[0]].type)
    return Subgraph(tensors, operators, inputs, outputs)


def _signature(table: Table, subgraphs: tuple[Subgraph, ...]) -> None:
    index = table.scalar(4, "I")
    _within((index,), len(subgraphs), "subgraph")
    table.string(2)
    for field in (0, 1):
        for entry in table.tables(field):
            entry.string(0)
            _within((entry.scalar(1, "I"),), len(subgraphs[index].tensors), "tensor")
