"""Blocks that the engine runs as one step, on numpy arrays.

Arguments, errors and options are as in `operators`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from edgecore.kernels.graph import Step
from edgecore.kernels.layers import Convolution, Window, activation_name
from edgecore.kernels.network import Network, RunOptions
from edgecore.kernels.tensors import QTensor, Quantization, activation_tensor, integer, output_quantization

MOST_WINDOWS = 8

__all__ = ["Step", "fire_block", "multi_scale_max_pool", "residual_add"]


def fire_block(
    x: QTensor,
    squeeze: Convolution,
    expand1x1: Convolution,
    expand3x3: Convolution,
    *,
    bypass: Quantization | None = None,
    projection: Convolution | None = None,
    activation: str = "none",
    **options: Unpack[RunOptions],
) -> QTensor:
    """SqueezeNet's fire module: both expands of the squeeze, joined; with a bypass, their sum with x.

    Iandola et al. 2016, arXiv:1602.07360. One step, "fire" or "fire_bypass".

    Args:
        x: (1, height, width, channels).
        squeeze: takes x's channels.
        expand1x1, expand3x3: take the squeeze's channels; their maps have one size and one `output`.
        bypass: quantisation of the sum with x; None for a module without bypass.
        projection: of x before the sum (the complex bypass); needs `bypass`.
        activation: of the sum.

    Returns:
        (1, out height, out width, channels of both expands), quantised as the expands, or as `bypass`.
    """
    activation_tensor(x, "x", (4,))
    for name, layer in (("squeeze", squeeze), ("expand1x1", expand1x1), ("expand3x3", expand3x3)):
        _check_layer(layer, name)
    if expand1x1.output != expand3x3.output:
        raise ValueError("expand3x3: its output's quantisation differs from that of expand1x1")
    if bypass is None and (projection is not None or activation != "none"):
        raise ValueError("bypass: None, where projection or activation need the sum's quantisation")
    activation_name(activation)
    network = Network()
    value = network.input(x, "x")
    squeezed = network.convolve(value, squeeze, "squeeze")
    narrow = network.convolve(squeezed, expand1x1, "expand1x1")
    wide = network.convolve(squeezed, expand3x3, "expand3x3")
    if narrow.shape[:3] != wide.shape[:3]:
        raise ValueError(
            f"expand3x3: its map {wide.shape[1:3]} differs from that of expand1x1, {narrow.shape[1:3]}"
        )
    y = network.concatenate([narrow, wide], 3)
    if bypass is not None:
        output_quantization(bypass, "bypass")
        if projection is not None:
            _check_layer(projection, "projection")
            value = network.convolve(value, projection, "projection")
        if value.shape != y.shape:
            name = "bypass" if projection is None else "projection"
            raise ValueError(f"{name}: the shape {value.shape} is not that of the module, {y.shape}")
        y = network.add(y, value, bypass, activation)
    return network.run(y, options)


def residual_add(
    x: QTensor,
    layer: Convolution,
    shortcut: QTensor,
    output: Quantization,
    *,
    projection: Convolution | None = None,
    activation: str = "none",
    **options: Unpack[RunOptions],
) -> QTensor:
    """The end of a residual block: its last convolution plus its shortcut.

    He et al. 2016, arXiv:1512.03385. One step, "residual_add" or "residual_projection".

    Args:
        x: (1, height, width, channels), what the last convolution reads.
        layer: the last convolution.
        shortcut: the block's input; of the result's shape, unless there is a projection.
        output: quantisation of the sum.
        projection: convolution of the shortcut, or None for the identity.
        activation: of the sum.

    Returns:
        the shape of `layer`'s result, quantised as `output`.
    """
    activation_tensor(x, "x", (4,))
    activation_tensor(shortcut, "shortcut", (4,))
    _check_layer(layer, "layer")
    output_quantization(output, "output")
    activation_name(activation)
    network = Network()
    branch = network.convolve(network.input(x, "x"), layer, "layer")
    other = network.input(shortcut, "shortcut")
    if projection is not None:
        _check_layer(projection, "projection")
        other = network.convolve(other, projection, "projection")
    if other.shape != branch.shape:
        name = "shortcut" if projection is None else "projection"
        raise ValueError(f"{name}: the shape {other.shape} is not that of the layer's result, {branch.shape}")
    return network.run(network.add(branch, other, output, activation), options)


def multi_scale_max_pool(x: QTensor, windows: Sequence[int], **options: Unpack[RunOptions]) -> QTensor:
    """Max pools of one map with several square windows, stride 1, each flattened, all joined.

    Spatial pyramid pooling (He et al. 2015, arXiv:1406.4729) as SPP-COVID-Net has it. One step,
    "multi_scale_max_pool".

    Args:
        x: (1, height, width, channels).
        windows: 2 to 8 sides of windows, each at most the map's smaller side; 1 takes the map itself.

    Returns:
        (1, elements of all pools), in the order of `windows`, quantised as x.
    """
    activation_tensor(x, "x", (4,))
    try:
        sides = list(windows)
    except TypeError:
        raise ValueError(f"windows: {windows!r} is not a sequence of integers") from None
    if not 2 <= len(sides) <= MOST_WINDOWS:
        raise ValueError(f"windows: {len(sides)} of them, not 2 to {MOST_WINDOWS}")
    most = min(x.shape[1:3])
    network = Network()
    value = network.input(x, "x")
    pooled = []
    for side in sides:
        size = integer(side, "windows", 1, most)
        pooled.append(network.flatten(network.pool("max_pool_2d", value, Window((size, size)))))
    return network.run(network.concatenate(pooled, 1), options)


def _check_layer(layer: Any, name: str) -> None:
    if not isinstance(layer, Convolution):
        raise ValueError(f"{name}: {type(layer).__name__} is not a Convolution")
