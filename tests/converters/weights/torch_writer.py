"""Writes what `torch.save` writes, byte structure for byte structure, without PyTorch.

A pickler that names PyTorch's classes without having them: each is a global opcode with its module and name.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

KINDS = {"f4": "FloatStorage", "f8": "DoubleStorage", "f2": "HalfStorage", "i8": "LongStorage"}


class Global:
    """Something that the pickle names and nobody here has."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Call:
    """A call of a global, made when the file is read."""

    def __init__(self, called: Global, *arguments: Any) -> None:
        self.called, self.arguments = called, arguments


class Storage:
    def __init__(
        self, key: str, array: NDArray[Any], *, legacy: bool = False, kind: str | None = None
    ) -> None:
        name = kind or KINDS[array.dtype.str[1:]]
        self.key, self.array = key, array
        fields = ("storage", Global("torch", name), key, "cpu", array.size)
        self.pid = (*fields, None) if legacy else fields


class _Pickler(pickle._Pickler):  # the one in Python, whose opcodes can be chosen
    def persistent_id(self, value: Any) -> Any:
        return value.pid if isinstance(value, Storage) else None

    def save(self, value: Any, save_persistent_id: bool = True) -> None:
        if isinstance(value, Global):
            self.write(b"c" + f"{value.module}\n{value.name}\n".encode())  # type: ignore[attr-defined]
        elif isinstance(value, Call):
            self.save(value.called)
            self.save(value.arguments)
            self.write(b"R")  # type: ignore[attr-defined]
        else:
            super().save(value, save_persistent_id)  # type: ignore[misc]


def _dump(value: Any) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=2).dump(value)
    return buffer.getvalue()


def tensor(storage: Storage, shape: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> Call:
    """What the pickle says for one tensor; strides and offset in elements."""
    rebuild = Global("torch._utils", "_rebuild_tensor_v2")
    return Call(rebuild, storage, offset, shape, stride, False, OrderedDict())


def _tensors(state: dict[str, NDArray[Any]], legacy: bool) -> tuple[OrderedDict[str, Any], list[Storage]]:
    storages = [
        Storage(str(number), np.ascontiguousarray(array).reshape(array.shape), legacy=legacy)
        for number, array in enumerate(state.values())
    ]
    content: OrderedDict[str, Any] = OrderedDict()
    for (name, array), storage in zip(state.items(), storages, strict=True):
        steps = tuple(step // array.itemsize for step in np.ascontiguousarray(array).strides)
        content[name] = tensor(storage, array.shape, steps[: array.ndim])
    return content, storages


def write_zip(path: Path, content: Any, storages: list[Storage]) -> None:
    """The format since 1.6."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", _dump(content))
        archive.writestr("archive/byteorder", "little")
        for storage in storages:
            archive.writestr(f"archive/data/{storage.key}", storage.array.tobytes())
        archive.writestr("archive/version", "3\n")


def save(path: Path, state: dict[str, NDArray[Any]]) -> None:
    """`torch.save(state, path)`."""
    write_zip(path, *_tensors(state, legacy=False))


def save_checkpoint(path: Path, state: dict[str, NDArray[Any]]) -> None:
    """A training script's file, of a model inside DataParallel."""
    content, storages = _tensors({f"module.{name}": array for name, array in state.items()}, legacy=False)
    write_zip(path, {"epoch": 7, "state_dict": content, "best": 0.5}, storages)


def save_legacy(path: Path, state: dict[str, NDArray[Any]]) -> None:
    """`torch.save(state, path, _use_new_zipfile_serialization=False)`."""
    content, storages = _tensors(state, legacy=True)
    system = {
        "protocol_version": 1001,
        "little_endian": True,
        "type_sizes": {"short": 2, "int": 4, "long": 4},
    }
    with path.open("wb") as file:
        for value in (0x1950A86A20F9469CFC6C, 1001, system, content, [each.key for each in storages]):
            file.write(_dump(value))
        for storage in storages:
            file.write(struct.pack("<q", storage.array.size) + storage.array.tobytes())
