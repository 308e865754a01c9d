"""Runs a model twice: by tflite-runtime's reference kernels, which are the norm, and by the engine.

The engine runs in whichever runtime is installed; the norm exists only where tflite-runtime does.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from needs import missing
from numpy.typing import NDArray

from edgecore import interpreter as ec

from .network import Network

Array = NDArray[Any]


@functools.cache
def host() -> Any:
    """The interpreter module in which the engine runs."""
    return importlib.import_module(ec.runtime_name() + ".interpreter")


@functools.cache
def norm() -> Any:
    """The interpreter module whose reference kernels are the norm."""
    try:
        return importlib.import_module("tflite_runtime.interpreter")
    except ImportError:
        missing("tflite-runtime 2.14 is not installed, which is the norm of exactness; use Python 3.11")


def reference(model: bytes, inputs: Sequence[Array]) -> list[Array]:
    """Outputs of tflite-runtime's BUILTIN_REF kernels, in the order of the model's outputs."""
    resolver = norm().OpResolverType.BUILTIN_REF
    runtime = norm().Interpreter(model_content=model, experimental_op_resolver_type=resolver, num_threads=1)
    return run(runtime, inputs)


@dataclass(frozen=True)
class EngineRun:
    outputs: list[Array]
    steps: list[str]  # names of the engine's steps, in order
    isa: str


def engine(
    model: bytes,
    inputs: Sequence[Array],
    threads: int = 1,
    isa: str | None = None,
    fuse: bool = True,
    whole: bool = True,
    repeat: int = 1,
) -> EngineRun:
    """Runs a model through the delegate.

    whole: every node must have been claimed, by one partition. repeat: runs that must all agree.
    """
    delegate = ec.load_delegate(threads=threads, isa=isa, fuse=fuse)
    runtime = host().Interpreter(model_content=model, experimental_delegates=[delegate])
    if whole:
        assert delegate.claimed_nodes == delegate.total_nodes, "left to the interpreter: " + "; ".join(
            f"node {node}: {why}" for node, why in delegate.refusals().items()
        )
        assert delegate.total_nodes > 0
    outputs = run(runtime, inputs)
    for _ in range(repeat - 1):
        for first, again in zip(outputs, run(runtime, inputs), strict=True):
            np.testing.assert_array_equal(first, again, err_msg="two runs of one engine differ")
    steps = [step.name for engine in delegate.engines() for step in engine.steps()]
    names = {engine.isa for engine in delegate.engines()}
    if isa is not None and whole:
        assert names == {isa}, f"asked for {isa}, ran {names}"
    return EngineRun(outputs, steps, ",".join(sorted(names)))


def available_isas() -> list[str]:
    """Names of the tiers that this CPU has, weakest first."""
    library = ec.library()
    library.edgecore_isa_name.restype = ctypes.c_char_p
    library.edgecore_isa_available.restype = ctypes.c_bool
    count = library.edgecore_isa_count()
    return [library.edgecore_isa_name(i).decode() for i in range(count) if library.edgecore_isa_available(i)]


def random_inputs(model: bytes, seed: int = 0, extreme: bool = False) -> list[Array]:
    """Inputs for a model over the whole range of their type; extreme: only the two ends and the middle."""
    rng = np.random.default_rng(seed)
    arrays: list[Array] = []
    for detail in host().Interpreter(model_content=model).get_input_details():
        limits = np.iinfo(detail["dtype"])
        if extreme:
            choices = [limits.min, limits.min + 1, (limits.min + limits.max) // 2, limits.max]
            values = rng.choice(choices, detail["shape"])
        else:
            values = rng.integers(limits.min, limits.max + 1, detail["shape"])
        arrays.append(np.asarray(values, detail["dtype"]))
    return arrays


def assert_same(
    model: bytes,
    inputs: Sequence[Array],
    threads: Iterable[int] = (1, 2, 4),
    isas: Iterable[str] | None = None,
    fuse: Iterable[bool] = (True, False),
    whole: bool = True,
) -> dict[tuple[str, int, bool], EngineRun]:
    """Asserts that the engine gives the reference's bytes for every tier, thread count and fusing choice."""
    wanted = reference(model, inputs)
    runs: dict[tuple[str, int, bool], EngineRun] = {}
    for isa, count, fused in itertools.product(
        available_isas() if isas is None else list(isas), list(threads), list(fuse)
    ):
        run = engine(model, inputs, count, isa, fused, whole)
        for index, (want, got) in enumerate(zip(wanted, run.outputs, strict=True)):
            _assert_equal(want, got, f"output {index}, isa {isa}, {count} threads, fuse {fused}, {run.steps}")
        runs[isa, count, fused] = run
    return runs


def assert_layer(net: Network, output: int, seed: int) -> None:
    """Asserts the reference's bytes of `net` with this output, for noise and for the ends of the type."""
    net.output(output)
    model = net.build()
    for extreme in (False, True):
        assert_same(model, random_inputs(model, seed, extreme), threads=(1, 2), fuse=(True,))


def _assert_equal(want: Array, got: Array, where: str) -> None:
    assert want.dtype == got.dtype and want.shape == got.shape, f"{where}: {got.dtype}{got.shape}"
    wrong = np.argwhere(want != got)
    if len(wrong):
        at = tuple(int(i) for i in wrong[0])
        largest = int(np.abs(want.astype(np.int64) - got.astype(np.int64)).max())
        raise AssertionError(
            f"{where}: {len(wrong)} of {want.size} bytes differ, by up to {largest}; "
            f"first at {at} of {want.shape}: {got[at]} instead of {want[at]}"
        )


def run(runtime: Any, inputs: Sequence[Array]) -> list[Array]:
    """One inference of an interpreter."""
    runtime.allocate_tensors()
    for detail, array in zip(runtime.get_input_details(), inputs, strict=True):
        runtime.set_tensor(detail["index"], array)
    runtime.invoke()
    return [runtime.get_tensor(detail["index"]) for detail in runtime.get_output_details()]
