"""The entry TFLITE_METADATA: labels and normalisation for other tools that read .tflite files.

Source of the tables: metadata_schema.fbs of TensorFlow Lite Support, identifier M001, and of the model's:
schema.fbs of TensorFlow Lite, version 3. The labels themselves are the file labels.txt in the zip tail that
`edgecore.artefact.append` writes; readers find it by its name, stored uncompressed.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import flatbuffers
from flatbuffers.table import Table

from edgecore.artefact import LABELS, Artefact
from edgecore.errors import UserError
from edgecore.tflite.flatbuffer import FlatbufferError
from edgecore.tflite.model_file import ModelFile, read_model_file
from edgecore.tflite.schema import IDENTIFIER

ENTRY = "TFLITE_METADATA"
METADATA_IDENTIFIER = b"M001"
OLDEST_PARSER = "1.0.0"  # the schema's version that has all fields written here
# ColorSpaceType has no name for blue-green-red.
COLOUR_SPACES = {"RGB": 1, "GREY": 2}
IMAGE_PROPERTIES, FEATURE_PROPERTIES, NORMALISATION, AXIS_LABELS = 2, 1, 1, 2

MODEL_FIELDS = 8
VERSION, BUFFERS, METADATA = 0, 4, 6
# Constants stand at multiples of 16 bytes; 64, a cache line, keeps whatever else a writer has aligned.
ALIGNMENT = 64


def add(flatbuffer: bytes, facts: Artefact) -> bytes:
    """`flatbuffer` with the entry TFLITE_METADATA that `facts` give; an older entry is replaced.

    The bytes of the model stay as they are, behind a new root that refers to them: nothing is packed again,
    so what TensorFlow's writer aligned stays aligned. The result depends on the arguments alone. The zip tail
    is appended afterwards: its hash is of the flatbuffer with this entry.

    Raises UserError: no TFLite model, or one that is laid out for more than 2 GB.
    """
    try:
        model = read_model_file(flatbuffer)
    except FlatbufferError as error:
        raise UserError(f"the model is damaged ({error}); convert it again") from error
    return _with_entry(flatbuffer, _describe(model, facts))


def _describe(model: ModelFile, facts: Artefact) -> bytes:
    """The ModelMetadata flatbuffer."""
    writer = _Writer()
    graph = model.main
    inputs = [_image(writer, facts.input)]
    inputs += [writer.table({0: writer.text(graph.tensors[index].name)}) for index in graph.inputs[1:]]
    outputs = [_scores(writer)]
    outputs += [writer.table({0: writer.text(graph.tensors[index].name)}) for index in graph.outputs[1:]]
    subgraph = writer.table({2: writer.vector(inputs), 3: writer.vector(outputs)})
    root = writer.table(
        {
            0: writer.text(facts.name),
            1: writer.text(f"{facts.task}, {len(facts.classes)} classes; made by edgecore"),
            3: writer.vector([subgraph]),
            7: writer.text(OLDEST_PARSER),
        }
    )
    return writer.finish(root)


def _image(writer: _Writer, spec: dict[str, Any]) -> int:
    """TensorMetadata of the input."""
    size = writer.table({}, {0: spec["width"], 1: spec["height"]})
    properties = writer.table({1: size}, bytes_={0: COLOUR_SPACES.get(spec["order"], 0)})
    content = writer.table({1: properties}, bytes_={0: IMAGE_PROPERTIES})
    # Here (x - mean) / std, in edgecore (x - mean) * scale.
    deviations = [1 / scale for scale in spec["scale"]]
    options = writer.table({0: writer.floats(_once(spec["mean"])), 1: writer.floats(_once(deviations))})
    unit = writer.table({1: options}, bytes_={0: NORMALISATION})
    return writer.table(
        {
            0: writer.text("image"),
            1: writer.text(f"{spec['order']}, the whole picture by '{spec['resize']}', values 0 to 255"),
            3: content,
            4: writer.vector([unit]),
        }
    )


def _once(values: Sequence[float]) -> Sequence[float]:
    """One number where all channels have the same: some readers know no other normalisation."""
    return values[:1] if len(set(values)) == 1 else values


def _scores(writer: _Writer) -> int:
    """TensorMetadata of the output."""
    labels = writer.table(
        {0: writer.text(LABELS), 1: writer.text("one label a line")}, bytes_={2: AXIS_LABELS}
    )
    content = writer.table({1: writer.table({})}, bytes_={0: FEATURE_PROPERTIES})
    return writer.table(
        {
            0: writer.text("scores"),
            1: writer.text("one value per class"),
            3: content,
            6: writer.vector([labels]),
        }
    )


class _Writer:
    """Tables by the numbers of their fields, children before parents as FlatBuffers wants them."""

    def __init__(self) -> None:
        self._builder = flatbuffers.Builder(1024)

    def text(self, value: str) -> int:
        return int(self._builder.CreateString(value))

    def vector(self, items: Sequence[int]) -> int:
        self._builder.StartVector(4, len(items), 4)
        for item in reversed(items):
            self._builder.PrependUOffsetTRelative(item)
        return int(self._builder.EndVector())

    def floats(self, values: Sequence[float]) -> int:
        self._builder.StartVector(4, len(values), 4)
        for value in reversed(values):
            self._builder.PrependFloat32(value)
        return int(self._builder.EndVector())

    def table(
        self,
        children: dict[int, int],
        numbers: dict[int, int] | None = None,
        bytes_: dict[int, int] | None = None,
    ) -> int:
        """A table with fields that refer to others, of uint32 and of one byte."""
        numbers, bytes_ = numbers or {}, bytes_ or {}
        self._builder.StartObject(max((*children, *numbers, *bytes_), default=-1) + 1)
        for field, child in children.items():
            self._builder.PrependUOffsetTRelativeSlot(field, child, 0)
        for field, number in numbers.items():
            self._builder.PrependUint32Slot(field, number, 0)
        for field, number in bytes_.items():
            self._builder.PrependUint8Slot(field, number, 0)
        return int(self._builder.EndObject())

    def finish(self, root: int) -> bytes:
        self._builder.Finish(root, file_identifier=METADATA_IDENTIFIER)
        return bytes(self._builder.Output())


def _with_entry(flatbuffer: bytes, content: bytes) -> bytes:
    """A new root in front, whose buffers and metadata are the old ones and one more.

    FlatBuffers refer forwards only and by distance, so the old bytes may be moved as one piece:

        root offset, identifier | vtable, Model | buffers | metadata | Metadata | Buffer | content | old bytes
    """
    root = Table(flatbuffer, struct.unpack_from("<I", flatbuffer)[0])
    fields = [_target(root, number) for number in range(MODEL_FIELDS)]
    if root.Offset(4 + 2 * MODEL_FIELDS):
        raise UserError(
            "the model has parts that this edgecore does not know; update it, or leave metadata out"
        )
    buffers, entries = _items(root, BUFFERS), _items(root, METADATA)
    for position in buffers:
        if Table(flatbuffer, position).Offset(6):
            raise UserError("the model keeps its constants outside the flatbuffer; make it smaller than 2 GB")
    entries = [position for position in entries if _name(Table(flatbuffer, position)) != ENTRY]

    name = ENTRY.encode() + b"\0"
    table = 8 + 4 + 2 * MODEL_FIELDS
    buffer_list = table + 4 + 4 * MODEL_FIELDS
    metadata_list = buffer_list + 4 + 4 * (len(buffers) + 1)
    entry = metadata_list + 4 + 4 * (len(entries) + 1) + 8
    buffer = entry + 12 + 8
    label = buffer + 8
    data = _aligned(label + 4 + len(name) + 4, 16) - 4
    front = bytearray(_aligned(data + 4 + len(content), ALIGNMENT))
    shift = len(front)

    places = [target + shift if target else 0 for target in fields]
    places[BUFFERS], places[METADATA] = buffer_list, metadata_list
    struct.pack_into("<I4s", front, 0, table, IDENTIFIER)
    slots = [4 + 4 * number if place else 0 for number, place in enumerate(places)]
    struct.pack_into(f"<{2 + MODEL_FIELDS}H", front, 8, table - 8, buffer_list - table, *slots)
    struct.pack_into("<i", front, table, table - 8)
    for number, place in enumerate(places):
        if number == VERSION:
            struct.pack_into("<4s", front, table + 4, flatbuffer[fields[VERSION] : fields[VERSION] + 4])
        elif place:
            _refer(front, table + 4 + 4 * number, place)
    for start, items in (
        (buffer_list, [*buffers, buffer - shift]),
        (metadata_list, [*entries, entry - shift]),
    ):
        struct.pack_into("<I", front, start, len(items))
        for number, position in enumerate(items):
            _refer(front, start + 4 + 4 * number, position + shift)
    struct.pack_into("<4Hi", front, entry - 8, 8, 12, 4, 8, 8)
    _refer(front, entry + 4, label)
    struct.pack_into("<I", front, entry + 8, len(buffers))
    struct.pack_into("<3H2xi", front, buffer - 8, 6, 8, 4, 8)
    _refer(front, buffer + 4, data)
    struct.pack_into(f"<I{len(name)}s", front, label, len(name) - 1, name)
    struct.pack_into(f"<I{len(content)}s", front, data, len(content), content)
    return bytes(front) + flatbuffer


def _refer(target: bytearray, at: int, position: int) -> None:
    struct.pack_into("<I", target, at, position - at)


def _aligned(size: int, to: int) -> int:
    return -(-size // to) * to


def _target(table: Table, number: int) -> int:
    """Where a field's object stands, or the field itself where it is a number; 0 without it."""
    offset = table.Offset(4 + 2 * number)
    if not offset:
        return 0
    return int(table.Pos + offset if number == VERSION else table.Indirect(table.Pos + offset))


def _items(table: Table, number: int) -> list[int]:
    """The positions of a vector's tables."""
    offset = table.Offset(4 + 2 * number)
    if not offset:
        return []
    start = table.Vector(offset)
    return [int(table.Indirect(start + 4 * item)) for item in range(table.VectorLen(offset))]


def _name(entry: Table) -> str:
    offset = entry.Offset(4)
    return entry.String(entry.Pos + offset).decode("utf-8", "replace") if offset else ""
