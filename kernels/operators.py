"""The engine's operators on numpy arrays, one function each: the bytes of TFLite's reference kernels.

Every function takes and gives `QTensor`s of int8, NHWC with batch 1, checks its arguments before any C runs
(ValueError that names the argument), and takes `RunOptions` by keyword: threads, isa, fuse, steps. The
arithmetic is that of Jacob et al. 2018 (arXiv:1712.05877): int32 sums, a Q31 multiplier, rounding half away
from zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from edgecore.kernels.layers import (
    MOST_EXTENT,
    Convolution,
    DepthwiseConvolution,
    Padding,
    Pair,
    Window,
    activation_name,
    checked_bias,
    checked_weights,
    pair,
)
from edgecore.kernels.network import Network, RunOptions, Value
from edgecore.kernels.tensors import (
    QTensor,
    Quantization,
    activation_tensor,
    integer,
    output_quantization,
)


def conv2d(
    x: QTensor,
    weights: QTensor,
    output: Quantization,
    bias: NDArray[np.int32] | None = None,
    *,
    stride: Pair | int = 1,
    padding: Padding = "same",
    dilation: Pair | int = 1,
    activation: str = "none",
    **options: Unpack[RunOptions],
) -> QTensor:
    """2-D convolution.

    Args:
        x: (1, height, width, in).
        weights, output, bias, stride, padding, dilation, activation: see `Convolution`.

    Returns:
        (1, out height, out width, out), quantised as `output`.
    """
    layer = Convolution(weights, output, bias, stride, padding, dilation, activation)
    return _convolve(x, layer, options)


def depthwise_conv2d(
    x: QTensor,
    weights: QTensor,
    output: Quantization,
    bias: NDArray[np.int32] | None = None,
    *,
    stride: Pair | int = 1,
    padding: Padding = "same",
    dilation: Pair | int = 1,
    activation: str = "none",
    **options: Unpack[RunOptions],
) -> QTensor:
    """Depthwise convolution: each input channel by itself, into one or more output channels.

    Args:
        x: (1, height, width, channels).
        weights: (1, height, width, channels * multiplier); output channel c * multiplier + m reads channel c.
        output, bias, stride, padding, dilation, activation: see `Convolution`.

    Returns:
        (1, out height, out width, channels * multiplier), quantised as `output`.
    """
    layer = DepthwiseConvolution(weights, output, bias, stride, padding, dilation, activation)
    return _convolve(x, layer, options)


def _convolve(x: QTensor, layer: Convolution, options: RunOptions) -> QTensor:
    activation_tensor(x, "x", (4,))
    network = Network()
    return network.run(network.convolve(network.input(x, "x"), layer, "weights"), options)


def fully_connected(
    x: QTensor,
    weights: QTensor,
    output: Quantization,
    bias: NDArray[np.int32] | None = None,
    *,
    activation: str = "none",
    **options: Unpack[RunOptions],
) -> QTensor:
    """Matrix times vector: x flattened.

    Args:
        x: batch 1, `in` elements in all.
        weights: (out, in) int8, zero point 0, one scale or one per output.
        output: quantisation of the result. bias: int32 (out,) or None. activation: see `Convolution`.

    Returns:
        (1, out), quantised as `output`.
    """
    activation_tensor(x, "x", (2, 3, 4))
    checked_weights(weights, 2, 0)
    checked_bias(bias, weights.shape[0])
    output_quantization(output, "output")
    if weights.shape[1] != x.data.size:
        raise ValueError(f"weights: {weights.shape[1]} inputs, where x has {x.data.size} elements")
    network = Network()
    value = network.input(x, "x")
    y = network.node(
        "fully_connected",
        [value.number, *network.weights(weights, bias, x.quantization)],
        (1, weights.shape[0]),
        output,
        activation=activation_name(activation),
    )
    return network.run(y, options)


def transpose_conv2d(
    x: QTensor,
    weights: QTensor,
    output: Quantization,
    bias: NDArray[np.int32] | None = None,
    *,
    stride: Pair | int = 1,
    padding: str = "same",
    activation: str = "none",
    **options: Unpack[RunOptions],
) -> QTensor:
    """Transposed 2-D convolution: each input pixel adds its product with the kernel to the output around it.

    Args:
        x: (1, height, width, in).
        weights, output, bias, activation: see `Convolution`.
        stride: output pixels from one input pixel to the next, 1 to 16; (height, width), or one number.
        padding: "same" gives stride times x's size, "valid" all that the kernel reaches.

    Returns:
        (1, out height, out width, out), quantised as `output`.
    """
    activation_tensor(x, "x", (4,))
    layer = Convolution(weights, output, bias, activation=activation)
    layer.check_input(x.shape[3], "weights")
    steps = pair(stride, "stride", 1, 16)
    if padding not in ("same", "valid"):
        raise ValueError(f"padding: {padding!r} is not 'same' or 'valid'")
    beyond = [max(size - step, 0) for size, step in zip(layer.window.size, steps, strict=True)]
    same = padding == "same"
    height, width = (n * s + (0 if same else b) for n, s, b in zip(x.shape[1:3], steps, beyond, strict=True))
    network = Network()
    value = network.input(x, "x")
    y = network.node(
        "transpose_conv",
        [value.number, *network.weights(weights, bias, x.quantization)],
        (1, height, width, layer.channels),
        output,
        stride=steps,
        padding=(beyond[0] // 2, 0, beyond[1] // 2, 0) if same else (0, 0, 0, 0),
        activation=layer.activation,
    )
    return network.run(y, options)


def max_pool2d(
    x: QTensor,
    window: Pair | int,
    *,
    stride: Pair | int | None = None,
    padding: Padding = "valid",
    activation: str = "none",
    **options: Unpack[RunOptions],
) -> QTensor:
    """The largest value of each window, per channel; padding never wins.

    Args:
        x: (1, height, width, channels).
        window: (height, width), or one number. stride: the same; None takes the window.
        padding: "valid", "same" or (top, bottom, left, right), each below the window.

    Returns:
        (1, out height, out width, channels), quantised as x.
    """
    return _pool("max_pool_2d", x, window, stride, padding, activation, options)


def average_pool2d(
    x: QTensor,
    window: Pair | int,
    *,
    stride: Pair | int | None = None,
    padding: Padding = "valid",
    activation: str = "none",
    **options: Unpack[RunOptions],
) -> QTensor:
    """The mean of each window, per channel, over the pixels inside the map, rounded half away from zero.

    Args, returns: as `max_pool2d`.
    """
    return _pool("average_pool_2d", x, window, stride, padding, activation, options)


def _pool(
    kind: str,
    x: QTensor,
    window: Pair | int,
    stride: Pair | int | None,
    padding: Padding,
    activation: str,
    options: RunOptions,
) -> QTensor:
    activation_tensor(x, "x", (4,))
    area = Window(window, window if stride is None else stride, padding)  # type: ignore[arg-type]
    network = Network()
    return network.run(network.pool(kind, network.input(x, "x"), area, activation_name(activation)), options)


def mean(
    x: QTensor,
    axes: Sequence[int] = (1, 2),
    output: Quantization | None = None,
    *,
    keep_dims: bool = False,
    **options: Unpack[RunOptions],
) -> QTensor:
    """Mean over some axes.

    Args:
        x: (1, height, width, channels), or of rank 1 to 3.
        axes: what to average over, negative ones from the end; the default gives global average pooling.
        output: quantisation of the result; None keeps x's.
        keep_dims: whether averaged axes stay as 1.

    Returns:
        x's shape less `axes`.
    """
    activation_tensor(x, "x")
    rank = x.data.ndim
    try:
        reduced = sorted({integer(axis, "axes", -rank, rank - 1) % rank for axis in axes})
    except TypeError:
        raise ValueError(f"axes: {axes!r} is not a sequence of integers") from None
    if not reduced or (len(reduced) == rank and not keep_dims):
        raise ValueError(f"axes: {tuple(axes)} are none or all of {rank} dimensions")
    shape = tuple(1 if i in reduced else n for i, n in enumerate(x.shape) if keep_dims or i not in reduced)
    network = Network()
    value = network.input(x, "x")
    quantization = or_same(output, x)
    y = network.node("mean", [value.number], shape, quantization, axes=reduced, keep_dims=keep_dims)
    return network.run(y, options)


def add(
    a: QTensor, b: QTensor, output: Quantization, *, activation: str = "none", **options: Unpack[RunOptions]
) -> QTensor:
    """a + b with broadcasting.

    Args:
        a, b: of ranks 1 to 4; a dimension of 1 repeats.
        output: quantisation of the result. activation: see `Convolution`.

    Returns:
        the broadcast shape.
    """
    network, first, second = _two(a, b, output)
    return network.run(network.add(first, second, output, activation_name(activation)), options)


def mul(
    a: QTensor, b: QTensor, output: Quantization, *, activation: str = "none", **options: Unpack[RunOptions]
) -> QTensor:
    """a * b with broadcasting; arguments and result as `add`."""
    network, first, second = _two(a, b, output)
    return network.run(network.multiply(first, second, output, activation_name(activation)), options)


def _two(a: QTensor, b: QTensor, output: Quantization) -> tuple[Network, Value, Value]:
    activation_tensor(a, "a")
    activation_tensor(b, "b")
    output_quantization(output, "output")
    network = Network()
    return network, network.input(a, "a"), network.input(b, "b")


def concatenate(tensors: Sequence[QTensor], axis: int = -1, **options: Unpack[RunOptions]) -> QTensor:
    """Joins tensors along an axis, byte by byte.

    Args:
        tensors: 1 to 256, of one quantisation, with the same shape but for `axis`.
        axis: not the batch; negative ones count from the end.

    Returns:
        the joined tensor, quantised as the inputs.
    """
    try:
        parts = list(tensors)
    except TypeError:
        raise ValueError(f"tensors: {type(tensors).__name__} is not a sequence") from None
    if not 1 <= len(parts) <= 256:
        raise ValueError(f"tensors: {len(parts)} of them, not 1 to 256")
    for i, part in enumerate(parts):
        activation_tensor(part, f"tensors[{i}]")
    rank = parts[0].data.ndim
    where = integer(axis, "axis", -rank, rank - 1) % rank
    if where == 0 and rank > 1:
        raise ValueError("axis: 0 is the batch")
    for i, part in enumerate(parts):
        if part.data.ndim != rank or _without(part.shape, where) != _without(parts[0].shape, where):
            raise ValueError(
                f"tensors[{i}]: the shape {part.shape} does not fit {parts[0].shape} along axis {where}"
            )
        if part.quantization != parts[0].quantization:
            raise ValueError(f"tensors[{i}]: the quantisation differs from that of tensors[0]")
    network = Network()
    return network.run(network.concatenate([network.input(part, "x") for part in parts], where), options)


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return shape[:axis] + shape[axis + 1 :]


def pad(x: QTensor, paddings: Sequence[Pair], **options: Unpack[RunOptions]) -> QTensor:
    """Surrounds a tensor with zeros (its zero point).

    Args:
        x: of rank 1 to 4.
        paddings: (before, after) for each dimension; (0, 0) for the batch.

    Returns:
        x's shape with the paddings added, quantised as x.
    """
    activation_tensor(x, "x")
    try:
        sides = [pair_of_sides(side) for side in paddings]
    except TypeError:
        raise ValueError(f"paddings: {paddings!r} is not a sequence of (before, after)") from None
    if len(sides) != x.data.ndim:
        raise ValueError(f"paddings: {len(sides)} pairs for {x.data.ndim} dimensions")
    if x.data.ndim > 1 and sides[0] != (0, 0):
        raise ValueError(f"paddings: {sides[0]} would add to the batch")
    network = Network()
    value = network.input(x, "x")
    shape = tuple(n + before + after for n, (before, after) in zip(x.shape, sides, strict=True))
    befores, afters = zip(*sides, strict=True)
    y = network.node("pad", [value.number], shape, x.quantization, pad_before=befores, pad_after=afters)
    return network.run(y, options)


def pair_of_sides(value: Sequence[int]) -> Pair:
    try:
        before, after = value
    except (TypeError, ValueError):
        raise ValueError(f"paddings: {value!r} is not (before, after)") from None
    return integer(before, "paddings", 0, MOST_EXTENT), integer(after, "paddings", 0, MOST_EXTENT)


def or_same(output: Quantization | None, x: QTensor) -> Quantization:
    if output is None:
        return activation_tensor(x, "x").quantization
    return output_quantization(output, "output")
