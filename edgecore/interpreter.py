"""The TFLite interpreter of this machine, with edgecore's delegate or without it."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from edgecore.errors import UserError

RUNTIMES = (("tflite_runtime.interpreter", "tflite-runtime"), ("ai_edge_litert.interpreter", "ai-edge-litert"))


@dataclass(frozen=True)
class Step:
    """One step of a compiled engine: an operator, or a fused block of several."""

    name: str
    nodes: tuple[int, ...]  # operator indices in the .tflite's first subgraph
    macs: int
    bytes: int
    shape: tuple[int, ...]
    nanoseconds: int  # of the last run, when profiling is on


@dataclass(frozen=True)
class Engine:
    """What one engine (one claimed part of a model) is made of."""

    isa: str
    threads: int
    arena_bytes: int
    weight_bytes: int
    steps: tuple[Step, ...]


def default_threads() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


def runtime() -> tuple[ModuleType, str]:
    """The first TFLite interpreter module that imports, and its name with version."""
    for module, package in RUNTIMES:
        try:
            return importlib.import_module(module), f"{package} {importlib.metadata.version(package)}"
        except ImportError:
            continue
    raise UserError("no TFLite interpreter is installed; pip install tflite-runtime (Python 3.11) or ai-edge-litert")


def library_path() -> Path:
    """The shared library with the engine and the delegate; $EDGECORE_LIBRARY overrides it."""
    override = os.environ.get("EDGECORE_LIBRARY")
    if override:
        return Path(override)
    import edgecore.kernels

    for folder in edgecore.kernels.__path__:
        candidate = Path(folder) / "libedgecore.so"
        if candidate.exists():
            return candidate
    raise UserError("libedgecore.so is not built; reinstall edgecore")


def load_delegate(threads: int | None = None, isa: str | None = None, fuse: bool = True) -> Any:
    """A delegate for `Interpreter(path, experimental_delegates=[...])`."""
    options: dict[str, object] = {"threads": threads or default_threads(), "fuse": int(fuse)}
    if isa:
        options["isa"] = isa
    try:
        return runtime()[0].load_delegate(str(library_path()), options)
    except (ValueError, OSError, AttributeError) as error:
        raise UserError(f"the delegate does not load: {error}") from error


def open_interpreter(
    model: bytes, threads: int | None = None, delegate: Any | None = None, reference: bool = False
) -> Any:
    """An allocated interpreter over a model's bytes; `reference` takes TFLite's reference kernels.

    Raises ValueError or RuntimeError with TFLite's own text.
    """
    module = runtime()[0]
    resolver = module.OpResolverType.BUILTIN_REF if reference else module.OpResolverType.AUTO
    interpreter = module.Interpreter(
        model_content=model,
        num_threads=threads or default_threads(),
        experimental_delegates=[delegate] if delegate is not None else None,
        experimental_op_resolver_type=resolver,
    )
    interpreter.allocate_tensors()
    return interpreter


def engines(delegate: Any) -> list[Engine]:
    """The engines that a delegate made for the interpreter it was given to, in graph order."""
    return []


def set_profiling(delegate: Any, on: bool) -> None:
    """Switches the timing of single steps on or off for all engines of a delegate."""
