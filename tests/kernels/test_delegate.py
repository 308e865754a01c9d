"""What the delegate claims in both runtimes, and what it leaves to the interpreter."""

from __future__ import annotations

import importlib
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import Network, Quant, engine, random_inputs, reference, run
from oracle.models import small_model

from edgecore import interpreter as ec
from edgecore.errors import UserError


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


@pytest.mark.parametrize("activation", ["RELU", "RELU6"])
def test_a_transposed_convolution_of_later_runtimes_has_an_activation(
    need_module: Callable[[str], None], activation: str
) -> None:
    if platform.machine() == "armv7l":
        pytest.skip("LiteRT has no wheel for 32-bit ARM")
    need_module("ai_edge_litert")
    later = importlib.import_module("ai_edge_litert.interpreter")
    net = Network(seed=4)
    net.output(net.transpose_conv(net.input((1, 7, 6, 9)), 8, (3, 3), activation=activation))
    model, delegate = net.build(), ec.load_delegate()
    inputs = random_inputs(model)
    resolver = later.OpResolverType.BUILTIN_REF
    norm = later.Interpreter(model_content=model, experimental_op_resolver_type=resolver)
    interpreter = later.Interpreter(model_content=model, experimental_delegates=[delegate])
    assert delegate.claimed_nodes == 1
    np.testing.assert_array_equal(run(interpreter, inputs)[0], run(norm, inputs)[0])


def test_profiling_measures_steps_when_it_is_on() -> None:
    interpreter = ec.open_interpreter(small_model())
    (engine_,) = interpreter.edgecore_delegate.engines()
    interpreter.invoke()
    assert all(step.nanoseconds == 0 for step in engine_.steps())
    engine_.set_profiling(True)
    interpreter.invoke()
    assert all(step.nanoseconds > 0 for step in engine_.steps())


def test_an_unknown_operator_in_the_middle_is_left_to_the_interpreter(runtime: Any) -> None:
    model = small_model(middle="ABS")
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
    net.output(net.unary("ABS", net.input((1, 5, 5, 3))))
    model = net.build()
    inputs = random_inputs(model)
    np.testing.assert_array_equal(engine(model, inputs, whole=False).outputs[0], reference(model, inputs)[0])


def test_operators_without_weights_stay_where_their_neighbours_are() -> None:
    net = Network(seed=1)
    y = net.unary("ABS", net.pool(net.input((1, 5, 5, 3)), "MAX_POOL_2D"))
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


def dynamic_model(chain: bool) -> bytes:
    """RESHAPE to a shape that is an input, or that Keras's SHAPE, STRIDED_SLICE, PACK compute."""
    net = Network(seed=6)
    writer = net.writer
    y = net.conv2d(net.input((1, 4, 4, 3)), 4, (3, 3), activation="RELU")
    if chain:
        shape, batch = writer.tensor((4,), "int32"), writer.tensor((), "int32")
        target = writer.tensor((2,), "int32")
        writer.op("SHAPE", [y], [shape], out_type=2)
        ends = [net.constant([value]) for value in (0, 1, 1)]
        writer.op("STRIDED_SLICE", [shape, *ends], [batch], shrink_axis_mask=1)
        writer.op("PACK", [batch, net.constant(np.array(64))], [target], values_count=2)
    else:
        target = writer.tensor((2,), "int32")
        writer.inputs.append(target)
    flat = net.activation((1, 64), net.quants[y])
    writer.op("RESHAPE", [y, target], [flat])
    net.output(net.pool(net.reshape(flat, (1, 8, 8, 1)), "MAX_POOL_2D"))
    return net.build()


@pytest.mark.parametrize("chain", [False, True])
def test_shapes_that_change_while_the_model_runs(chain: bool, runtime: Any) -> None:
    model = dynamic_model(chain)
    with pytest.raises(RuntimeError):
        runtime.Interpreter(model_content=model, experimental_delegates=[ec.load_delegate()])
    delegate = ec.load_delegate(threads=2, dynamic=True)
    interpreter = runtime.Interpreter(model_content=model, experimental_delegates=[delegate])
    image = np.random.default_rng(0).integers(-128, 128, (1, 4, 4, 3)).astype(np.int8)
    inputs = [image] if chain else [image, np.array([1, 64], np.int32)]
    for _ in range(3):
        got = run(interpreter, inputs)[0]
    np.testing.assert_array_equal(got, reference(model, inputs)[0])
    assert [step.name for e in delegate.engines() for step in e.steps()] == ["conv_2d"]


def test_open_interpreter_finds_the_way_that_works() -> None:
    interpreter = ec.open_interpreter(dynamic_model(chain=True), delegate=ec.load_delegate(threads=2))
    (engine_,) = interpreter.edgecore_delegate.engines()
    assert engine_.threads == 2 and interpreter.edgecore_delegate.claimed_nodes == 1


def test_resizing_a_dynamic_model_is_an_error_and_can_be_undone(runtime: Any) -> None:
    delegate = ec.load_delegate(dynamic=True)
    interpreter = runtime.Interpreter(model_content=small_model(), experimental_delegates=[delegate])
    before = run(interpreter, [np.zeros((1, 19, 17, 3), np.int8)])[0]
    index = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(index, (1, 25, 17, 3))
    with pytest.raises(RuntimeError, match="resized"):
        interpreter.allocate_tensors()
    interpreter.resize_tensor_input(index, (1, 19, 17, 3))
    np.testing.assert_array_equal(run(interpreter, [np.zeros((1, 19, 17, 3), np.int8)])[0], before)


@pytest.mark.skipif(platform.machine() == "armv7l", reason="LiteRT has no wheel for 32-bit ARM")
def test_xnnpack_takes_what_is_left(need_module: Callable[[str], None]) -> None:
    """LiteRT applies it by itself: here to a float tail and to an operator in the middle."""
    need_module("ai_edge_litert")
    litert = importlib.import_module("ai_edge_litert.interpreter")
    net = Network(seed=8)
    y = net.unary("ABS", net.conv2d(net.input((1, 12, 12, 3)), 16, (3, 3), activation="RELU"))
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
