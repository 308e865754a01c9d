"""The arena of a model is as small as any could be: what lives in its fullest step, and no more.

In a chain that is the largest pair of an operator's input and output; beside a skip, its tensor too.
Each thread's scratch, which operators and the strips of fused blocks need, comes on top and is told apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from oracle import host
from oracle.models import MODELS

from edgecore import interpreter as ec
from edgecore.tflite.model_file import read_model_file

SAMPLES = ["squeezenet_v1.1", "res_squeezenet", "spp_covid_net", "resnet18", "mobilenet_v1", "mobilenet_v2"]
SLACK, ALIGNMENT = 64, 64  # of every buffer: bytes that vectors may read past its end


def engine_of(model: bytes, fuse: bool) -> tuple[ec.Engine, object]:
    """The only engine of a model, and the interpreter that keeps it."""
    delegate = ec.load_delegate(threads=2, fuse=fuse)
    interpreter = host().Interpreter(model_content=model, experimental_delegates=[delegate])
    interpreter.allocate_tensors()
    (engine,) = delegate.engines()
    return engine, interpreter


def fullest_step(model: bytes) -> int:
    """Bytes that live at once where each operator is a step, from the file alone."""
    graph = read_model_file(model).main
    last = len(graph.operators)
    lives = {tensor: [0, 0] for tensor in graph.inputs}
    for step, operator in enumerate(graph.operators):
        for tensor in (*operator.inputs, *operator.outputs):
            if tensor >= 0 and not graph.tensors[tensor].constant:
                lives.setdefault(tensor, [step, step])[1] = step
    for tensor in graph.outputs:
        lives[tensor][1] = last

    def size(tensor: int) -> int:
        return math.ceil((math.prod(graph.tensors[tensor].shape) + SLACK) / ALIGNMENT) * ALIGNMENT

    return max(
        sum(size(tensor) for tensor, (first, end) in lives.items() if first <= step <= end)
        for step in range(last + 1)
    )


def assert_smallest(model: bytes) -> None:
    plain, plain_owner = engine_of(model, fuse=False)
    assert plain.arena_floor == fullest_step(model)
    fused, fused_owner = engine_of(model, fuse=True)
    assert fused.arena_bytes == fused.arena_floor <= plain.arena_bytes
    assert fused.scratch_bytes > 0
    del plain_owner, fused_owner


@pytest.mark.parametrize("name", MODELS)
def test_written_model(name: str) -> None:
    assert_smallest(MODELS[name]().build())


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_sample(name: str, sample: Callable[[str], Path]) -> None:
    assert_smallest(sample(name).read_bytes())
