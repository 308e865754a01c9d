"""Transposed convolutions on numpy arrays. Otherwise as `operators`."""

from __future__ import annotations

from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from edgecore.kernels.layers import Convolution, Pair, pair
from edgecore.kernels.network import Network, RunOptions
from edgecore.kernels.tensors import QTensor, Quantization, activation_tensor


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
