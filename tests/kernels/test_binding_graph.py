"""kernels.graph and kernels.cpu: the thin binding itself."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edgecore.kernels import cpu
from edgecore.kernels.graph import NODES, Engine, Graph


def relu_graph() -> Graph:
    graph = Graph()
    x = graph.tensor((1, 4, 5, 3), scales=[0.1], zero_points=[2], name="x")
    y = graph.tensor((1, 4, 5, 3), scales=[0.1], zero_points=[2], name="y")
    assert graph.node("relu", [x], y) == 0
    graph.set_io([x], [y])
    return graph


def arrays() -> tuple[np.ndarray, np.ndarray]:
    x = np.arange(-30, 30, dtype=np.int8).reshape(1, 4, 5, 3)
    return x, np.zeros_like(x)


def test_compile_and_run() -> None:
    engine = relu_graph().compile(threads=2)
    gc.collect()
    x, y = arrays()
    engine.run([x], [y])
    np.testing.assert_array_equal(y, np.maximum(x, 2))
    assert engine.inputs == engine.outputs == (("int8", (1, 4, 5, 3)),)
    assert engine.threads == 2 and engine.isa == cpu.selected_isa()
    assert engine.arena_bytes > 0 and engine.weight_bytes >= 0
    (step,) = engine.steps()
    assert (step.name, step.nodes, step.output_shape, step.nanoseconds) == ("relu", (0,), (1, 4, 5, 3), 0)
    engine.set_profiling(True)
    engine.run([x], [y])
    assert engine.steps()[0].nanoseconds > 0


def test_constants_are_copied() -> None:
    graph = Graph()
    weights = np.full((2, 3), 1, np.int8)
    x = graph.tensor((1, 3), scales=[1], zero_points=[0])
    w = graph.tensor((2, 3), scales=[1], zero_points=[0], data=weights)
    y = graph.tensor((1, 2), scales=[1], zero_points=[0])
    graph.node("fully_connected", [x, w, None], y)
    graph.set_io([x], [y])
    weights[:] = 99
    del weights
    gc.collect()
    out = np.zeros((1, 2), np.int8)
    graph.compile().run([np.array([[1, 2, 3]], np.int8)], [out])
    assert out.tolist() == [[6, 6]]


def test_every_tier_runs() -> None:
    x, y = arrays()
    for isa in cpu.available_isas():
        engine = relu_graph().compile(isa=isa)
        assert engine.isa == isa
        engine.run([x], [y])
        np.testing.assert_array_equal(y, np.maximum(x, 2))


def test_engines_run_in_threads() -> None:
    x, _ = arrays()
    wrong: list[int] = []

    def work(index: int) -> None:
        engine = relu_graph().compile(threads=2)
        out = np.empty_like(x)
        for _ in range(50):
            out[:] = 0
            engine.run([x], [out])
            if not np.array_equal(out, np.maximum(x, 2)):
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


X, Y = arrays()
BAD_RUNS: list[tuple[str, list[Any], list[Any]]] = [
    ("inputs", [], [Y]),
    ("inputs", [X, X], [Y]),
    ("outputs", [X], []),
    (r"inputs\[0\]", [None], [Y]),
    (r"inputs\[0\]", [X.view(np.uint8)], [Y]),
    (r"inputs\[0\]", [X.astype(np.float32)], [Y]),
    (r"inputs\[0\]", [X.reshape(1, 5, 4, 3)], [Y]),
    (r"inputs\[0\]", [X[0]], [Y]),
    (r"inputs\[0\]", [X[..., ::-1]], [Y]),
    (r"inputs\[0\]", [np.zeros((1, 4, 5, 0), np.int8)], [Y]),
    (r"outputs\[0\]", [X], [read_only(Y.copy())]),
    (r"outputs\[0\]", [X], [np.asfortranarray(Y)]),
    (r"outputs\[0\]", [X], [Y[:, :2]]),
    (r"outputs\[0\]", [X], [b"bytes"]),
]


@pytest.mark.parametrize(("name", "inputs", "outputs"), BAD_RUNS)
def test_run_checks_its_arrays(name: str, inputs: list[Any], outputs: list[Any]) -> None:
    engine = relu_graph().compile()
    with pytest.raises(ValueError, match=rf"^{name}:"):
        engine.run(inputs, outputs)
    x, y = arrays()
    engine.run([x], [y])  # and holds on to nothing
    assert sys.getrefcount(x) == 2 and (y >= 2).all()


BAD_GRAPHS: list[tuple[str, Callable[[Any], Any]]] = [
    ("shape", lambda g: g.tensor((1, 2, 3, 4, 5, 6, 7))),
    ("shape", lambda g: g.tensor((1.5,))),
    ("shape", lambda g: g.tensor((2**31,))),
    ("shape", lambda g: g.tensor(3)),
    ("dtype", lambda g: g.tensor((1,), "float32")),
    ("scales", lambda g: g.tensor((1,), scales=["x"], zero_points=[0])),
    ("tensor bad", lambda g: g.tensor((1,), scales=[1e60], zero_points=[0], name="bad")),
    ("scales", lambda g: g.tensor((1,), scales=None)),
    ("zero_points", lambda g: g.tensor((1,), scales=[1.0], zero_points=[])),
    ("zero_points", lambda g: g.tensor((1,), scales=[1.0], zero_points=[2**40])),
    ("tensor bad", lambda g: g.tensor((1,), scales=[float("nan")], zero_points=[0], name="bad")),
    ("tensor bad", lambda g: g.tensor((1, 0), name="bad")),
    ("tensor bad", lambda g: g.tensor((1,), scales=[1.0], zero_points=[300], name="bad")),
    ("data", lambda g: g.tensor((2,), data=np.zeros(3, np.int8))),
    ("data", lambda g: g.tensor((2,), data=np.zeros(4, np.int8)[::2])),
    ("data", lambda g: g.tensor((2,), data=np.zeros(2, np.int32))),
    ("data", lambda g: g.tensor((2,), data=[1, 2])),
    ("kind", lambda g: g.node("sinh", [0], 1)),
    ("inputs", lambda g: g.node("relu", ["x"], 1)),
    ("activation", lambda g: g.node("relu", [0], 1, activation="tanh")),
    ("stride", lambda g: g.node("relu", [0], 1, stride=(1,))),
    ("axes", lambda g: g.node("relu", [0], 1, axes=())),
    ("alpha", lambda g: g.node("relu", [0], 1, alpha="x")),
    ("colour", lambda g: g.node("relu", [0], 1, colour=3)),
    ("node 0", lambda g: g.node("relu", [77], 1)),
    ("node 0", lambda g: g.node("relu", [0], -5)),
    ("inputs", lambda g: g.set_io([], [1])),
    ("the graph has no inputs", lambda g: g.compile()),
]


@pytest.mark.parametrize("index", range(len(BAD_GRAPHS)))
def test_building_is_checked(index: int) -> None:
    name, call = BAD_GRAPHS[index]
    graph = Graph()
    for _ in range(2):
        graph.tensor((1, 4), scales=[0.1], zero_points=[0])
    with pytest.raises(ValueError, match=rf"^{name}"):
        call(graph)


def test_what_the_engine_does_not_run_says_so() -> None:
    graph = Graph()
    x = graph.tensor((1, 4), scales=[0.1], zero_points=[0])
    y = graph.tensor((1, 5), scales=[0.1], zero_points=[0])
    graph.node("relu", [x], y)
    graph.set_io([x], [y])
    with pytest.raises(ValueError, match="shape"):
        graph.compile()
    with pytest.raises(ValueError, match="isa"):
        relu_graph().compile(isa=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="scalar"):
        relu_graph().compile(isa="nonsense")
    with pytest.raises(ValueError, match="threads"):
        relu_graph().compile(threads=-1)


def test_engines_come_from_graphs() -> None:
    with pytest.raises(TypeError):
        Engine()


def test_nodes_are_the_steps_names() -> None:
    assert len(NODES) == len(set(NODES)) == 27


def test_cpu() -> None:
    assert cpu.isas()[0] == "scalar"
    assert set(cpu.available_isas()) <= set(cpu.isas())
    assert [isa for isa in cpu.isas() if cpu.isa_available(isa)] == list(cpu.available_isas())
    assert cpu.selected_isa("scalar") == "scalar"
    assert cpu.cores() >= 1
    with pytest.raises(ValueError, match="nonsense"):
        cpu.selected_isa("nonsense")
    with pytest.raises(ValueError, match=r"^name:"):
        cpu.isa_available("nonsense")
    with pytest.raises(ValueError, match=r"^name:"):
        cpu.selected_isa(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "statement", ["import edgecore", "import edgecore.kernels", "import edgecore.kernels.cpu"]
)
def test_light_imports_leave_numpy_out(statement: str) -> None:
    code = f"{statement}; import sys; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-P", "-c", code]).returncode == 0


def test_all_names_resolve() -> None:
    import edgecore.kernels as kernels

    assert sorted(kernels.__all__) == dir(kernels)
    for name in kernels.__all__:
        assert getattr(kernels, name).__doc__
    with pytest.raises(AttributeError):
        kernels.nonsense  # noqa: B018
