"""Tensors are written before they are read, once, and never where a constant or an input is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from oracle.models import spp
from oracle.writer import edited

from edgecore.tflite.dataflow import check_calls, check_dataflow
from edgecore.tflite.flatbuffer import FlatbufferError
from edgecore.tflite.model_file import Operator, Subgraph, Tensor, read_model_file

# How spp's operators 15 to 20 are joined: pool, reshape with its shape, three times.
POOLED, SHAPE, OTHER = 27, 29, 31


@pytest.fixture(scope="module")
def model() -> bytes:
    whole = spp().build()
    graph = read_model_file(whole).main
    assert [(each.name, each.inputs, each.outputs) for each in graph.operators[15:17]] == [
        ("MAX_POOL_2D", (24,), (POOLED,)),
        ("RESHAPE", (POOLED, SHAPE), (28,)),
    ]
    assert graph.operators[18].outputs == (OTHER,)
    return whole


def write_elsewhere(index: int) -> Callable[[Any], None]:
    def change(whole: Any) -> None:
        whole.subgraphs[0].operators[15].outputs = [index]

    return change


def swap(whole: Any) -> None:
    operators = whole.subgraphs[0].operators
    operators[15], operators[16] = operators[16], operators[15]


def lose_contents(whole: Any) -> None:
    whole.subgraphs[0].tensors[SHAPE].buffer = 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        # Without the delegate TFLite refuses this while it runs, with any attached it crashes.
        (write_elsewhere(OTHER), "two operators write the tensor 't31'"),
        (write_elsewhere(SHAPE), "a MAX_POOL_2D writes the constant 't29'"),
        (write_elsewhere(0), "a MAX_POOL_2D writes the input 't0'"),
        (swap, "a RESHAPE reads the tensor 't27' that only a later operator writes"),
        (lose_contents, "a RESHAPE reads the tensor 't29' that has no contents"),
    ],
)
def test_a_broken_flow_is_refused(model: bytes, change: Callable[[Any], None], message: str) -> None:
    with pytest.raises(FlatbufferError, match=message):
        read_model_file(edited(model, change))


def tensor(shape: tuple[int, ...] = (2,), constant: bool = False, variable: bool = False) -> Tensor:
    return Tensor("t", "float32", shape, constant, (), (), 0, variable)


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("ADD", tensor(constant=True)),
        ("ADD", tensor(variable=True)),
        ("CONCATENATION", tensor((0, 4))),
        ("RESHAPE", tensor(())),  # the options' shape is meant
    ],
)
def test_what_nobody_writes_but_may_be_read(name: str, second: Tensor) -> None:
    check_dataflow([tensor(), second, tensor()], [Operator(name, (0, 1, -1), (2,))], [0])
    with pytest.raises(FlatbufferError, match="has no contents"):
        check_dataflow([tensor(), tensor(), tensor()], [Operator(name, (0, 1, -1), (2,))], [0])


def graph(*nodes: tuple[str, tuple[int, ...]]) -> Subgraph:
    return Subgraph((), tuple(Operator(name, (), (), called) for name, called in nodes), (), ())


@pytest.mark.parametrize("name", ["IF", "WHILE"])
def test_a_subgraph_never_runs_itself(name: str) -> None:
    check_calls([graph((name, (2, 1))), graph(), graph(("CALL_ONCE", (1,)), (name, (1, 3))), graph()])
    check_calls([graph((name, (7, -1)))])  # which TFLite refuses
    check_calls([graph(("STRIDED_SLICE", (0, 0, 0, 0, 0)))])
    for broken in (
        [graph((name, (0, 1))), graph()],
        [graph((name, (1, 2))), graph(("CALL_ONCE", (2,))), graph((name, (0, 1)))],
    ):
        with pytest.raises(FlatbufferError, match="runs itself"):
            check_calls(broken)
