"""Every operator, over generated shapes and quantisations, gives TFLite's reference bytes on every tier."""

from __future__ import annotations

import pytest
from oracle import Network, Quant, assert_same
from oracle.cases import OPERATORS, every_value, hold


@pytest.mark.parametrize("name", OPERATORS)
def test_operator(name: str) -> None:
    hold(OPERATORS[name], examples=25)


@pytest.mark.slow
@pytest.mark.parametrize("name", OPERATORS)
def test_operator_sweep(name: str) -> None:
    hold(OPERATORS[name], examples=400)


@pytest.mark.parametrize("kind", ["RELU", "RELU6", "LEAKY_RELU", "LOGISTIC", "HARD_SWISH", "QUANTIZE"])
@pytest.mark.parametrize("point", [-128, -1, 0, 127])
def test_every_value_of_a_table(kind: str, point: int) -> None:
    net = Network(seed=1)
    x = net.input((1, 16, 16, 1), Quant(0.047, point))
    options = {"alpha": 0.1} if kind == "LEAKY_RELU" else {}
    net.output(net.unary(kind, x, None if kind == "LOGISTIC" else Quant(0.031, -3), **options))
    assert_same(net.build(), [every_value()], threads=(1,), fuse=(True,))
