"""The compiled side of edgecore on numpy arrays.

    from edgecore.kernels import Convolution, QTensor, Quantization, conv2d, fire_block
    y = conv2d(x, weights, Quantization(0.05, -3), bias, stride=2, activation="relu")

Operators (`operators`, `rearrange`, `resize`, `transposed`, `unary`) and fused blocks (`blocks`) build a
small graph and run it through the engine that runs whole models; `graph` is that engine, `cpu` says what the
processor has, `image` turns frames into tensors. Names load when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgecore.kernels.blocks import fire_block, multi_scale_max_pool, residual_add
    from edgecore.kernels.graph import Engine, Graph, Step
    from edgecore.kernels.image import ImagePlan
    from edgecore.kernels.layers import Convolution, DepthwiseConvolution
    from edgecore.kernels.operators import (
        add,
        average_pool2d,
        concatenate,
        conv2d,
        depthwise_conv2d,
        fully_connected,
        max_pool2d,
        mean,
        mul,
        pad,
    )
    from edgecore.kernels.rearrange import strided_slice, transpose
    from edgecore.kernels.resize import resize_bilinear, resize_nearest_neighbor
    from edgecore.kernels.tensors import QTensor, Quantization
    from edgecore.kernels.transposed import transpose_conv2d
    from edgecore.kernels.unary import (
        hard_swish,
        leaky_relu,
        logistic,
        relu,
        relu6,
        requantize,
        softmax,
        tanh,
    )

_HOMES = {
    "blocks": ("fire_block", "multi_scale_max_pool", "residual_add"),
    "graph": ("Engine", "Graph", "Step"),
    "image": ("ImagePlan",),
    "layers": ("Convolution", "DepthwiseConvolution"),
    "operators": (
        "add",
        "average_pool2d",
        "concatenate",
        "conv2d",
        "depthwise_conv2d",
        "fully_connected",
        "max_pool2d",
        "mean",
        "mul",
        "pad",
    ),
    "rearrange": ("strided_slice", "transpose"),
    "resize": ("resize_bilinear", "resize_nearest_neighbor"),
    "tensors": ("QTensor", "Quantization"),
    "transposed": ("transpose_conv2d",),
    "unary": ("hard_swish", "leaky_relu", "logistic", "relu", "relu6", "requantize", "softmax", "tanh"),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Convolution",
    "DepthwiseConvolution",
    "Engine",
    "Graph",
    "ImagePlan",
    "QTensor",
    "Quantization",
    "Step",
    "add",
    "average_pool2d",
    "concatenate",
    "conv2d",
    "depthwise_conv2d",
    "fire_block",
    "fully_connected",
    "hard_swish",
    "leaky_relu",
    "logistic",
    "max_pool2d",
    "mean",
    "mul",
    "multi_scale_max_pool",
    "pad",
    "relu",
    "relu6",
    "requantize",
    "residual_add",
    "resize_bilinear",
    "resize_nearest_neighbor",
    "softmax",
    "strided_slice",
    "tanh",
    "transpose",
    "transpose_conv2d",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
