"""The delegate in both runtimes: claims, refusals, options, lifetimes, threads."""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import Network, Quant, engine, random_inputs, reference, run
from oracle.blocks import fire

from edgecore import interpreter as ec
from edgecore.errors import UserError


def small_model(seed: int = 1, middle: str | None = None) -> bytes:
    """A stem, a fire module and a classifier; `middle` is an operator between the first two."""
    net = Network(seed=seed)
    y = net.conv2d(net.input((1, 19, 17, 3)), 16, (3, 3), (2, 2), activation="RELU")
    if middle:
        y = net.unary(middle, y)
    net.output(net.softmax(net.fully_connected(net.mean(fire(net, y, 8, 16, 16)), 10)))
    return net.build()


@pytest.fixture(params=["tflite_runtime", "ai_edge_litert"])
def runtime(request: pytest.FixtureRequest, need_module: Callable[[str], None]) -> Any:
    """Each of the two interpreter modules."""
    need_module(request.param)
    return importlib.import_module(request.param + ".interpreter")


def in_child(code: str, *arguments: str) -> str:
    """What Python code prints in a process of its own; on stderr only LiteRT may say something."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )
    problems = [line for line in done.stderr.splitlines() if not line.startswith("INFO: ")]
    assert (done.returncode, problems) == (0, []), done.stderr[-3000:]
    return done.stdout


# -- claims


def test_a_whole_graph_is_one_partition_and_its_steps_name_every_node() -> None:
    model = small_model()
    interpreter = ec.open_interpreter(model, threads=2)
    delegate = interpreter.edgecore_delegate
    (engine_,) = delegate.engines()
    steps = engine_.steps()
    assert delegate.claimed_nodes == delegate.total_nodes == 8 and delegate.refusals() == {}
    assert sorted(node for step in steps for node in step.nodes) == list(range(8))
    assert "fire" in [step.name for step in steps]
    assert engine_.threads == 2 and engine_.arena_bytes > 0 and engine_.weight_bytes > 0
    assert sum(step.macs for step in steps) == (10 * 9) * (27 * 16 + 16 * 8 + 8 * 16 + 72 * 16) + 32 * 10


def test_profiling_measures_steps_when_it_is_on() -> None:
    interpreter = ec.open_interpreter(small_model())
    (engine_,) = interpreter.edgecore_delegate.engines()
    interpreter.invoke()
    assert all(step.nanoseconds == 0 for step in engine_.steps())
    engine_.set_profiling(True)
    interpreter.invoke()
    assert all(step.nanoseconds > 0 for step in engine_.steps())


def test_an_unknown_operator_in_the_middle_is_left_to_the_interpreter(runtime: Any) -> None:
    model = small_model(middle="TANH")
    inputs = random_inputs(model)
    delegate = ec.load_delegate(threads=2)
    interpreter = runtime.Interpreter(model_content=model, experimental_delegates=[delegate])
    np.testing.assert_array_equal(run(interpreter, inputs)[0], reference(model, inputs)[0])
    assert list(delegate.refusals()) == [1] and delegate.claimed_nodes == 8
    assert sorted(n for e in delegate.engines() for s in e.steps() for n in s.nodes) == [
        0,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
    ]
    assert len(delegate.engines()) == 2


def test_models_with_nothing_for_the_engine_run() -> None:
    net = Network(seed=1)
    net.output(net.unary("TANH", net.input((1, 5, 5, 3))))
    model = net.build()
    inputs = random_inputs(model)
    np.testing.assert_array_equal(engine(model, inputs, whole=False).outputs[0], reference(model, inputs)[0])


def test_operators_without_weights_stay_where_their_neighbours_are() -> None:
    net = Network(seed=1)
    y = net.unary("TANH", net.pool(net.input((1, 5, 5, 3)), "MAX_POOL_2D"))
    net.output(net.unary("RELU", y))
    delegate = ec.load_delegate()
    interpreter = ec.open_interpreter(net.build(), delegate=delegate)
    interpreter.invoke()
    assert delegate.claimed_nodes == 0 and sorted(delegate.refusals()) == [0, 1, 2]


def test_uint8_models_give_the_reference_bytes() -> None:
    net = Network(seed=4, dtype="uint8")
    y = net.conv2d(net.input((1, 15, 13, 3)), 8, (3, 3), (2, 2), activation="RELU6", per_channel=False)
    y = net.depthwise_conv2d(y, activation="RELU6", per_channel=False)
    net.output(net.softmax(net.fully_connected(net.pool(y, "AVERAGE_POOL_2D", (7, 7)), 11)))
    model = net.build()
    inputs = random_inputs(model)
    got, want = engine(model, inputs, whole=False).outputs[0], reference(model, inputs)[0]
    assert np.abs(got.astype(int) - want).max() <= 1  # the interpreter's own kernels may run a part


def test_a_batch_of_two_is_left_to_the_interpreter() -> None:
    net = Network(seed=2)
    x = net.input((2, 9, 9, 4))
    y = net.activation((2, 9, 9, 4), Quant(0.02, 3))
    net.writer.op("LEAKY_RELU", [x], [y], alpha=0.2)
    net.output(y)
    model = net.build()
    inputs = random_inputs(model)
    run_ = engine(model, inputs, whole=False)
    np.testing.assert_array_equal(run_.outputs[0], reference(model, inputs)[0])
    assert run_.steps == []


def test_resizing_claims_again(runtime: Any) -> None:
    net = Network(seed=5)
    net.output(net.pool(net.conv2d(net.input((1, 9, 9, 3)), 8, (3, 3)), "MAX_POOL_2D", (2, 2), (2, 2)))
    model = net.build()
    delegate = ec.load_delegate()
    interpreter = runtime.Interpreter(model_content=model, experimental_delegates=[delegate])
    plain = runtime.Interpreter(
        model_content=model, experimental_op_resolver_type=runtime.OpResolverType.BUILTIN_REF
    )
    # LiteRT gives the batch to XNNPACK, which then keeps the output and so the pool.
    back = 2 if runtime.__name__.startswith("tflite") else 1
    for shape, claimed in (((1, 13, 7, 3), 2), ((2, 9, 9, 3), 0), ((1, 9, 9, 3), back)):
        inputs = [np.random.default_rng(0).integers(-128, 128, shape).astype(np.int8)]
        for each in (interpreter, plain):
            each.resize_tensor_input(each.get_input_details()[0]["index"], shape)
        got, want = run(interpreter, inputs)[0], run(plain, inputs)[0]
        assert got.shape == want.shape and delegate.claimed_nodes == claimed
        if claimed:
            np.testing.assert_array_equal(got, want)


def dynamic_model() -> bytes:
    """The shape of a RESHAPE is an input of the model."""
    net = Network(seed=6)
    y = net.conv2d(net.input((1, 4, 4, 3)), 4, activation="RELU")
    shape = net.writer.tensor((2,), "int32")
    net.writer.inputs.append(shape)
    flat = net.activation((1, 64), net.quants[y])
    net.writer.op("RESHAPE", [y, shape], [flat])
    net.output(net.fully_connected(flat, 3))
    return net.build()


def test_a_model_with_dynamic_shapes_runs_without_the_engine() -> None:
    model = dynamic_model()
    with pytest.warns(UserWarning, match="runs without the engine"):
        interpreter = ec.open_interpreter(model)
    assert interpreter.edgecore_delegate is None
    image = np.random.default_rng(0).integers(-128, 128, (1, 4, 4, 3)).astype(np.int8)
    assert run(interpreter, [image, np.array([1, 64], np.int32)])[0].shape == (1, 3)


def test_xnnpack_takes_what_is_left(need_module: Callable[[str], None]) -> None:
    """LiteRT applies it by itself: here to a float tail and to an operator in the middle."""
    need_module("ai_edge_litert")
    litert = importlib.import_module("ai_edge_litert.interpreter")
    net = Network(seed=8)
    y = net.unary("TANH", net.conv2d(net.input((1, 12, 12, 3)), 16, (3, 3), activation="RELU"))
    y = net.conv2d(y, 8, (3, 3), (2, 2))
    real = net.writer.tensor(net.shape(y), "float32")
    net.writer.op("DEQUANTIZE", [y], [real])
    halves = net.writer.tensor((1, 1, 1, 8), "float32", data=np.full((1, 1, 1, 8), 0.5, np.float32))
    total = net.writer.tensor(net.shape(y), "float32")
    net.writer.op("ADD", [real, halves], [total], version=1)
    net.output(total)
    model = net.build()
    inputs = random_inputs(model)
    delegate = ec.load_delegate(threads=2)
    interpreter = litert.Interpreter(model_content=model, experimental_delegates=[delegate])
    got = run(interpreter, inputs)[0]
    assert delegate.claimed_nodes == 2 and len(delegate.engines()) == 2
    step = net.quants[y].scale
    np.testing.assert_allclose(got, reference(model, inputs)[0], atol=2 * step)


# -- options


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"threads": "-1"}, "threads"),
        ({"threads": "257"}, "threads"),
        ({"threads": "4 "}, "threads"),
        ({"threads": ""}, "threads"),
        ({"threads": "99999999999999999999"}, "threads"),
        ({"isa": "mmx"}, "scalar"),
        ({"fuse": "yes"}, "fuse"),
        ({"speed": "11"}, "threads, isa and fuse"),
    ],
)
def test_wrong_options_are_one_line(options: dict[str, str], text: str, runtime: Any) -> None:
    with pytest.raises(ValueError, match=text) as caught:
        ec.Delegate(options)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError) as caught_by_runtime:
        runtime.load_delegate(str(ec.library_path()), options)
    assert str(caught_by_runtime.value).endswith(str(caught.value))


def test_a_wrong_default_isa_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGECORE_ISA", "mmx")
    with pytest.raises(ValueError, match="mmx"):
        ec.load_delegate()
    ec.load_delegate(isa="scalar")


def test_create_without_a_report_function_or_with_null_options_does_not_crash() -> None:
    create = ctypes.CDLL(str(ec.library_path())).tflite_plugin_create_delegate
    create.restype = ctypes.c_void_p
    keys = (ctypes.c_char_p * 1)(b"bad")
    nothing = (ctypes.c_char_p * 1)(None)
    assert create(keys, keys, ctypes.c_size_t(1), None) is None
    assert create(nothing, nothing, ctypes.c_size_t(1), None) is None
    assert create(None, None, ctypes.c_size_t(1), None) is None
    assert create(keys, keys, ctypes.c_size_t(1 << 40), None) is None


def test_threads_default_to_what_the_interpreter_recommends(runtime: Any) -> None:
    model = small_model()
    for asked, expected in ((3, 3), (None, 1)):
        delegate = ec.load_delegate()
        interpreter = runtime.Interpreter(
            model_content=model, num_threads=asked, experimental_delegates=[delegate]
        )
        interpreter.allocate_tensors()
        assert [e.threads for e in delegate.engines()] == [expected]


# -- lifetimes


def test_one_delegate_may_serve_interpreters_one_after_the_other(runtime: Any) -> None:
    delegate = ec.load_delegate()
    for seed in (1, 2):
        model = small_model(seed)
        inputs = random_inputs(model)
        interpreter = runtime.Interpreter(model_content=model, experimental_delegates=[delegate])
        np.testing.assert_array_equal(run(interpreter, inputs)[0], reference(model, inputs)[0])
        assert len(delegate.engines()) == 1
        del interpreter
        gc.collect()
    assert delegate.engines() == []


def test_a_delegate_that_is_destroyed_first_leaves_its_interpreter_whole(
    tmp_path: Path, runtime: Any
) -> None:
    (tmp_path / "m.tflite").write_bytes(small_model())
    text = in_child(
        """
        import importlib, sys
        from edgecore import interpreter as ec
        runtime = importlib.import_module(sys.argv[2])
        delegate = runtime.load_delegate(str(ec.library_path()))
        interpreter = runtime.Interpreter(sys.argv[1], experimental_delegates=[delegate])
        interpreter.allocate_tensors()
        delegate.__del__()
        interpreter.invoke()
        del interpreter
        print("whole")
        """,
        str(tmp_path / "m.tflite"),
        runtime.__name__,
    )
    assert text == "whole\n"


def test_an_engine_outlived_by_its_delegate_says_so() -> None:
    interpreter = ec.open_interpreter(small_model())
    delegate = interpreter.edgecore_delegate
    (engine_,) = delegate.engines()
    del interpreter
    gc.collect()
    with pytest.raises(RuntimeError, match="interpreter"):
        engine_.steps()


def test_interpreters_leave_no_memory_behind() -> None:
    model = small_model()

    def resident() -> int:
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    for _ in range(20):
        ec.open_interpreter(model, threads=2).invoke()
    before = resident()
    for _ in range(100):
        ec.open_interpreter(model, threads=2).invoke()
    assert resident() - before < 2_000_000


def test_interpreters_in_several_threads() -> None:
    models = [small_model(seed) for seed in range(4)]
    wanted = [reference(model, random_inputs(model)) for model in models]
    problems: list[str] = []

    def work(index: int) -> None:
        inputs = random_inputs(models[index])
        for threads in (1, 2, 3):
            got = engine(models[index], inputs, threads=threads, repeat=5).outputs
            if not np.array_equal(got[0], wanted[index][0]):
                problems.append(f"model {index}, {threads} threads")

    workers = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert problems == []


def test_a_forked_child_runs_the_engine_of_its_parent(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(small_model())
    text = in_child(
        """
        import os, sys
        import numpy as np
        from edgecore import interpreter as ec
        interpreter = ec.open_interpreter(sys.argv[1], threads=3)
        index = interpreter.get_output_details()[0]["index"]
        interpreter.invoke()
        parent = interpreter.get_tensor(index)
        child = os.fork()
        interpreter.invoke()
        same = np.array_equal(interpreter.get_tensor(index), parent)
        if child == 0:
            os._exit(0 if same else 1)
        print(same, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
        str(tmp_path / "m.tflite"),
    )
    assert text == "True 0\n"


# -- bad models


def test_what_is_no_model_is_a_user_error(tmp_path: Path) -> None:
    model = small_model()
    for content in (b"", b"TFL3", b"\x00" * 64, b"PK\x03\x04" + b"\x00" * 100):
        with pytest.raises(UserError):
            ec.open_interpreter(content)
    with pytest.raises(UserError, match="No such file"):
        ec.open_interpreter(tmp_path / "none.tflite")
    with pytest.raises(UserError):
        ec.open_interpreter(model[: len(model) // 2])


def test_a_library_that_is_not_there_is_a_user_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGECORE_LIBRARY", "/nonexistent/libedgecore.so")
    with pytest.raises(UserError, match="EDGECORE_LIBRARY"):
        ec.library_path()


# -- the runtime's layout


class _Delegate(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("prepare", ctypes.c_void_p))


_PLAN = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p))
_NODE = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.POINTER(ctypes.c_void_p),
)
_ERROR = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


@pytest.mark.parametrize(("node_bytes", "registration_bytes"), [(80, 96), (88, 88), (72, 96)])
def test_a_runtime_with_other_structures_is_refused(node_bytes: int, registration_bytes: int) -> None:
    """A context whose nodes and registrations lie as a later runtime might lay them."""
    memory = ctypes.create_string_buffer(4096)
    plan = (ctypes.c_int * 4)(3, 0, 1, 2)
    lines: list[bytes] = []

    @_PLAN
    def get_plan(context: int, out: ctypes._Pointer[ctypes.c_void_p]) -> int:
        out[0] = ctypes.addressof(plan)
        return 0

    @_NODE
    def get_node(context: int, index: int, node: ctypes._Pointer, registration: ctypes._Pointer) -> int:
        start = ctypes.addressof(memory) + index * (node_bytes + registration_bytes)
        node[0], registration[0] = start, start + node_bytes
        return 0

    @_ERROR
    def report(context: int, text: bytes) -> None:
        lines.append(text)

    words: list[Any] = [1, get_plan, ctypes.addressof(memory), 0, 0, report, 0, get_node, 0, 0]
    context = (ctypes.c_void_p * len(words))(
        *(w if isinstance(w, int) else ctypes.cast(w, ctypes.c_void_p).value for w in words)
    )
    delegate = ec.load_delegate()
    pointer = delegate._get_native_delegate_pointer()
    prepare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(
        _Delegate.from_address(pointer or 0).prepare
    )
    assert prepare(ctypes.addressof(context), pointer) == 2
    assert len(lines) == 1 and b"structures" in lines[0]
