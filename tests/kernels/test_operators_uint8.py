"""Operators without weights in uint8 models, and shapes and values that the int8 cases seldom reach."""

from __future__ import annotations

import math
import platform

import numpy as np
import pytest
from oracle import Network, Quant, assert_layer, assert_same

TABLES = ["RELU", "RELU6", "LEAKY_RELU", "LOGISTIC", "TANH", "HARD_SWISH", "QUANTIZE"]
ROUNDS = range(6)


def quant(rng: np.random.Generator, scale: float | None = None, dtype: str = "uint8") -> Quant:
    low = 0 if dtype == "uint8" else -128
    point = int(rng.choice([low, low + 255, low + 128, rng.integers(low, low + 256)]))
    return Quant(float(np.float32(scale or math.exp(rng.uniform(-6, -1)))), point)


@pytest.mark.parametrize("seed", ROUNDS)
@pytest.mark.parametrize("kind", ["MAX_POOL_2D", "AVERAGE_POOL_2D"])
def test_pools(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = Network(seed, "uint8")
    size = (int(rng.integers(1, 20)), int(rng.integers(1, 20)))
    window = (int(rng.integers(1, size[0] + 1)), int(rng.integers(1, size[1] + 1)))
    stride = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    x = net.input((1, *size, int(rng.choice([1, 8, 17, 70]))), quant(rng))
    padding = str(rng.choice(["SAME", "VALID"]))
    assert_layer(
        net, net.pool(x, kind, window, stride, padding, str(rng.choice(["NONE", "RELU", "RELU6"]))), seed
    )


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_average_of_a_large_map(dtype: str) -> None:
    net = Network(3, dtype)
    x = net.input((1, 200, 190, 3), quant(np.random.default_rng(1), dtype=dtype))
    assert_layer(net, net.pool(x, "AVERAGE_POOL_2D", (200, 190)), 5)


@pytest.mark.parametrize("seed", ROUNDS)
@pytest.mark.parametrize("kind", ["ADD", "MUL"])
def test_binary_operators_broadcast(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    dtype = "uint8" if seed % 2 else "int8"
    net = Network(seed, dtype)
    shape = (1, int(rng.integers(2, 9)), int(rng.integers(2, 9)), int(rng.choice([3, 16, 35])))
    # A size of one in any place of either input, and a shorter shape.
    shapes = [tuple(1 if rng.random() < 0.4 else n for n in shape) for _ in range(2)] + [shape[3:], shape]
    first, second = rng.permutation(4)[:2]
    a = net.input(shapes[first], quant(rng, dtype=dtype))
    b = net.input(shapes[second], quant(rng, dtype=dtype))
    scales = net.quants[a].scale, net.quants[b].scale
    scale = scales[0] * scales[1] * 90 if kind == "MUL" else max(scales) * 1.3
    assert_layer(
        net, net.binary(kind, a, b, str(rng.choice(["NONE", "RELU"])), quant(rng, scale, dtype)), seed
    )


@pytest.mark.parametrize("seed", ROUNDS)
@pytest.mark.parametrize("kind", TABLES)
def test_tables(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = Network(seed, "uint8")
    x = net.input((1, 3, 5, 70), quant(rng))
    out = (
        None if kind in ("LOGISTIC", "TANH") else quant(rng, net.quants[x].scale * float(rng.uniform(0.3, 2)))
    )
    options = {"alpha": 0.1} if kind == "LEAKY_RELU" else {}
    assert_layer(net, net.unary(kind, x, out, **options), seed)


@pytest.mark.parametrize("axes", [(1, 2), (2, 1), (1,), (2,), (3,), (-1, 1)])
def test_mean(axes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(len(axes))
    for keep in (False, True):
        net = Network(7, "uint8")
        x = net.input((1, 6, 9, 35), quant(rng))
        assert_layer(net, net.mean(x, axes, keep, quant(rng, net.quants[x].scale * 0.6)), 2)


def test_mean_of_few_axes_and_short_shapes() -> None:
    rng = np.random.default_rng(2)
    for shape, axes in [((1, 40), (1,)), ((1, 9, 20), (1,)), ((1, 9, 20), (2,)), ((1, 9, 20), (0, 1))]:
        net = Network(8)
        x = net.input(shape, quant(rng, dtype="int8"))
        assert_layer(net, net.mean(x, axes, True, quant(rng, net.quants[x].scale * 0.6, "int8")), 3)


def test_copies() -> None:
    rng = np.random.default_rng(3)
    net = Network(9, "uint8")
    common = quant(rng)
    a, b = net.input((1, 5, 6, 20), common), net.input((1, 5, 6, 7), common)
    joined = net.pad(net.concatenation([a, b, a]), [(0, 0), (1, 0), (0, 2), (1, 1)])
    assert_layer(net, net.reshape(joined, (1, 8, 6 * 49)), 4)


@pytest.mark.parametrize("seed", ROUNDS)
@pytest.mark.parametrize("kind", ["RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR"])
def test_resizes(kind: str, seed: int) -> None:
    """The reference interpolates uint8 in float."""
    rng = np.random.default_rng(seed)
    net = Network(seed, "uint8")
    shape = (1, int(rng.integers(1, 20)), int(rng.integers(1, 20)), int(rng.choice([1, 3, 21, 35])))
    x = net.input(shape, quant(rng))
    size = (int(rng.integers(1, 60)), int(rng.integers(1, 60)))
    assert_layer(net, net.resize(x, kind, size, seed % 3 == 1, seed % 3 == 2), seed)


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("kind", ["ADD", "MUL"])
@pytest.mark.parametrize("count", [*range(1, 41), 63, 64, 65, 130, 480])
def test_a_byte_for_each_channel(kind: str, count: int, constant: bool) -> None:
    """Squeeze and excitation, or a normalisation; scales of powers of two make ties."""
    rng = np.random.default_rng(count)
    dtype = "uint8" if count % 2 else "int8"
    net = Network(count, dtype)
    size = (int(rng.integers(1, 6)), int(rng.choice([8, 9, 31, 67])))
    ties = count % 3 == 0
    scales = [0.25, 0.125] if ties else [float(np.float32(math.exp(rng.uniform(-6, -1)))) for _ in range(2)]
    x = net.input((1, *size, count), quant(rng, scales[0], dtype))
    shape, of_shape = (1, 1, 1, count), quant(rng, scales[1], dtype)
    y = net.quantised_constant(shape, of_shape) if constant else net.input(shape, of_shape)
    scale = (
        scales[0] * scales[1] * (64 if ties else 90) if kind == "MUL" else max(scales) * (1 if ties else 1.3)
    )
    out, activation = quant(rng, scale, dtype), str(rng.choice(["NONE", "RELU"]))
    both = (x, y) if rng.integers(2) else (y, x)
    # Pixels of the output lie apart.
    padded = net.concatenation([net.binary(kind, *both, activation, out), net.input((1, *size, 3), out)])
    assert_layer(net, padded, count)


@pytest.mark.parametrize("count", [*range(1, 41), 255, 256, 257])
def test_softmax_of_many_pixels(count: int) -> None:
    """Rows on both sides of a vector's pixels; also of equal values, whose sums may be powers of two."""
    rng = np.random.default_rng(count)
    dtype = "uint8" if count % 2 else "int8"
    low = 0 if dtype == "uint8" else -128
    shape = (1, 2, int(rng.choice([7, 8, 9, 31, 32, 33, 65])), count)
    net = Network(count, dtype)
    net.output(net.softmax(net.input(shape, quant(rng, float(rng.choice([0.002, 0.05, 0.4])), dtype))))
    values = rng.integers(low, low + 256, (3, *shape))
    values[1] = low + 255 * rng.integers(0, 2, shape)
    values[2] = low + rng.integers(0, 2)
    model = net.build()
    for each in values.astype(dtype):
        assert_same(model, [each], threads=(1, 2), fuse=(True,))


@pytest.mark.skipif(
    platform.machine().startswith("armv7"),
    reason="the reference's own build for 32-bit ARM shifts by 32 and more as that CPU does, not as x86",
)
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("count", [3, 511, 512, 513, 1000, 2049])
def test_flat_softmax(dtype: str, count: int) -> None:
    """Sums of 512 and more make the reference's shift reach 32 bits."""
    net = Network(1, dtype)
    low = 0 if dtype == "uint8" else -128
    net.output(net.softmax(net.input((1, 2, count), Quant(0.05, low + 100))))
    model = net.build()
    for spread in (1, 3, 40):
        values = np.random.default_rng(spread).integers(low + 90, low + 90 + spread, (1, 2, count))
        assert_same(model, [values.astype(dtype)], threads=(1, 2), fuse=(True,))
