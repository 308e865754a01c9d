"""Every operator, over generated shapes and quantisations, gives TFLite's reference bytes on every tier."""

from __future__ import annotations

import pytest
from oracle import Network, Quant, assert_same, host, random_inputs
from oracle.cases import OPERATORS as COMPUTED
from oracle.cases import every_value, hold
from oracle.rearrange import REARRANGEMENTS

from edgecore import interpreter as ec

OPERATORS = {**COMPUTED, **REARRANGEMENTS}


@pytest.mark.parametrize("name", OPERATORS)
def test_operator(name: str) -> None:
    hold(OPERATORS[name], examples=25)


@pytest.mark.slow
@pytest.mark.parametrize("name", OPERATORS)
def test_operator_sweep(name: str) -> None:
    hold(OPERATORS[name], examples=400)


@pytest.mark.parametrize(
    "kind", ["RELU", "RELU6", "LEAKY_RELU", "LOGISTIC", "TANH", "HARD_SWISH", "QUANTIZE"]
)
@pytest.mark.parametrize("point", [-128, -1, 0, 127])
def test_every_value_of_a_table(kind: str, point: int) -> None:
    net = Network(seed=1)
    x = net.input((1, 16, 16, 1), Quant(0.047, point))
    options = {"alpha": 0.1} if kind == "LEAKY_RELU" else {}
    net.output(net.unary(kind, x, None if kind in ("LOGISTIC", "TANH") else Quant(0.031, -3), **options))
    assert_same(net.build(), [every_value()], threads=(1,), fuse=(True,))


@pytest.mark.parametrize(("per_channel", "keep"), [(True, False), (False, True)])
def test_fully_connected_variants(per_channel: bool, keep: bool) -> None:
    """Not both, see below."""
    net = Network(seed=2)
    x = net.input((1, 7, 40) if keep else (1, 40))
    net.output(net.fully_connected(x, 33, "RELU6", per_channel, keep_num_dims=keep))
    model = net.build()
    assert_same(model, random_inputs(model), threads=(2,), fuse=(True,))


def test_a_fully_connected_layer_that_the_reference_gets_wrong_is_left_to_the_interpreter() -> None:
    """2.14's per-channel kernel takes a rank 3 output for rank 2 and leaves most unwritten."""
    net = Network(seed=2)
    net.output(net.fully_connected(net.input((1, 7, 40)), 33, "RELU6", per_channel=True, keep_num_dims=True))
    delegate = ec.load_delegate()
    host().Interpreter(model_content=net.build(), experimental_delegates=[delegate])
    assert delegate.claimed_nodes == 0
    assert "of which the reference writes only a part" in delegate.refusals()[0]


def test_outputs_that_are_read_again_repeated_or_inputs() -> None:
    net = Network(seed=3)
    x = net.input((1, 9, 7, 3))
    y = net.conv2d(x, 5, (3, 3))
    net.output(y, net.unary("RELU", y), y, x)
    model = net.build()
    assert_same(model, random_inputs(model))
