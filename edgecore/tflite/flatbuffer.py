"""A bounds-checked reader of FlatBuffers (format: https://flatbuffers.dev/internals, little endian).

TFLite's interpreter trusts the offsets of a file it opens by content; a damaged file would make it read
wild memory. Everything here checks before it reads and remembers how far the buffer is used.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

SIZES = {"b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "f": 4, "q": 8, "Q": 8, "?": 1}


class FlatbufferError(ValueError):
    """The bytes are not a well-formed FlatBuffer."""


class Buffer:
    """The bytes of one file, with the end of the part that was reached so far."""

    __slots__ = ("data", "end", "size")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self.end = 0

    def require(self, position: int, size: int) -> None:
        """Raises FlatbufferError unless `size` bytes stand at `position`."""
        stop = position + size
        if position < 0 or size < 0 or stop > self.size:
            raise FlatbufferError(f"an offset points {stop - self.size} bytes past the end of the file")
        if stop > self.end:
            self.end = stop

    def read(self, code: str, position: int) -> int:
        """One integer of struct format `code`."""
        self.require(position, SIZES[code])
        value: int = struct.unpack_from("<" + code, self.data, position)[0]
        return value

    def integers(self, position: int, count: int, code: str) -> tuple[int, ...]:
        """`count` integers side by side."""
        self.require(position, count * SIZES[code])
        return struct.unpack_from(f"<{count}{code}", self.data, position)

    def root(self, identifier: bytes) -> Table:
        """The root table of a file whose bytes 4..8 are `identifier`."""
        self.require(0, 8)
        if self.data[4:8] != identifier:
            raise FlatbufferError(f"the identifier {identifier.decode()} is missing")
        return Table(self, self.read("I", 0))


class Table:
    """One table: fields are addressed by their number in the schema."""

    __slots__ = ("buffer", "position", "size", "vtable", "vtable_size")

    def __init__(self, buffer: Buffer, position: int) -> None:
        if position % 4:
            raise FlatbufferError("a table is not aligned")
        self.buffer = buffer
        self.position = position
        self.vtable = position - buffer.read("i", position)
        self.vtable_size = buffer.read("H", self.vtable)
        self.size = buffer.read("H", self.vtable + 2)
        if self.vtable_size < 4 or self.vtable_size % 2 or self.size < 4:
            raise FlatbufferError("a table's header is damaged")
        buffer.require(self.vtable, self.vtable_size)
        buffer.require(position, self.size)
        if self.vtable_size > 4:
            fields = struct.unpack_from(f"<{self.vtable_size // 2 - 2}H", buffer.data, self.vtable + 4)
            if max(fields) >= self.size:
                raise FlatbufferError("a field lies outside its table")

    def _field(self, number: int, size: int) -> int:
        """The position of a field, or 0 when the table does not hold it."""
        slot = 4 + 2 * number
        if slot >= self.vtable_size:
            return 0
        offset = self.buffer.read("H", self.vtable + slot)
        if offset == 0:
            return 0
        if offset + size > self.size or offset < 4:
            raise FlatbufferError("a field lies outside its table")
        return self.position + offset

    def scalar(self, number: int, code: str, default: int = 0) -> int:
        """An integer field."""
        position = self._field(number, SIZES[code])
        return self.buffer.read(code, position) if position else default

    def real(self, number: int) -> float:
        """A float32 field; 0 where the table does not hold it."""
        position = self._field(number, 4)
        return float(self.buffer.read("f", position)) if position else 0.0

    def _target(self, number: int) -> int:
        position = self._field(number, 4)
        return position + self.buffer.read("I", position) if position else 0

    def table(self, number: int) -> Table | None:
        """A sub-table field."""
        target = self._target(number)
        return Table(self.buffer, target) if target else None

    def _vector(self, number: int, item_size: int) -> tuple[int, int]:
        """The position of the first item and the number of items."""
        target = self._target(number)
        if not target:
            return 0, 0
        if target % 4:
            raise FlatbufferError("a vector is not aligned")
        count = self.buffer.read("I", target)
        self.buffer.require(target + 4, count * item_size)
        return target + 4, count

    def string(self, number: int) -> str:
        """A string field."""
        position, count = self._vector(number, 1)
        if position:
            self.buffer.require(position, count + 1)
            if self.buffer.data[position + count]:
                raise FlatbufferError("a name does not end where it should")
        try:
            return self.buffer.data[position : position + count].decode("utf-8")
        except UnicodeDecodeError as error:
            raise FlatbufferError("a name is not UTF-8") from error

    def integers(self, number: int, code: str) -> tuple[int, ...]:
        """A vector of integers."""
        position, count = self._vector(number, SIZES[code])
        return self.buffer.integers(position, count, code) if count else ()

    def floats(self, number: int) -> tuple[float, ...]:
        """A vector of float32."""
        position, count = self._vector(number, 4)
        return struct.unpack_from(f"<{count}f", self.buffer.data, position) if count else ()

    def span(self, number: int) -> tuple[int, int]:
        """Position and length of a vector of bytes."""
        return self._vector(number, 1)

    def tables(self, number: int) -> Iterator[Table]:
        """A vector of tables."""
        position, count = self._vector(number, 4)
        for slot in range(position, position + 4 * count, 4):
            yield Table(self.buffer, slot + self.buffer.read("I", slot))
