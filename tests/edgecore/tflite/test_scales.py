"""Scales at which TFLite's own checks would end the process."""

from __future__ import annotations

from typing import Any

import pytest
from oracle.models import resnet
from oracle.writer import edited

from edgecore.tflite.flatbuffer import FlatbufferError
from edgecore.tflite.model_file import Operator, Tensor, read_model_file
from edgecore.tflite.scales import check_scales


def node(name: str, *scales: float, kind: str = "int8", beta: float = 1.0) -> None:
    """Inputs' scales and the result's; 0 stands for none."""
    tensors = [Tensor("t", kind, (1, 4), False, (each,) if each else (), (0,), 0) for each in scales]
    inputs = tuple(range(len(scales) - 1))
    check_scales(Operator(name, inputs, (len(inputs),), beta=beta), tensors)


@pytest.mark.parametrize("name", ["ADD", "SUB"])
def test_the_scales_of_a_sum(name: str) -> None:
    node(name, 0.5, 0.25, 0.5)
    node(name, 2.0**18, 1.0, 1.0)
    node(name, 2.0**13, 1.0, 1.0, kind="int16")
    node(name, 0.0, 0.0, 0.0, kind="float32")
    node(name, 0.0, 0.0, 0.0, kind="int16")
    for scales in ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0), (1.0, 2.0**19, 1.0), (1e30, 1.0, 1.0)):
        with pytest.raises(FlatbufferError, match=f"a {name} has the scales"):
            node(name, *scales)
    with pytest.raises(FlatbufferError, match=f"a {name} has the scales"):
        node(name, 2.0**14, 1.0, 1.0, kind="int16")


@pytest.mark.parametrize("beta", [0.0, -1.0, 1e-30, float("nan")])
def test_the_factor_of_a_softmax(beta: float) -> None:
    node("SOFTMAX", 0.1, 1 / 256)
    node("SOFTMAX", 0.0, 0.0, kind="float32", beta=beta)
    with pytest.raises(FlatbufferError, match=r"a SOFTMAX has the scales .* and the factor"):
        node("SOFTMAX", 0.1, 1 / 256, beta=beta)


def test_scales_of_channels_are_none() -> None:
    tensors = [Tensor("t", "int8", (1, 4), False, (0.1,) * many, (0,) * many, 1) for many in (4, 1)]
    with pytest.raises(FlatbufferError, match=r"a SOFTMAX has the scales \[0.0\]"):
        check_scales(Operator("SOFTMAX", (0,), (1,)), tensors)


def test_a_model_whose_softmax_has_lost_its_factor() -> None:
    def change(whole: Any) -> None:
        whole.subgraphs[0].operators[-1].builtinOptions.beta = 0.0

    with pytest.raises(FlatbufferError, match="a SOFTMAX has the scales"):
        read_model_file(edited(resnet().build(), change))
