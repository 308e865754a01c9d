"""Bytes that move between a step and memory: what a Pi 4, whose cores share 4 GB/s, waits for.

edgecore's are those of its plan: a fused block reads its inputs and weights once and writes its output once;
what lies between stays in a strip that fits the cache. A runtime that executes a graph operator by operator,
as XNNPACK and TFLite do, moves every operator's inputs, weights and outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgecore.benchmarks.arm.counts import Step
from edgecore.network import read_model
from edgecore.tflite.model_file import Subgraph

_SIZES = {"int8": 1, "uint8": 1, "int16": 2, "float16": 2, "int32": 4, "float32": 4, "int64": 8}
# Operators that only give their input another shape.
_FREE = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS"})


@dataclass(frozen=True)
class Traffic:
    """Bytes of one inference."""

    model: str
    fused: Mapping[str, int]  # edgecore's plan on each core
    by_operator: int


def _operator_bytes(graph: Subgraph, index: int) -> int:
    operator = graph.operators[index]
    if operator.name in _FREE:
        return 0
    used = [graph.tensors[number] for number in (*operator.inputs, *operator.outputs) if number >= 0]
    return sum(tensor.elements * _SIZES.get(tensor.type, 4) for tensor in used)


def traffic(model: str, path: Path, plans: Mapping[str, tuple[Step, ...]]) -> Traffic:
    """`plans` are edgecore's by core. Raises UserError: the file is no model."""
    _, file = read_model(path)
    graph = file.main
    return Traffic(
        model=model,
        fused={core: sum(step.bytes for step in steps) for core, steps in plans.items()},
        by_operator=sum(_operator_bytes(graph, index) for index in range(len(graph.operators))),
    )
