"""ONNX's elementwise operators as Keras layers and operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import KerasTensor, layers, ops

from edgecore.converters.formats.onnx.node import Node, Operator, Unsupported, image_of, made, weighted
from edgecore.converters.formats.onnx.values import Value, reshaped


def activation(name: str, positive: bool = False) -> Operator:
    """An operator that is an activation of Keras; `positive`: which gives nothing below 0."""

    def apply(node: Node) -> Value:
        return made(layers.Activation(name, name=node.name)(node.x.tensor), node.x, positive)

    return apply


def function(of: Callable[[KerasTensor], KerasTensor]) -> Operator:
    """An operator of one input that Keras has as an operation."""

    def apply(node: Node) -> Value:
        return made(of(node.x.tensor), node.x)

    return apply


def clip(node: Node) -> Value:
    """Clip: ReLU, ReLU6, or any other range."""
    low, high = node.constant(1, "min"), node.constant(2, "max")
    least = -np.inf if low is None else float(low)
    most = np.inf if high is None else float(high)
    if least == 0:
        layer = layers.ReLU(None if most > 1e30 else most, name=node.name)
        return made(layer(node.x.tensor), node.x, True)
    return made(ops.clip(node.x.tensor, max(least, -3e38), min(most, 3e38)), node.x, least >= 0)


def hard_sigmoid(node: Node) -> Value:
    """HardSigmoid: Keras's own slope, or any other."""
    alpha, beta = node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-4 and beta == 0.5:
        return made(layers.Activation("hard_sigmoid", name=node.name)(node.x.tensor), node.x, True)
    return made(ops.clip(node.x.tensor * alpha + beta, 0.0, 1.0), node.x, True)


def leaky_relu(node: Node) -> Value:
    """LeakyRelu."""
    slope = float(node.attributes.get("alpha", 0.01))
    return made(layers.LeakyReLU(negative_slope=slope, name=node.name)(node.x.tensor), node.x)


def prelu(node: Node) -> Value:
    """PRelu with a slope for all or one per channel."""
    image, slope = image_of(node), node.weights(1).reshape(-1)
    slopes = np.broadcast_to(slope, (image.shape[1],)).reshape(1, 1, -1)
    return weighted(layers.PReLU(shared_axes=(1, 2), name=node.name), image, [slopes])


def gelu(node: Node) -> Value:
    """Gelu, exact or by tanh."""
    approximate = node.attributes.get("approximate", b"none") == b"tanh"
    return made(ops.gelu(node.x.tensor, approximate=approximate), node.x)


def softmax(node: Node) -> Value:
    """Softmax over one axis."""
    x, rank = node.x, len(node.x.axes)
    axis = node.attributes.get("axis", -1 if node.opset >= 13 else 1) % rank
    if node.opset < 13 and any(side > 1 for side in x.shape[axis + 1 :]):
        raise Unsupported("spans several axes")
    last = x.ordered([*(other for other in x.axes if other != axis), axis], node.name)
    return made(layers.Softmax(name=node.name)(last.tensor), last, True)


def binary(
    layer: type[layers.Layer] | None, of: Callable[[Any, Any], KerasTensor], keeps_positive: bool = False
) -> Operator:
    """An operator of two inputs: `layer` joins two values, `of` a value and a constant.

    `keeps_positive`: of two values that are not below 0 neither is the result.
    """

    def apply(node: Node) -> Value:
        first, second = node.inputs[0], node.inputs[1]
        if isinstance(first, Value) and isinstance(second, Value):
            first, second = _aligned(node, first, second)
            both = [first.tensor, second.tensor]
            positive = keeps_positive and first.positive and second.positive
            return made(of(*both) if layer is None else layer(name=node.name)(both), first, positive)
        if isinstance(first, Value):
            return made(of(first.tensor, first.constant(node.weights(1))), first)
        value = node.value(1)
        return made(of(value.constant(node.weights(0)), value.tensor), value)

    return apply


def _aligned(node: Node, first: Value, second: Value) -> tuple[Value, Value]:
    """Both with the same axes in the same order."""
    rank = max(len(first.axes), len(second.axes))
    if len(first.axes) < rank:
        first = _with_rank(first, rank, f"{node.name}_first")
    if len(second.axes) < rank:
        second = _with_rank(second, rank, f"{node.name}_second")
    return first, second.ordered(first.axes, node.name)


def _with_rank(value: Value, rank: int, name: str) -> Value:
    """`value` with axes of length 1 in front: ONNX aligns shapes at their ends."""
    return reshaped(value, (1,) * (rank - len(value.axes)) + value.shape, name)


def power(node: Node) -> Value:
    """Pow with a constant exponent."""
    exponent = node.weights(1)
    if exponent.size != 1:
        raise Unsupported("has several exponents")
    special = {2.0: ops.square, 0.5: ops.sqrt}.get(float(exponent.reshape(())))
    tensor = special(node.x.tensor) if special else ops.power(node.x.tensor, float(exponent.reshape(())))
    return made(tensor, node.x)
