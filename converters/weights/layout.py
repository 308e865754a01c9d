"""The arrays of one layer, from the layout of their file to Keras's.

PyTorch, Caffe and ONNX keep a convolution's kernel as (outputs, inputs of a group, height, width) and a dense
one as (outputs, inputs); Keras keeps (height, width, inputs of a group, outputs) and (inputs, outputs). Their
maps are (channels, height, width), so that a dense layer after a flatten sees its inputs in another order.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

Parts = dict[str, NDArray[Any]]
# Keras's variable -> what others call it.
NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
# Only a file that keeps kernels as PyTorch does has these parts.
FOREIGN = ("weight", "running_mean", "running_var", "layer_scale")
# Keras 2's name of a depthwise kernel.
OLD_KERNEL = "depthwise_kernel"


def is_foreign(parts: Parts) -> bool:
    """Whether the parts of a layer are named, and so laid out, as by PyTorch, Caffe or ONNX."""
    return any(part in parts for part in FOREIGN)


def variables(layer: keras.Layer) -> list[str]:
    """Names of the layer's variables, such as kernel and bias, in the order of `layer.get_weights()`."""
    return [str(variable.name) for variable in layer.weights]


def arranged(layer: keras.Layer, parts: Parts) -> tuple[Parts, dict[str, str]]:
    """({variable: array in Keras's layout}, {variable: its part}); what `parts` lack is left out."""
    own: Parts = {}
    origin: dict[str, str] = {}
    foreign = is_foreign(parts)
    for number, variable in enumerate(variables(layer)):
        part = _part(layer, variable, number, parts, foreign)
        if part is None:
            continue
        array = parts[part]
        own[variable] = _kernel(layer, array) if foreign and variable == "kernel" else array
        origin[variable] = part
    return own, origin


def _part(layer: keras.Layer, variable: str, number: int, parts: Parts, foreign: bool) -> str | None:
    if not foreign:
        names = [variable, str(number)] + [OLD_KERNEL] * (variable == "kernel")
    elif isinstance(layer, layers.BatchNormalization | layers.LayerNormalization):
        names = [NORM[variable]]
    else:
        names = ["weight", "layer_scale"] if variable == "kernel" else [variable]
    return next((name for name in names if name in parts), None)


def _kernel(layer: keras.Layer, array: NDArray[Any]) -> NDArray[Any]:
    """A foreign kernel as Keras has it; one of a wrong rank comes back as it is, for the caller to refuse."""
    if isinstance(layer, layers.DepthwiseConv2D):
        if array.ndim == 3:  # a gain per channel, (channels, 1, 1)
            return array.transpose(1, 2, 0)[..., None]
        multiplier = layer.depth_multiplier
        if array.ndim != 4 or array.shape[1] != 1 or array.shape[0] % multiplier:
            return array
        return array.reshape(-1, multiplier, *array.shape[2:]).transpose(2, 3, 0, 1)
    if isinstance(layer, layers.Conv2D):
        if array.ndim == 2:  # a dense layer over channels
            return array.T[None, None]
        return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array
    if isinstance(layer, layers.Dense) and array.ndim in (2, 4):
        return _dense(layer, array.reshape(len(array), -1))
    return array


def _dense(layer: layers.Dense, array: NDArray[Any]) -> NDArray[Any]:
    before = layer.input._keras_history.operation
    if not isinstance(before, layers.Flatten) or len(before.input.shape) != 4:
        return array.T
    _, height, width, channels = before.input.shape
    if array.shape[1] != height * width * channels:
        return array.T
    maps = array.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(maps.reshape(len(array), -1).T)
