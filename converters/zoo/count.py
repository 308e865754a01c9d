"""Multiply-adds of a Keras model, as papers count them."""

from __future__ import annotations

import math

import keras
from keras import layers


def multiply_adds(model: keras.Model) -> int:
    """Multiplications with a weight in all convolutions and dense layers, for one image."""
    return sum(_of_layer(layer) for layer in model.layers)


def _of_layer(layer: keras.layers.Layer) -> int:
    if isinstance(layer, layers.Dense):
        return math.prod(layer.kernel.shape)
    if not isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D):
        return 0
    _, height, width, _ = layer.output.shape
    return math.prod(layer.kernel.shape) * height * width
