"""A .tflite file's structure, verified while it is read."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgecore.tflite.consistency import check_node
from edgecore.tflite.flatbuffer import Buffer, FlatbufferError, Table
from edgecore.tflite.schema import (
    COUNT_OPTIONS,
    IDENTIFIER,
    LARGEST_OPTION,
    OPTIONS_NEEDED,
    TENSOR_TYPES,
    VECTOR_OPTIONS,
    operator_name,
)

LARGEST_TENSOR = (
    1 << 30
)  # elements; more than any model of a small board, less than what breaks int32 indexing


@dataclass(frozen=True)
class Tensor:
    """One tensor of a subgraph. `axis` is the dimension that per-channel scales belong to."""

    name: str
    type: str
    shape: tuple[int, ...]
    constant: bool
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int

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
    that does not fit, an unknown tensor type, constants of another size than their shape.
    """
    buffer = Buffer(data)
    root = buffer.root(IDENTIFIER)
    version = root.scalar(0, "I")
    if version != 3:
        raise FlatbufferError(f"the schema version is {version}, not 3")
    codes = [_operator_code(table) for table in root.tables(1)]
    sizes = [_buffer_size(table, buffer) for table in root.tables(4)]
    subgraphs = tuple(_subgraph(table, codes, sizes) for table in root.tables(2))
    if not subgraphs:
        raise FlatbufferError("the model has no graph")
    _within(root.integers(5, "i"), len(sizes), "metadata buffer")
    metadata = []
    for table in root.tables(6):
        _within((table.scalar(1, "I"),), len(sizes), "metadata buffer")
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


def _buffer_size(table: Table, buffer: Buffer) -> int:
    """Bytes of a buffer; the data may also stand outside the FlatBuffer, at an absolute offset."""
    _, size = table.span(0)
    offset, outside = table.scalar(1, "Q"), table.scalar(2, "Q")
    if offset > 1:
        buffer.require(offset, outside)
        return outside
    return size


def _tensor(table: Table, sizes: list[int]) -> Tensor:
    name = table.string(3)
    shape = table.integers(0, "i")
    kind = table.scalar(1, "b")
    if kind not in TENSOR_TYPES:
        raise FlatbufferError(f"tensor {name!r} has the unknown type {kind}")
    type_name, bits = TENSOR_TYPES[kind]
    if any(size < 0 for size in shape) or math.prod(shape) > LARGEST_TENSOR:
        raise FlatbufferError(f"tensor {name!r} has the shape {list(shape)}")
    index = table.scalar(2, "I")
    _within((index,), len(sizes), "buffer")
    sparse = table.table(6) is not None
    if sizes[index] and bits and not sparse and sizes[index] != (math.prod(shape) * bits + 7) // 8:
        raise FlatbufferError(f"tensor {name!r} of shape {list(shape)} has {sizes[index]} bytes of data")
    table.integers(7, "i")
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis = 0
    quantization = table.table(4)
    if quantization is not None:
        quantization.floats(0)
        quantization.floats(1)
        scales = quantization.floats(2)
        zero_points = quantization.integers(3, "q")
        axis = quantization.scalar(6, "i")
        quantization.table(5)
        if scales and (len(zero_points) not in (len(scales), 1) or not 0 <= axis < max(len(shape), 1)):
            raise FlatbufferError(f"tensor {name!r} has a damaged quantisation")
        if any(not math.isfinite(scale) or scale < 0 for scale in scales):
            raise FlatbufferError(f"tensor {name!r} has a damaged quantisation")
    return Tensor(name, type_name, shape, sizes[index] > 0, scales, zero_points, axis)


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
    return Operator(codes[code], inputs, outputs)


def _subgraph(table: Table, codes: list[str], sizes: list[int]) -> Subgraph:
    tensors = tuple(_tensor(item, sizes) for item in table.tables(0))
    inputs, outputs = table.integers(1, "i"), table.integers(2, "i")
    _within(inputs, len(tensors), "tensor")
    _within(outputs, len(tensors), "tensor")
    operators = tuple(_operator(item, codes, len(tensors)) for item in table.tables(3))
    table.string(4)
    for operator in operators:
        check_node(operator.name, [tensors[i].shape if i >= 0 else None for i in operator.inputs])
    return Subgraph(tensors, operators, inputs, outputs)


def _signature(table: Table, subgraphs: tuple[Subgraph, ...]) -> None:
    index = table.scalar(4, "I")
    _within((index,), len(subgraphs), "subgraph")
    table.string(2)
    for field in (0, 1):
        for entry in table.tables(field):
            entry.string(0)
            _within((entry.scalar(1, "I"),), len(subgraphs[index].tensors), "tensor")
