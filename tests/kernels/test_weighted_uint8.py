"""Layers of uint8 models, as Coral has them: weights of any zero point, one scale in all."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import Network, Quant, assert_layer, assert_same, random_inputs

ROUNDS = range(8)


def pair(rng: np.random.Generator, low: int, high: int) -> tuple[int, int]:
    return int(rng.integers(low, high + 1)), int(rng.integers(low, high + 1))


def made(seed: int) -> tuple[Network, np.random.Generator, int]:
    """A network whose weights have a zero point from one end of the type to the other, and its input."""
    rng = np.random.default_rng(seed)
    net = Network(seed, "uint8")
    net.weight_point = [0, 255, 1, 254, 127, 128, 140, 97][seed % 8]
    channels = int(rng.choice([1, 3, 5, 16, 31, 40, 64, 70]))
    quant = Quant(float(rng.uniform(0.005, 0.1)), int(rng.choice([0, 255, 128, rng.integers(0, 256)])))
    return net, rng, net.input((1, *pair(rng, 1, 15), channels), quant)


@pytest.mark.parametrize("seed", ROUNDS)
@pytest.mark.parametrize("activation", ["NONE", "RELU", "RELU6"])
def test_convolutions(seed: int, activation: str) -> None:
    net, rng, x = made(seed)
    channels = int(rng.choice([1, 8, 17, 33, 64, 65]))
    kernel, stride, dilation = pair(rng, 1, 4), pair(rng, 1, 3), pair(rng, 1, 2)
    assert_layer(
        net, net.conv2d(x, channels, kernel, stride, dilation, activation=activation, per_channel=False), seed
    )


@pytest.mark.parametrize("seed", ROUNDS)
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3)])
def test_usual_convolutions(seed: int, kernel: tuple[int, int]) -> None:
    net, _, x = made(seed)
    assert_layer(net, net.conv2d(x, 48, kernel, activation="RELU6", per_channel=False), seed)


@pytest.mark.parametrize("seed", ROUNDS)
@pytest.mark.parametrize("multiplier", [1, 1, 3])
def test_depthwise_convolutions(seed: int, multiplier: int) -> None:
    net, rng, x = made(seed)
    kernel = (3, 3) if seed % 2 else pair(rng, 1, 5)
    y = net.depthwise_conv2d(x, multiplier, kernel, pair(rng, 1, 2), pair(rng, 1, 2), per_channel=False)
    assert_layer(net, y, seed)


@pytest.mark.parametrize("seed", ROUNDS)
def test_fully_connected(seed: int) -> None:
    net, rng, x = made(seed)
    assert_layer(net, net.fully_connected(x, int(rng.choice([1, 10, 33, 100])), bias=bool(seed % 3)), seed)


@pytest.mark.parametrize("seed", ROUNDS)
def test_transposed_convolutions(seed: int) -> None:
    net, rng, x = made(seed)
    y = net.transpose_conv(
        x, int(rng.choice([1, 8, 35])), pair(rng, 1, 4), pair(rng, 1, 3), per_channel=False
    )
    assert_layer(net, y, seed)


def test_a_network() -> None:
    """Stem, inverted residual and classifier, fused and not."""
    net = Network(5, "uint8")
    y = net.conv2d(net.input((1, 31, 29, 3)), 16, (3, 3), (2, 2), activation="RELU6", per_channel=False)
    wide = net.conv2d(y, 48, activation="RELU6", per_channel=False)
    wide = net.depthwise_conv2d(wide, 1, activation="RELU6", per_channel=False)
    y = net.binary("ADD", y, net.conv2d(wide, 16, per_channel=False))
    y = net.pool(y, "AVERAGE_POOL_2D", (16, 15))
    y = net.conv2d(y, 21, per_channel=False)
    net.output(net.softmax(net.reshape(y, (1, 21))))
    model = net.build()
    assert_same(model, random_inputs(model), threads=(1, 2), fuse=(True, False))
