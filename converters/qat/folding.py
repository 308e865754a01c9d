"""A network as int8 inference computes it: no batch norm, no dropout, one layer for each operation.

Folding follows Jacob et al., arXiv:1712.05877, section 3.2, with the statistics of training kept.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, ops

from edgecore.converters.qat.layers import CHANNELS
from edgecore.converters.zoo.graph import Step, steps

IDLE = (
    layers.Dropout,
    layers.SpatialDropout2D,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.ActivityRegularization,
)


def fold(model: keras.Model) -> keras.Model:
    """A functional model of the same answers, with its own variables.

    A batch norm goes into the convolution before it; where there is none, it becomes a depthwise 1x1
    convolution, which int8 inference computes with a scale per channel. Activations become layers of their
    own. Layers that only act in training are left out. `model` is not changed.
    """
    model = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    graph = steps(model)
    calls = Counter(step.operation.name for step in graph)
    pairs = _pairs(model, graph)
    folded = {norm.name for norm in pairs.values()}
    alone = {layer.name for layer in model.layers if _becomes_convolution(layer)} - folded
    # A layer that is called several times has one name for all of its outputs: it keeps its activation.
    split = {name for name, count in calls.items() if count == 1} - alone

    def clone(layer: Any) -> Any:
        if not isinstance(layer, layers.Layer):
            return layer
        if layer.name in alone:
            return layers.DepthwiseConv2D(1, name=layer.name)
        config = layer.get_config()
        if layer.name in pairs:
            config["use_bias"] = True
        if type(layer) in CHANNELS and layer.name in split:
            config["activation"] = "linear"
        return type(layer).from_config(config)

    def call(layer: Any, *args: Any, **options: Any) -> Any:
        if isinstance(layer, IDLE) or layer.name in folded:
            return args[0]
        if layer.name in alone:
            return layer(args[0])
        if isinstance(layer, layers.Activation) and layer.name in split:
            return activate(args[0], layer.activation, layer.name)
        outputs = layer(*args, **options)
        if type(layer) not in CHANNELS or layer.name not in split:
            return outputs
        return activate(outputs, model.get_layer(layer.name).activation, f"{layer.name}_activation")

    copy = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for layer in copy.layers:
        _fill(layer, model, pairs)
    return copy


def activate(x: KerasTensor, activation: Any, name: str) -> KerasTensor:
    """`activation`, a function of Keras, as layers that are one operation of TFLite each."""
    if activation is keras.activations.linear:
        return x
    if activation is keras.activations.silu:
        return layers.Multiply(name=name)([x, layers.Activation("sigmoid", name=f"{name}_gate")(x)])
    if activation is keras.activations.hard_sigmoid:
        return ops.multiply(layers.ReLU(6.0, name=name)(ops.add(x, 3.0)), 1 / 6)
    return layers.Activation(activation, name=name)(x)


def _pairs(model: keras.Model, graph: list[Step]) -> dict[str, Any]:
    """By the name of each convolution that takes a batch norm in: that norm."""
    readers = Counter(id(tensor) for step in graph for tensor in step.inputs)
    readers.update(id(tensor) for tensor in model.outputs)
    calls = Counter(id(step.operation) for step in graph)
    makers = {id(step.outputs[0]): step.operation for step in graph}
    found: dict[str, Any] = {}
    for step in graph:
        norm = step.operation
        maker: Any = makers.get(id(step.inputs[0])) if step.inputs else None
        if (
            _is_norm(norm)
            and type(maker) in CHANNELS
            and maker.activation is keras.activations.linear
            and readers[id(step.inputs[0])] == 1
            and calls[id(norm)] == calls[id(maker)] == 1
        ):
            found[maker.name] = norm
    return found


def _is_norm(layer: Any) -> bool:
    return isinstance(layer, layers.BatchNormalization)


def _becomes_convolution(layer: Any) -> bool:
    return _is_norm(layer) and len(layer.moving_mean.shape) == 1 and layer.input_spec.ndim == 4


def _affine(norm: Any) -> tuple[np.ndarray, np.ndarray]:
    """(factor, offset) per channel: what a batch norm is in inference."""
    deviation = np.sqrt(np.asarray(norm.moving_variance, np.float64) + norm.epsilon)
    factor = (np.asarray(norm.gamma, np.float64) if norm.scale else 1.0) / deviation
    offset = np.asarray(norm.beta, np.float64) if norm.center else 0.0
    return factor, offset - np.asarray(norm.moving_mean, np.float64) * factor


def _fill(layer: Any, model: keras.Model, pairs: dict[str, Any]) -> None:
    """Gives a layer of the folded model the weights of its counterpart in `model`."""
    if not layer.weights:
        return
    source = model.get_layer(layer.name)
    if _is_norm(source) and not _is_norm(layer):
        factor, offset = _affine(source)
        layer.set_weights([factor.reshape(layer.kernel.shape), offset])
    elif layer.name in pairs:
        factor, offset = _affine(pairs[layer.name])
        bias = np.asarray(source.bias, np.float64) if source.use_bias else 0.0
        kernel = np.asarray(source.kernel, np.float64)
        channels = [size if axis in CHANNELS[type(source)] else 1 for axis, size in enumerate(kernel.shape)]
        layer.set_weights([kernel * factor.reshape(channels), bias * factor + offset])
    else:
        layer.set_weights(source.get_weights())
