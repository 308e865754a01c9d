"""One .tflite, verified and opened: tensors in, tensors out, and what the engine made of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgecore.errors import UserError
from edgecore.native_output import held_stderr
from edgecore.tflite.flatbuffer import FlatbufferError
from edgecore.tflite.model_file import ModelFile, Tensor, read_model_file

if TYPE_CHECKING:
    import numpy as np

    from edgecore.artefact import Artefact
    from edgecore.interpreter import Delegate, Engine

ZIP_ENTRY = b"PK\x03\x04"  # how the first file of a zip archive begins
ZIP_GAP = 64  # bytes of padding that may stand between a FlatBuffer and the archive appended to it
LARGEST_TAIL = 1 << 26  # bytes unpacked; a small file may claim to hold terabytes


@dataclass(frozen=True)
class TensorSpec:
    """An input or output: value = (stored - zero_point) * scale; scale 0 means not quantised."""

    name: str
    index: int
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int


def read_model(path: Path, data: bytes | None = None) -> tuple[bytes, ModelFile]:
    """The bytes of a .tflite, or those given, and their verified structure.

    Raises UserError: the file is missing, not a TFLite model, truncated or damaged.
    """
    try:
        data = path.read_bytes() if data is None else data
    except IsADirectoryError:
        raise UserError(f"{path} is a folder; name a .tflite file") from None
    except FileNotFoundError:
        raise UserError(f"there is no model {path}; check the path") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    if data[4:8] != b"TFL3":
        what = "is empty" if not data else "is not a TFLite model (it lacks the identifier TFL3)"
        raise UserError(f"{path} {what}; make one with `edgecore convert`")
    try:
        return data, read_model_file(data)
    except FlatbufferError as error:
        raise UserError(f"{path} is truncated or damaged ({error}); copy or convert it again") from error


def read_artefact(path: Path, data: bytes, end: int) -> tuple[Artefact | None, tuple[str, ...] | None]:
    """What travels in the file, and the labels: edgecore.json's, or a foreign model's only text file.

    Raises UserError: the archive behind the model is cut off, or belongs to another model.
    """
    if data.find(ZIP_ENTRY, end, end + ZIP_GAP) < 0:
        return None, None
    import io
    import zipfile
    import zlib

    from edgecore import artefact

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST_TAIL:
                raise zipfile.BadZipFile
            contents = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, OSError, EOFError) as error:
        raise UserError(
            f"{path} is truncated or damaged: its labels do not read; copy or convert it again"
        ) from error
    try:
        facts = artefact.parse(data)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    if facts is not None:
        return facts, facts.classes or None
    texts = [contents[name] for name in contents if name.endswith(".txt")]
    return None, tuple(label_lines(texts[0].decode("utf-8", "replace"))) if len(texts) == 1 else None


def label_lines(text: str) -> list[str]:
    """One label a line; blank lines at the end do not count."""
    return [line.strip() for line in text.rstrip().splitlines()]


class Network:
    """A verified model in an allocated interpreter.

    Args:
        path: a .tflite file.
        threads: threads of the engine and of the interpreter; None takes every core that the process may use.
        delegate: False runs the plain interpreter.
        isa: a tier's name; None takes $EDGECORE_ISA or the best tier of this CPU.
        fuse: False compiles one step per node.
        data: the content of the file, where the caller has it.

    `notice` says why the engine is not attached although it was asked for; it is empty otherwise.

    Raises UserError for whatever is wrong with the file, the tier's name or the installation.
    """

    def __init__(
        self,
        path: str | Path,
        threads: int | None = None,
        delegate: bool = True,
        isa: str | None = None,
        fuse: bool = True,
        data: bytes | None = None,
    ) -> None:
        self.path = Path(path)
        self._options = (delegate, isa, fuse)
        if threads is not None and threads < 1:
            raise UserError(f"{threads} threads are not possible; give 1 or more")
        self.threads = threads or len(os.sched_getaffinity(0))
        self.data, self.file = read_model(self.path, data)
        self.artefact, self.labels = read_artefact(self.path, self.data, self.file.end)
        self.notice = ""
        self._interpreter = self._open(threads, delegate, isa, fuse)
        self.delegate: Delegate | None = self._interpreter.edgecore_delegate
        self._input_views = [self._interpreter.tensor(spec.index) for spec in self.inputs]
        self._output_views = [self._interpreter.tensor(spec.index) for spec in self.outputs]

    def _open(self, threads: int | None, delegate: bool, isa: str | None, fuse: bool) -> Any:
        import warnings

        from edgecore.interpreter import load_delegate, open_interpreter

        try:
            chosen = load_delegate(threads or 0, isa, fuse) if delegate else False
        except ValueError as error:
            raise UserError(str(error)) from error
        with held_stderr(), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                opened = open_interpreter(self.data, threads, chosen, verify=False)
            except UserError as error:
                raise UserError(f"{self.path}: {error}") from error
        self.notice = "; ".join(str(item.message) for item in caught)
        return opened

    def on_one_thread(self) -> Network:
        """The same bytes opened again with the same options, but for one thread; the file is not read."""
        return Network(self.path, 1, *self._options, data=self.data)

    @property
    def runtime(self) -> str:
        """The interpreter's package and version, e.g. "tflite-runtime 2.14.0"."""
        from importlib.metadata import version

        from edgecore.interpreter import runtime_name

        package = runtime_name().replace("_", "-")
        return f"{package} {version(package)}"

    @cached_property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """The input tensors, in the model's order."""
        return tuple(map(_spec, self._interpreter.get_input_details()))

    @cached_property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """The output tensors, in the model's order."""
        return tuple(map(_spec, self._interpreter.get_output_details()))

    def input(self, position: int = 0) -> np.ndarray:
        """The interpreter's own buffer of an input, to be written in place.

        Drop the array before invoke(): the interpreter refuses to run while somebody holds it.
        """
        view: np.ndarray = self._input_views[position]()
        return view

    def output(self, position: int = 0) -> np.ndarray:
        """A copy of an output, as stored (quantised)."""
        copy: np.ndarray = self._output_views[position]().copy()
        return copy

    def invoke(self) -> None:
        """One inference over what stands in the inputs. Raises UserError when the interpreter gives up."""
        try:
            self._interpreter.invoke()
        except RuntimeError as error:
            reason = (str(error).splitlines() or ["no reason given"])[0]
            raise UserError(f"{self.path} fails while it runs ({reason}); convert it again") from error

    def engines(self) -> list[Engine]:
        """The engines that the delegate made; empty without one, or when it claimed nothing."""
        return self.delegate.engines() if self.delegate is not None else []

    def tensor(self, index: int) -> Tensor:
        """What the file says of a tensor."""
        return self.file.main.tensors[index]


def _spec(details: dict[str, Any]) -> TensorSpec:
    import numpy as np

    scale, zero_point = details["quantization"]
    shape = tuple(int(size) for size in details["shape"])
    dtype = np.dtype(details["dtype"]).name
    return TensorSpec(details["name"], int(details["index"]), shape, dtype, float(scale), int(zero_point))
