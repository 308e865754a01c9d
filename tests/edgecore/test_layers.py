"""The costs of layers against published ones, and what runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgecore.layers import layers_of, macs_of
from edgecore.network import Network
from edgecore.tflite.model_file import Operator, Subgraph, Tensor


def tensor(*shape: int, constant: bool = False) -> Tensor:
    return Tensor("t", "int8", shape, constant, (), (), 0)


@pytest.mark.parametrize(
    ("name", "inputs", "output", "macs"),
    [
        ("CONV_2D", [(1, 8, 8, 3), (16, 3, 3, 3)], (1, 8, 8, 16), 8 * 8 * 16 * 27),
        ("CONV_2D", [(1, 8, 8, 6), (16, 3, 3, 3)], (1, 8, 8, 16), 8 * 8 * 16 * 27),  # two groups
        ("DEPTHWISE_CONV_2D", [(1, 8, 8, 3), (1, 5, 3, 6)], (1, 8, 4, 6), 8 * 4 * 6 * 15),
        ("FULLY_CONNECTED", [(1, 64), (10, 64)], (1, 10), 640),
        ("TRANSPOSE_CONV", [(4,), (16, 2, 2, 3), (1, 8, 8, 3)], (1, 16, 16, 16), 8 * 8 * 3 * 16 * 4),
        ("MAX_POOL_2D", [(1, 8, 8, 3)], (1, 4, 4, 3), 0),
    ],
)
def test_macs(name: str, inputs: list[tuple[int, ...]], output: tuple[int, ...], macs: int) -> None:
    tensors = (*(tensor(*shape) for shape in inputs), tensor(*output))
    operator = Operator(name, tuple(range(len(inputs))), (len(inputs),))
    if name == "FULLY_CONNECTED":
        tensors = (tensor(1, 64), tensor(10, 64), tensor(1, 10))
    assert macs_of(operator, Subgraph(tensors, (operator,), (0,), (len(inputs),))) == macs


@pytest.mark.parametrize(
    ("name", "parameters", "mmac"),
    [  # MLPerf Tiny's reference models
        ("resnet8_cifar10_int8", 77_706, 12.50),
        ("kws_dscnn_int8", 22_604, 2.66),
        ("vww_mobilenet_int8", 210_850, 7.49),
    ],
)
def test_totals_of_mlperf_tiny(shared: Path, name: str, parameters: int, mmac: float) -> None:
    layers = layers_of(Network(shared / f"models/mlperf_tiny/{name}.tflite"))
    assert sum(layer.parameters for layer in layers) == parameters
    assert sum(layer.macs for layer in layers) / 1e6 == pytest.approx(mmac, abs=0.01)
    assert all(layer.runs.startswith(("step", "engine")) for layer in layers)


def test_totals_agree_with_the_engine(model: Path) -> None:
    network = Network(model)
    steps = [step for engine in network.engines() for step in engine.steps()]
    layers = layers_of(network)
    assert sum(step.macs for step in steps) == sum(layer.macs for layer in layers)
    named = {node: f"step {number} {step.name}" for number, step in enumerate(steps) for node in step.nodes}
    for layer in layers:
        assert layer.runs == named.get(layer.index, "engine, no work")


def test_without_the_engine(model: Path) -> None:
    layers = layers_of(Network(model, delegate=False))
    assert {layer.runs for layer in layers} == {"interpreter"}
    assert [layer.operator for layer in layers][-1] == "SOFTMAX"
    assert layers[0].quantisation.startswith("int8 ") and layers[0].weights == "int8 per channel"
