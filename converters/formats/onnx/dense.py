"""ONNX's dense layers and norms as Keras layers."""

from __future__ import annotations

import numpy as np
from keras import layers

from edgecore.converters.formats.onnx.node import Node, Unsupported, image_of, made, weighted
from edgecore.converters.formats.onnx.values import Value
from edgecore.converters.zoo.special import ChannelNorm, LocalResponseNorm


def _last(node: Node) -> Value:
    """The input with ONNX's last axis at its end."""
    rank = len(node.x.axes)
    return node.x if node.x.axes[-1] == rank - 1 else node.x.plain(node.name)


def _dense(node: Node, kernel: np.ndarray, bias: np.ndarray | None) -> Value:
    x, image = _last(node), node.x.flat_of
    if image is not None:
        # The image is flattened as it lies, and the rows of the kernel change places instead.
        rows = kernel.reshape(*image.shape[1:], -1)
        kernel = rows.transpose(*(axis - 1 for axis in image.axes[1:]), -1 % rows.ndim).reshape(kernel.shape)
        x = Value(layers.Flatten(name=f"{node.name}_flat")(image.tensor), (0, 1))
    layer = layers.Dense(kernel.shape[1], use_bias=bias is not None, name=node.name)
    return weighted(layer, x, [kernel] if bias is None else [kernel, bias])


def gemm(node: Node) -> Value:
    """Gemm: a dense layer."""
    given = node.attributes
    if given.get("transA"):
        raise Unsupported("is transposed over the batch")
    kernel = node.weights(1) * given.get("alpha", 1.0)
    kernel = kernel.T if given.get("transB") else kernel
    bias = node.constant(2)
    if bias is not None:
        flat = np.asarray(bias, np.float32).reshape(-1) * given.get("beta", 1.0)
        bias = np.broadcast_to(flat, (kernel.shape[1],))
    return _dense(node, kernel, bias)


def matmul(node: Node) -> Value:
    """MatMul with a constant matrix: a dense layer without bias."""
    kernel = node.weights(1)
    if kernel.ndim != 2:
        raise Unsupported(f"multiplies by {kernel.ndim} dimensions")
    return _dense(node, kernel, None)


def batch_norm(node: Node) -> Value:
    """BatchNormalization as it stands after training."""
    x = node.x if len(node.x.axes) == 2 else image_of(node)
    layer = layers.BatchNormalization(epsilon=float(node.attributes.get("epsilon", 1e-5)), name=node.name)
    return weighted(layer, x, [node.weights(index) for index in range(1, 5)])


def layer_norm(node: Node) -> Value:
    """LayerNormalization over the last axis."""
    if node.attributes.get("axis", -1) not in (-1, len(node.x.axes) - 1):
        raise Unsupported("norms more than the last axis")
    scale, offset = node.weights(1), node.constant(2)
    epsilon = float(node.attributes.get("epsilon", 1e-5))
    bias = np.zeros_like(scale) if offset is None else np.asarray(offset, np.float32)
    return weighted(ChannelNorm(epsilon=epsilon, name=node.name), _last(node), [scale, bias])


def local_response_norm(node: Node) -> Value:
    """LRN over channels."""
    image, given = image_of(node), node.attributes
    layer = LocalResponseNorm(
        int(given["size"]),
        k=given.get("bias", 1.0),
        alpha=given.get("alpha", 1e-4) / given["size"],
        beta=given.get("beta", 0.75),
        name=node.name,
    )
    return made(layer(image.tensor), image)
