"""PyTorch's state dicts, without PyTorch: the zip of `torch.save` since 1.6, and the format before it.

Both hold a pickle in which a tensor is (storage, offset, size, stride) and storages are raw little-endian
bytes outside of it: in the zip as `<name>/data/<key>` beside `<name>/data.pkl`, in the older format after
the pickle, in the order of a list of keys, each behind its count of elements as int64.

A pickle may call whatever it names, so that only tensors, storages and OrderedDict can be named here: nothing
else is looked up, and a file that asks for more is refused. Source: `torch/serialization.py` and
`torch/_utils.py` of PyTorch.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgecore.converters.weights.files import Arrays
from edgecore.errors import UserError

MAGIC = 0x1950A86A20F9469CFC6C
STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}
# Where training scripts keep the state dict in a checkpoint.
WRAPPERS = ("state_dict", "model_state_dict", "model")
SAVE_AGAIN = "save it again in PyTorch: torch.save(model.state_dict(), FILE)"


class _Storage(NamedTuple):
    key: str
    dtype: str
    length: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class _Refused(Exception):
    """What the pickle asked for."""


class _Unpickler(pickle.Unpickler):
    """Knows what a state dict needs, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        known: dict[tuple[str, str], Callable[..., Any] | str] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor"): lambda *fields: _Tensor(*fields[:4]),
            ("torch._utils", "_rebuild_tensor_v2"): lambda *fields: _Tensor(*fields[:4]),
            ("torch._utils", "_rebuild_parameter"): lambda data, *_: data,
            **{("torch", storage): dtype for storage, dtype in STORAGES.items()},
        }
        if (module, name) not in known:
            raise _Refused(f"{module}.{name}")
        return known[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _, count, *view = pid
        if kind != "storage" or dtype not in STORAGES.values() or (view and view[0] is not None):
            raise _Refused("a storage of an unknown kind")
        return _Storage(str(key), dtype, int(count))


def read(path: Path) -> Arrays:
    """The tensors of a state dict, or of the one inside a checkpoint.

    Raises UserError for a damaged file, for one that holds more than tensors, which is never run, and for
    one with no state dict.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                content, storage_of = _from_zip(archive)
                return {name: _array(tensor, storage_of) for name, tensor in _tensors(content)}
        with path.open("rb") as file:
            content, storage_of = _from_sequence(file)
            return {name: _array(tensor, storage_of) for name, tensor in _tensors(content)}
    except _Refused as error:
        what = " ".join(str(error).split())
        raise UserError(
            f"{path} holds {what}, which is not loaded because it could run code; {SAVE_AGAIN}"
        ) from None
    except UserError as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}") from None
    # What a broken pickle raises depends on where it is broken.
    except Exception as error:
        what = " ".join(str(error).split())
        raise UserError(f"{path} does not read as a file of PyTorch: {what}; {SAVE_AGAIN}") from error


Read = Callable[[_Storage], bytes]


def _from_zip(archive: zipfile.ZipFile) -> tuple[Any, Read]:
    names = archive.namelist()
    pickles = [name for name in names if name.endswith("/data.pkl")]
    if len(pickles) != 1 or any("/code/" in name for name in names):
        raise UserError(f"a zip without a state dict, perhaps of TorchScript; {SAVE_AGAIN}")
    folder = pickles[0].removesuffix("data.pkl")
    if f"{folder}byteorder" in names and archive.read(f"{folder}byteorder") != b"little":
        raise UserError(f"saved in big-endian order; {SAVE_AGAIN} on another machine")

    def storage_of(storage: _Storage) -> bytes:
        entry = archive.getinfo(f"{folder}data/{storage.key}")
        if entry.compress_type != zipfile.ZIP_STORED:
            raise UserError(f"its tensors are compressed; {SAVE_AGAIN}")
        return archive.read(entry)

    return _Unpickler(io.BytesIO(archive.read(pickles[0]))).load(), storage_of


def _from_sequence(file: BinaryIO) -> tuple[Any, Read]:
    if _Unpickler(file).load() != MAGIC:
        raise UserError(f"neither a zip nor a state dict of an old PyTorch; {SAVE_AGAIN}")
    _version, system = _Unpickler(file).load(), _Unpickler(file).load()
    if not system["little_endian"]:
        raise UserError(f"saved in big-endian order; {SAVE_AGAIN} on another machine")
    storages: dict[str, _Storage] = {}

    class Collecting(_Unpickler):
        def persistent_load(self, pid: Any) -> _Storage:
            storage = super().persistent_load(pid)
            storages[storage.key] = storage
            return storage

    content = Collecting(file).load()
    raw: dict[str, bytes] = {}
    for key in _Unpickler(file).load():
        storage = storages[str(key)]
        count = int.from_bytes(file.read(8), "little")
        if count != storage.length:
            raise UserError(f"storage {key} has {count} elements, not {storage.length}: a damaged file")
        raw[storage.key] = file.read(count * _item(storage.dtype))
    return content, lambda storage: raw[storage.key]


def _tensors(content: Any) -> Iterator[tuple[str, _Tensor]]:
    """(name, tensor) of the state dict, wherever it lies; other values of it are left out."""
    for wrapper in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    if not isinstance(content, dict):
        raise UserError(f"holds no state dict; {SAVE_AGAIN}")
    return ((str(name), value) for name, value in content.items() if isinstance(value, _Tensor))


def _item(dtype: str) -> int:
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize


def _array(tensor: _Tensor, storage_of: Read) -> NDArray[Any]:
    """The tensor's elements, after a check that all of them lie inside its storage."""
    storage, offset, size, stride = tensor
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    elements = math.prod(size)
    if (
        min((offset, *size, *stride)) < 0
        or (elements and last >= storage.length)
        or elements > storage.length
    ):
        raise UserError(f"a tensor of size {size} reaches out of its storage: a damaged file")
    raw = storage_of(storage)
    item = _item(storage.dtype)
    if len(raw) != storage.length * item:
        raise UserError(f"storage {storage.key} has {len(raw)} bytes, not {storage.length * item}: damaged")
    if storage.dtype == "bfloat16":  # the upper half of a float32
        flat: NDArray[Any] = (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
    else:
        flat = np.frombuffer(raw, storage.dtype)
    strides = tuple(step * flat.itemsize for step in stride)
    return np.lib.stride_tricks.as_strided(flat[offset:], size, strides, writeable=False).copy()
