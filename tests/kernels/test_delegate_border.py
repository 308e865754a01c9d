"""Models that no converter writes but the runtime takes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from oracle import Network, Quant, assert_same, host, random_inputs, run
from oracle.rearrange import split, split_v

from edgecore import interpreter as ec
from edgecore.errors import UserError

QUANT = Quant(0.05, -9)


def dropped_backwards(net: Network) -> None:
    x = net.input((1, 4, 5, 6), QUANT)
    y = net.activation((1, 5, 6), QUANT)
    places = [net.constant(values) for values in ([0, 3], [1, 2], [1, -1])]
    net.writer.op("STRIDED_SLICE", [x, *places], [y], 2, shrink_axis_mask=2)
    net.output(y)


def parts_of_a_part(net: Network) -> None:
    net.output(*split_v(net, net.input((1, 3, 4, 6), QUANT), [2, 3], 3))


def long_order(net: Network) -> None:
    y = net.activation((4, 4, 4, 4), QUANT)
    net.writer.op("TRANSPOSE", [net.input((4, 4, 4, 4), QUANT), net.constant([0, 3, 1, 2], "int64")], [y])
    net.output(y)


def mixed_weights(net: Network, x_type: str = "uint8", w_type: str = "int8") -> None:
    x = net.writer.tensor((1, 5, 5, 3), x_type, 0.05, 0)
    weights = np.arange(4 * 27).reshape(4, 3, 3, 3) - (50 if w_type == "int8" else 0)
    w = net.writer.tensor((4, 3, 3, 3), w_type, 0.01, 0, data=weights)
    bias = net.writer.tensor((4,), "int32", 0.0005, 0, data=np.zeros(4))
    y = net.writer.tensor((1, 5, 5, 4), x_type, 0.5, 0)
    net.writer.op(
        "CONV_2D", [x, w, bias], [y], padding="SAME", stride_h=1, stride_w=1,
        dilation_h_factor=1, dilation_w_factor=1,
    )  # fmt: skip
    net.writer.inputs.append(x)
    net.output(y)


@pytest.mark.parametrize(
    ("build", "why"),
    [
        (dropped_backwards, "a dropped axis that is walked backwards"),
        (parts_of_a_part, "parts that are not all of their input"),
        (long_order, "an order that is not of int32"),
        (mixed_weights, "weights and input are of different types"),
        (lambda net: mixed_weights(net, "int8", "uint8"), "weights and input are of different types"),
    ],
    ids=["slice", "split", "transpose", "uint8 by int8", "int8 by uint8"],
)
def test_it_is_left_to_the_interpreter(build: Callable[[Network], None], why: str) -> None:
    net = Network(seed=2)
    build(net)
    delegate = ec.load_delegate()
    ec.open_interpreter(net.build(), delegate=delegate)
    assert delegate.refusals() == {0: why}


def test_operators_out_of_order_are_all_left_to_the_interpreter() -> None:
    """The reader refuses it; TFLite runs it somehow, and asked to cut it into partitions it would crash."""
    net = Network(seed=2)
    x, a, b = (net.input((1, 4, 5, 6), QUANT), *(net.activation((1, 4, 5, 6), QUANT) for _ in range(2)))
    net.writer.op("ADD", [x, b], [a])
    net.writer.op("RELU", [a], [b])
    net.output(net.conv2d(b, 4))
    delegate = ec.load_delegate()
    with pytest.raises(UserError, match="reads the tensor 't2' that only a later operator writes"):
        ec.open_interpreter(net.build(), delegate=delegate)
    interpreter = ec.open_interpreter(net.build(), delegate=delegate, verify=False)
    assert delegate.claimed_nodes == 0
    assert delegate.refusals()[2] == "the model's operators are not in the order of their results"
    interpreter.invoke()


@pytest.mark.parametrize("activation", ["RELU", "RELU_N1_TO_1", "RELU6"])
def test_a_transposed_convolution_of_an_old_version_has_its_activation(activation: str) -> None:
    net = Network(seed=4)
    x = net.input((1, 7, 6, 9))
    net.output(net.transpose_conv(x, 8, (3, 3), activation=activation, version=3))
    model = net.build()
    assert_same(model, random_inputs(model), threads=(1,))


def test_a_partition_that_nobody_reads_does_nothing() -> None:
    """Behind an operator that is not the engine's stands a convolution whose result goes nowhere."""
    net = Network(seed=3)
    y = net.conv2d(net.input((1, 5, 5, 3), QUANT), 4, out=QUANT)
    foreign = net.unary("ABS", y)
    net.conv2d(foreign, 4)
    net.output(y, foreign)
    model = net.build()
    assert_same(model, random_inputs(model), threads=(1, 2), whole=False)
    delegate = ec.load_delegate()
    interpreter = host().Interpreter(model_content=model, experimental_delegates=[delegate])
    run(interpreter, random_inputs(model))
    assert list(delegate.refusals()) == [1] and delegate.claimed_nodes == 2
    assert len(delegate.engines()) == 1


def test_a_graph_may_have_hundreds_of_outputs() -> None:
    net = Network(seed=5)
    net.output(*split(net, net.input((1, 2, 2, 300), QUANT), 300, 3))
    model = net.build()
    assert_same(model, random_inputs(model), threads=(2,))
