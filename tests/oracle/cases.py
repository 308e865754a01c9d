"""Hypothesis strategies for single operators: shapes, windows, quantisations and activations."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .network import REAL_SPREAD, Network, Pair, Quant
from .runtime import Array, assert_same, random_inputs

ACTIVATIONS = st.sampled_from(["NONE", "RELU", "RELU_N1_TO_1", "RELU6"])
PADDINGS = st.sampled_from(["SAME", "VALID"])
# Below, at and above every tile's and register's width.
CHANNELS = st.sampled_from([1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 47, 48, 63, 64, 65])
SIZES = st.integers(1, 17)


class Case:
    """A model, its inputs, and the ways to run it; prints as its text."""

    def __init__(
        self,
        text: str,
        model: bytes,
        inputs: list[Array],
        threads: tuple[int, ...] = (1, 2, 4),
        fuse: tuple[bool, ...] = (True,),
        whole: bool = True,
        steps: tuple[str, ...] = (),
    ) -> None:
        """steps: names that the fused plan must hold."""
        self.text, self.model, self.inputs = text, model, inputs
        self.threads, self.fuse, self.whole, self.steps = threads, fuse, whole, steps

    def __repr__(self) -> str:
        return self.text

    def check(self) -> None:
        runs = assert_same(self.model, self.inputs, self.threads, None, self.fuse, self.whole)
        for (_, _, fused), run in runs.items():
            assert not fused or set(self.steps) <= set(run.steps), f"{self.text}: ran {run.steps}"


def hold(cases: st.SearchStrategy[Case], examples: int) -> None:
    """Every case gives the reference's bytes."""

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def one(case: Case) -> None:
        case.check()

    one()


@st.composite
def quants(draw: st.DrawFn, low: float = 1e-4, high: float = 4.0) -> Quant:
    scale = math.exp(draw(st.floats(math.log(low), math.log(high), allow_subnormal=False)))
    point = draw(st.one_of(st.sampled_from([-128, -127, -1, 0, 1, 126, 127]), st.integers(-128, 127)))
    return Quant(scale, point)


@st.composite
def cases(draw: st.DrawFn, describe: Callable[[st.DrawFn, Network], str]) -> Case:
    """`describe` draws a network's parameters, builds it and returns them as text."""
    net = Network(seed=draw(st.integers(0, 2**16)))
    text = describe(draw, net)
    model = net.build()
    inputs = random_inputs(model, draw(st.integers(0, 2**16)), extreme=draw(st.booleans()))
    threads = draw(st.sampled_from([(1, 2), (4,), (2,), (1,)]))
    return Case(text, model, inputs, threads)


def _pairs(low: int, high: int) -> st.SearchStrategy[Pair]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


def _windowed(draw: st.DrawFn, size: Pair, largest: int, dilations: int) -> tuple[Pair, Pair, Pair, str]:
    """Kernel, stride, dilation, padding that fit in an input of `size`."""
    kernel = draw(st.one_of(st.sampled_from([(1, 1), (3, 3)]), _pairs(1, largest)))
    stride = draw(st.one_of(st.just((1, 1)), st.just((2, 2)), _pairs(1, 4)))
    dilation = draw(st.one_of(st.just((1, 1)), _pairs(1, dilations)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    fits = reach[0] <= size[0] and reach[1] <= size[1]
    return kernel, stride, dilation, draw(PADDINGS) if fits else "SAME"


def _weighted_out(draw: st.DrawFn, fan_in: int) -> Quant:
    """An output scale from saturating to vanishing, but never one that overflows int32 on the way."""
    factor = draw(st.sampled_from([1.0, 1.0, 1.0, 0.05, 20.0, 1e12] + ([1 / 2000] if fan_in <= 32 else [])))
    scale = REAL_SPREAD / 55 * factor
    return Quant(scale, draw(quants()).zero_point)


def _conv(draw: st.DrawFn, net: Network) -> str:
    size, depth, channels = draw(st.tuples(SIZES, SIZES)), draw(CHANNELS), draw(CHANNELS)
    kernel, stride, dilation, padding = _windowed(draw, size, 7, 3)
    x = net.input((1, *size, depth), draw(quants(1e-3, 0.5)))
    out = _weighted_out(draw, kernel[0] * kernel[1] * depth)
    options: dict[str, Any] = {
        "activation": draw(ACTIVATIONS),
        "per_channel": draw(st.booleans()),
        "extreme": draw(st.booleans()),
    }
    groups = draw(st.sampled_from([1, 1, 1] + [n for n in (2, 3, 4) if depth % n == 0 and channels % n == 0]))
    net.output(net.conv2d(x, channels, kernel, stride, dilation, padding, out=out, groups=groups, **options))
    return (
        f"conv {size} {depth}->{channels} {groups=} {kernel=} {stride=} {dilation=} {padding} {options} {out}"
    )


def _depthwise(draw: st.DrawFn, net: Network) -> str:
    size, depth = draw(st.tuples(SIZES, SIZES)), draw(CHANNELS)
    multiplier = draw(st.sampled_from([1, 1, 1, 2, 3, 8]))
    kernel, stride, dilation, padding = _windowed(draw, size, 7, 3)
    x = net.input((1, *size, depth), draw(quants(1e-3, 0.5)))
    out = _weighted_out(draw, kernel[0] * kernel[1])
    options: dict[str, Any] = {
        "activation": draw(ACTIVATIONS),
        "per_channel": draw(st.booleans()),
        "bias": draw(st.booleans()),
        "extreme": draw(st.booleans()),
    }
    net.output(net.depthwise_conv2d(x, multiplier, kernel, stride, dilation, padding, out=out, **options))
    return f"depthwise {size} {depth}x{multiplier} {kernel=} {stride=} {dilation=} {padding} {options} {out}"


def _fully_connected(draw: st.DrawFn, net: Network) -> str:
    shape = draw(
        st.one_of(
            st.tuples(st.just(1), st.integers(1, 300)),
            st.tuples(st.just(1), st.integers(1, 5), st.integers(1, 5), CHANNELS),
        )
    )
    units = draw(st.one_of(CHANNELS, st.integers(1, 130)))
    x = net.input(shape, draw(quants(1e-3, 0.5)))
    out = _weighted_out(draw, math.prod(shape))
    options: dict[str, Any] = {
        "activation": draw(ACTIVATIONS),
        "bias": draw(st.booleans()),
        "per_channel": draw(st.booleans()),
        "extreme": draw(st.booleans()),
    }
    net.output(net.fully_connected(x, units, out=out, **options))
    return f"fully connected {shape} -> {units} {options} {out}"


def _transpose_conv(draw: st.DrawFn, net: Network) -> str:
    size, depth, channels = draw(_pairs(1, 9)), draw(CHANNELS), draw(CHANNELS)
    kernel = draw(st.one_of(st.sampled_from([(2, 2), (3, 3), (4, 4)]), _pairs(1, 6)))
    stride = draw(st.one_of(st.just((2, 2)), _pairs(1, 4)))
    padding = draw(PADDINGS)
    x = net.input((1, *size, depth), draw(quants(1e-3, 0.5)))
    out = _weighted_out(draw, kernel[0] * kernel[1] * depth)
    options: dict[str, Any] = {"per_channel": draw(st.booleans()), "bias": draw(st.booleans())}
    if padding == "SAME" and draw(st.booleans()):  # an odd size that another convolution came from
        options["size"] = tuple(
            n * s - draw(st.integers(0, s - 1)) for n, s in zip(size, stride, strict=True)
        )
    net.output(net.transpose_conv(x, channels, kernel, stride, padding, out=out, **options))
    return f"transpose conv {size} {depth}->{channels} {kernel=} {stride=} {padding} {options} {out}"


def _pool(kind: str) -> Callable[[st.DrawFn, Network], str]:
    def describe(draw: st.DrawFn, net: Network) -> str:
        size, depth = draw(st.tuples(SIZES, SIZES)), draw(CHANNELS)
        kernel, stride, _, padding = _windowed(draw, size, 9, 1)
        x = net.input((1, *size, depth), draw(quants()))
        activation = draw(ACTIVATIONS)
        net.output(net.pool(x, kind, kernel, stride, padding, activation))
        return f"{kind} {size} {depth} {kernel=} {stride=} {padding} {activation} {net.quants[x]}"

    return describe


def _mean(draw: st.DrawFn, net: Network) -> str:
    shape = (1, draw(SIZES), draw(SIZES), draw(CHANNELS))
    axes = draw(st.sampled_from([(1, 2), (1, 2), (2, 1), (1,), (2,), (3,), (-1,), (-2, -3), (1, 2, 3)]))
    keep_dims = draw(st.booleans())
    x = net.input(shape, draw(quants()))
    scale = net.quants[x].scale
    out = draw(st.sampled_from([None, Quant(scale * 0.3, -5), Quant(scale * 1.7, 127), Quant(scale, -128)]))
    net.output(net.mean(x, axes, keep_dims, out))
    return f"mean {shape} {axes=} {keep_dims=} {net.quants[x]} -> {out}"


def _binary(kind: str) -> Callable[[st.DrawFn, Network], str]:
    def describe(draw: st.DrawFn, net: Network) -> str:
        shape = (1, draw(SIZES), draw(SIZES), draw(CHANNELS))
        other = draw(st.sampled_from(["same", "same", "same", "channels", "itself", "constant", "number"]))
        a = net.input(shape, draw(quants(1e-3, 2.0)))
        if other == "itself":
            b = a
        elif other == "constant":
            b = net.quantised_constant((1, 1, 1, shape[3]), draw(quants(1e-3, 2.0)))
        elif other == "number":
            b = net.quantised_constant((), draw(quants(1e-3, 2.0)))
        else:
            b = net.input(shape if other == "same" else (1, 1, 1, shape[3]), draw(quants(1e-3, 2.0)))
        first, second = net.quants[a].scale, net.quants[b].scale
        scale = first * second * 90 if kind == "MUL" else max(first, second)
        factor = draw(st.sampled_from([1.0, 1.5, 0.1, 30.0]))
        out = Quant(scale * factor, draw(quants()).zero_point)
        activation = draw(ACTIVATIONS)
        if draw(st.booleans()) and other == "channels":
            a, b = b, a
        net.output(net.binary(kind, a, b, activation, out))
        return f"{kind} {shape} with {other} {activation} {net.quants[a]} {net.quants[b]} -> {out}"

    return describe


def _concatenation(draw: st.DrawFn, net: Network) -> str:
    axis = draw(st.sampled_from([3, 3, 3, -1, 1, 2]))
    shape = [1, draw(SIZES), draw(SIZES), draw(CHANNELS)]
    quant, count = draw(quants()), draw(st.integers(1, 5))
    tensors = []
    for _ in range(count):
        shape[axis] = draw(CHANNELS if axis in (3, -1) else SIZES)
        tensors.append(net.input(shape, quant))
    if draw(st.booleans()):
        tensors.append(tensors[0])
    net.output(net.concatenation(tensors, axis))
    return f"concatenation of {[net.shape(t) for t in tensors]} {axis=}"


def _pad(draw: st.DrawFn, net: Network) -> str:
    shape = (1, draw(SIZES), draw(SIZES), draw(CHANNELS))
    few = st.tuples(st.integers(0, 3), st.integers(0, 3))
    paddings = [(0, 0), draw(few), draw(few), draw(st.one_of(st.just((0, 0)), few))]
    x = net.input(shape, draw(quants()))
    net.output(net.pad(x, paddings))
    return f"pad {shape} by {paddings} {net.quants[x]}"


def _reshape(draw: st.DrawFn, net: Network) -> str:
    height, width, depth = draw(SIZES), draw(SIZES), draw(CHANNELS)
    shapes = [
        (1, height, width, depth),
        (1, height * width * depth),
        (1, height * width, depth),
        (1, width, height, depth),
        (1, 1, 1, height * width * depth),
    ]
    before, after = draw(st.sampled_from(shapes)), draw(st.sampled_from(shapes))
    net.output(net.reshape(net.input(before, draw(quants())), after))
    return f"reshape {before} to {after}"


def _resized(draw: st.DrawFn, n: int, corners: bool) -> int:
    """A size for an axis of `n`, of which the reference's rounded int8 scale keeps the last pixel inside."""

    def inside(out: int) -> bool:
        before, after = (n - 1, out - 1) if corners and out > 1 else (n, out)
        return (out - 1) * ((1024 * before + after // 2) // after) // 1024 < n

    return draw(st.one_of(SIZES, st.sampled_from([2 * n, 4 * n, 40, 101])).filter(inside))


def _resize(kind: str) -> Callable[[st.DrawFn, Network], str]:
    def describe(draw: st.DrawFn, net: Network) -> str:
        shape = (1, draw(SIZES), draw(SIZES), draw(CHANNELS))
        corners, centers = draw(st.sampled_from([(False, False), (True, False), (False, True)]))
        size = (_resized(draw, shape[1], corners), _resized(draw, shape[2], corners))
        x = net.input(shape, draw(quants()))
        net.output(net.resize(x, kind, size, corners, centers))
        return f"{kind} {shape} to {size} {corners=} {centers=}"

    return describe


def _softmax(draw: st.DrawFn, net: Network) -> str:
    # With 512 equal values the reference shifts an int32 by 32, where its 32-bit ARM build makes other bytes.
    long = [100, 511] if platform.machine() == "armv7l" else [100, 1000, 1001]
    count = draw(st.one_of(st.integers(1, 40), st.sampled_from(long)))
    shape = (
        (1, draw(st.integers(1, 5)), draw(st.integers(1, 5)), count) if draw(st.booleans()) else (1, count)
    )
    beta = draw(st.sampled_from([1.0, 1.0, 0.5, 2.0]))
    x = net.input(shape, draw(quants()))
    net.output(net.softmax(x, beta))
    return f"softmax {shape} {beta=} {net.quants[x]}"


def _unary(kind: str) -> Callable[[st.DrawFn, Network], str]:
    def describe(draw: st.DrawFn, net: Network) -> str:
        shape = draw(st.sampled_from([(1, 16, 16, 1), (1, 256), (1, 5, 7, 11), (1, 1, 1, 3)]))
        x = net.input(shape, draw(quants(1e-3, 1.0)))
        out = None
        if kind not in ("LOGISTIC", "TANH"):
            ratio = draw(st.sampled_from([1.0, 0.5, 2.3, 0.07, 9.0]))
            out = Quant(net.quants[x].scale * ratio, draw(quants()).zero_point)
        options = (
            {"alpha": draw(st.sampled_from([0.0, 0.01, 0.1, 0.3, 1.0, 1.5]))} if kind == "LEAKY_RELU" else {}
        )
        net.output(net.unary(kind, x, out, **options))
        return f"{kind} {shape} {options} {net.quants[x]} -> {out}"

    return describe


OPERATORS: dict[str, st.SearchStrategy[Case]] = {
    name: cases(describe)
    for name, describe in {
        "conv_2d": _conv,
        "depthwise_conv_2d": _depthwise,
        "fully_connected": _fully_connected,
        "transpose_conv": _transpose_conv,
        "max_pool_2d": _pool("MAX_POOL_2D"),
        "average_pool_2d": _pool("AVERAGE_POOL_2D"),
        "mean": _mean,
        "add": _binary("ADD"),
        "mul": _binary("MUL"),
        "concatenation": _concatenation,
        "pad": _pad,
        "reshape": _reshape,
        "softmax": _softmax,
        "resize_nearest_neighbor": _resize("RESIZE_NEAREST_NEIGHBOR"),
        "resize_bilinear": _resize("RESIZE_BILINEAR"),
        "relu": _unary("RELU"),
        "relu6": _unary("RELU6"),
        "leaky_relu": _unary("LEAKY_RELU"),
        "logistic": _unary("LOGISTIC"),
        "tanh": _unary("TANH"),
        "hard_swish": _unary("HARD_SWISH"),
        "quantize": _unary("QUANTIZE"),
    }.items()
}


def every_value(shape: tuple[int, ...] = (1, 16, 16, 1)) -> Array:
    """All 256 int8 values."""
    return np.arange(-128, 128, dtype=np.int8).reshape(shape)
