"""The TFLite interpreter of this machine with the engine attached as its delegate.

    delegate = load_delegate(threads=4)
    Interpreter("model.tflite", experimental_delegates=[delegate])   # tflite-runtime's or LiteRT's own class

`open_interpreter` does the same and picks whichever of the two runtimes is installed.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import importlib.util
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecore.errors import UserError

_RUNTIMES = ("tflite_runtime", "ai_edge_litert")
_MAX_RANK = 6


class _StepInfo(ctypes.Structure):
    """edgecore_step_info of edgecore/graph.h."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("tags", ctypes.POINTER(ctypes.c_int32)),
        ("tag_count", ctypes.c_int32),
        ("macs", ctypes.c_int64),
        ("bytes", ctypes.c_int64),
        ("output_dims", ctypes.c_int32 * _MAX_RANK),
        ("output_rank", ctypes.c_int32),
        ("nanoseconds", ctypes.c_int64),
    )


@dataclass(frozen=True)
class Step:
    """One step of the compiled plan: an operator or a fused block."""

    name: str
    nodes: tuple[int, ...]  # indices of the model's operators that it runs
    macs: int
    bytes: int  # activation and weight bytes read and written
    output_shape: tuple[int, ...]
    nanoseconds: int  # of the last run; 0 unless profiling is on


def library_path() -> Path:
    """libedgecore.so: $EDGECORE_LIBRARY, else the one of the installed package."""
    override = os.environ.get("EDGECORE_LIBRARY")
    if override:
        path = Path(override)
        if not path.is_file():
            raise UserError(f"EDGECORE_LIBRARY={override}: no such file; unset it or name a libedgecore.so")
        return path
    spec = importlib.util.find_spec("edgecore.kernels")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "libedgecore.so"
        if path.is_file():
            return path
    raise UserError("libedgecore.so is not in the edgecore.kernels package; build it with 'pip install .'")


@functools.cache
def library() -> ctypes.CDLL:
    """The loaded engine, with the signatures of the functions that this module calls."""
    path = library_path()
    try:
        # PyDLL: creating and destroying a delegate call back into Python and are short.
        loaded = ctypes.PyDLL(str(path))
        signatures: dict[str, tuple[Any, list[Any]]] = {
            "tflite_plugin_create_delegate": (
                ctypes.c_void_p,
                [ctypes.POINTER(ctypes.c_char_p), ctypes.POINTER(ctypes.c_char_p), ctypes.c_size_t, _REPORT],
            ),
            "tflite_plugin_destroy_delegate": (None, [ctypes.c_void_p]),
            "edgecore_delegate_total_nodes": (ctypes.c_int32, [ctypes.c_void_p]),
            "edgecore_delegate_claimed_nodes": (ctypes.c_int32, [ctypes.c_void_p]),
            "edgecore_delegate_refusal": (
                ctypes.c_char_p,
                [ctypes.c_void_p, ctypes.c_int32, ctypes.POINTER(ctypes.c_int32)],
            ),
            "edgecore_delegate_engine_count": (ctypes.c_int32, [ctypes.c_void_p]),
            "edgecore_delegate_engine": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int32]),
            "edgecore_engine_step_count": (ctypes.c_int32, [ctypes.c_void_p]),
            "edgecore_engine_step": (
                ctypes.c_int,
                [ctypes.c_void_p, ctypes.c_int32, ctypes.POINTER(_StepInfo)],
            ),
            "edgecore_engine_set_profiling": (None, [ctypes.c_void_p, ctypes.c_bool]),
            "edgecore_engine_arena_bytes": (ctypes.c_size_t, [ctypes.c_void_p]),
            "edgecore_engine_arena_floor": (ctypes.c_size_t, [ctypes.c_void_p]),
            "edgecore_engine_scratch_bytes": (ctypes.c_size_t, [ctypes.c_void_p]),
            "edgecore_engine_weight_bytes": (ctypes.c_size_t, [ctypes.c_void_p]),
            "edgecore_engine_isa": (ctypes.c_char_p, [ctypes.c_void_p]),
            "edgecore_engine_threads": (ctypes.c_int32, [ctypes.c_void_p]),
        }
        for name, (result, arguments) in signatures.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise UserError(f"{path}: {error}; reinstall edgecore") from error
    return loaded


_REPORT = ctypes.CFUNCTYPE(None, ctypes.c_char_p)


class Engine:
    """A compiled partition of a model. Raises RuntimeError once its interpreter is gone."""

    def __init__(self, delegate: Delegate, handle: int) -> None:
        self._delegate, self._address = delegate, handle
        self._library = library()

    @property
    def _handle(self) -> int:
        if self._address not in self._delegate.engine_handles():
            raise RuntimeError("the interpreter of this engine is gone")
        return self._address

    def steps(self) -> list[Step]:
        return list(self._steps())

    def _steps(self) -> Iterator[Step]:
        info = _StepInfo()
        handle = self._handle
        for index in range(self._library.edgecore_engine_step_count(handle)):
            if self._library.edgecore_engine_step(handle, index, ctypes.byref(info)) != 0:
                return
            yield Step(
                info.name.decode(),
                tuple(info.tags[: info.tag_count]),
                info.macs,
                info.bytes,
                tuple(info.output_dims[: info.output_rank]),
                info.nanoseconds,
            )

    def set_profiling(self, on: bool) -> None:
        """Steps measure their time from the next run on."""
        self._library.edgecore_engine_set_profiling(self._handle, on)

    @property
    def arena_bytes(self) -> int:
        return int(self._library.edgecore_engine_arena_bytes(self._handle))

    @property
    def arena_floor(self) -> int:
        """Bytes that live in the fullest step: no arena is smaller."""
        return int(self._library.edgecore_engine_arena_floor(self._handle))

    @property
    def scratch_bytes(self) -> int:
        """Working memory of all threads, beside the arena."""
        return int(self._library.edgecore_engine_scratch_bytes(self._handle))

    @property
    def weight_bytes(self) -> int:
        return int(self._library.edgecore_engine_weight_bytes(self._handle))

    @property
    def isa(self) -> str:
        name: bytes = self._library.edgecore_engine_isa(self._handle)
        return name.decode()

    @property
    def threads(self) -> int:
        return int(self._library.edgecore_engine_threads(self._handle))


class Delegate:
    """An external delegate for `experimental_delegates=[...]` of either runtime's Interpreter.

    Attach it to one interpreter. The interpreter keeps a reference, so it is destroyed first.
    """

    def __init__(self, options: dict[str, str]) -> None:
        self._pointer: int | None = None
        self.options = dict(options)
        self._library = library()
        keys = (ctypes.c_char_p * len(options))(*(key.encode() for key in options))
        values = (ctypes.c_char_p * len(options))(*(value.encode() for value in options.values()))
        lines: list[str] = []
        report = _REPORT(lambda text: lines.append(text.decode(errors="replace")))
        self._pointer = self._library.tflite_plugin_create_delegate(keys, values, len(options), report)
        if self._pointer is None:
            raise ValueError(" ".join(lines) or "the delegate could not be created")

    def __del__(self) -> None:
        if self._pointer is not None:
            self._library.tflite_plugin_destroy_delegate(self._pointer)
            self._pointer = None

    def _get_native_delegate_pointer(self) -> int | None:
        """What the runtimes' Interpreter asks of a delegate."""
        return self._pointer

    @property
    def total_nodes(self) -> int:
        """Operators of the model that the delegate was attached to; 0 before."""
        return int(self._library.edgecore_delegate_total_nodes(self._pointer))

    @property
    def claimed_nodes(self) -> int:
        """How many of them the engine runs."""
        return int(self._library.edgecore_delegate_claimed_nodes(self._pointer))

    def refusals(self) -> dict[int, str]:
        """Why each remaining operator was left to the interpreter, by its index in the model."""
        reasons: dict[int, str] = {}
        node = ctypes.c_int32()
        for index in range(self.total_nodes - self.claimed_nodes):
            text = self._library.edgecore_delegate_refusal(self._pointer, index, ctypes.byref(node))
            if text is not None:
                reasons[node.value] = text.decode(errors="replace")
        return reasons

    def engines(self) -> list[Engine]:
        """One per partition, compiled when the delegate is attached."""
        return [Engine(self, handle) for handle in self.engine_handles()]

    def engine_handles(self) -> list[int]:
        """Addresses of the engines that live now."""
        count = self._library.edgecore_delegate_engine_count(self._pointer)
        handles = (self._library.edgecore_delegate_engine(self._pointer, i) for i in range(count))
        return [handle for handle in handles if handle]


def load_delegate(
    threads: int | None = None, isa: str | None = None, fuse: bool = True, dynamic: bool = False
) -> Delegate:
    """The engine as a delegate.

    threads: None takes the interpreter's num_threads, 0 every core that the process may use.
    isa: a tier's name such as "avx2" or "dotprod"; None takes $EDGECORE_ISA, else the best of this CPU.
    fuse: False gives one step per operator, for tests and tables.
    dynamic: True accepts models whose shapes change while they run, which TFLite else refuses to delegate;
    the engine then takes the operators up to the first that are not its own, and inputs cannot be resized.
    Raises ValueError with the engine's reason for a wrong option.
    """
    options = {"fuse": "1" if fuse else "0"}
    if dynamic:
        options["dynamic"] = "1"
    if threads is not None:
        options["threads"] = str(threads)
    if isa is not None:
        options["isa"] = isa
    return Delegate(options)


def runtime_name() -> str:
    """The module of the interpreter that open_interpreter uses: "tflite_runtime" or "ai_edge_litert"."""
    for name in _RUNTIMES:
        if importlib.util.find_spec(name) is not None:
            return name
    raise UserError("no TFLite interpreter is installed; pip install tflite-runtime or ai-edge-litert")


def open_interpreter(
    model: str | Path | bytes,
    threads: int | None = None,
    delegate: bool | Delegate = True,
    verify: bool = True,
) -> Any:
    """An interpreter with its tensors allocated, and the engine attached.

    model: a path or the bytes of a .tflite. threads: for the engine and for what the interpreter runs itself;
    None or 0 means every core. delegate: False leaves the engine out, a Delegate is used as given.
    verify: False where the caller has read the file with edgecore.tflite already; a damaged one would crash
    the runtime.
    The attached one, or None, is the result's attribute `edgecore_delegate`; where the runtime refuses the
    given one because shapes change while the model runs, it is another one that allows that.
    Raises UserError when the file is missing or no model, and ValueError as load_delegate does.
    """
    where = "the model" if isinstance(model, bytes) else str(model)
    content = model if isinstance(model, bytes) else _read(model)
    if verify:
        _verify(content, where)
    count = threads or len(os.sched_getaffinity(0))
    if delegate is True:
        delegate = load_delegate(threads=threads or 0)
    runtime = importlib.import_module(runtime_name() + ".interpreter")
    attached: Delegate | None = delegate or None
    opened = None
    if attached is not None:
        opened, attached, reason = attach(lambda delegate: _open(runtime, content, count, delegate), attached)
    if opened is None:
        try:
            opened = _open(runtime, content, count, None)
        except (RuntimeError, ValueError) as error:
            line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise UserError(
                f"{where} is not a model that TFLite can run ({line}); convert it again"
            ) from error
        if delegate:
            warnings.warn(f"{where} runs without the engine: {reason}", stacklevel=2)
    opened.edgecore_delegate = attached
    return opened


def attach(opening: Callable[[Delegate], Any], delegate: Delegate) -> tuple[Any, Delegate | None, str]:
    """What `opening` makes of the delegate, the delegate, and where both are None, why.

    Where the runtime refuses the given one it is another one, that allows shapes to change.
    """
    try:
        return opening(delegate), delegate, ""
    except (RuntimeError, ValueError):
        # Most likely shapes that change while the model runs; then only a part is the engine's.
        dynamic = Delegate(delegate.options | {"dynamic": "1"})
    try:
        return opening(dynamic), dynamic, ""
    except (RuntimeError, ValueError) as error:
        return None, None, str(error)


def _open(runtime: Any, content: bytes, threads: int, delegate: Delegate | None) -> Any:
    opened = runtime.Interpreter(
        model_content=content, num_threads=threads, experimental_delegates=[delegate] if delegate else None
    )
    opened.allocate_tensors()
    return opened


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; give the path of a .tflite file") from error


def _verify(content: bytes, where: str) -> None:
    from edgecore.tflite.flatbuffer import FlatbufferError
    from edgecore.tflite.model_file import read_model_file

    try:
        read_model_file(content)
    except FlatbufferError as error:
        raise UserError(
            f"{where} is not a TFLite model, or a damaged one ({error}); convert it again"
        ) from error
