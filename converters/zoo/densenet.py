"""DenseNet (arXiv:1608.06993): every layer of a block sees the maps of all layers before it."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from edgecore.converters.zoo.blocks import QUICK, classifier, conv_bn, max_pool, norm_relu

BLOCKS = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}


def dense_layer(x: KerasTensor, growth: int, name: str) -> KerasTensor:
    """Norm, ReLU, 1x1 to four times `growth`, then 3x3 to `growth` more channels beside those of `x`."""
    y = norm_relu(x, "relu", f"{name}_in", QUICK)
    y = conv_bn(y, 4 * growth, 1, name=f"{name}_a")
    y = layers.Conv2D(
        growth, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_b_conv"
    )(y)
    return layers.Concatenate(name=f"{name}_concat")([x, y])


def transition(x: KerasTensor, name: str) -> KerasTensor:
    """Norm, ReLU, 1x1 to half the channels, average pool to half the size."""
    x = norm_relu(x, "relu", f"{name}_in", QUICK)
    x = layers.Conv2D(
        x.shape[-1] // 2, 1, use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
    )(x)
    return layers.AveragePooling2D(2, name=f"{name}_pool")(x)


def densenet(
    classes: int = 1000, input_size: int = 224, *, depth: int = 121, growth: int = 32
) -> keras.Model:
    """7,978,856 trainable parameters with depth 121 and 1000 classes, 14,149,480 with depth 169.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes).
    """
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = conv_bn(inputs, 2 * growth, 7, stride=2, padding="symmetric", name="conv1")
    x = max_pool(x, 3, 2, "pool1")
    for block, repeats in enumerate(BLOCKS[depth], start=1):
        if block > 1:
            x = transition(x, f"transition{block - 1}")
        for number in range(1, repeats + 1):
            x = dense_layer(x, growth, f"block{block}_{number}")
    x = norm_relu(x, "relu", "last", QUICK)
    return keras.Model(inputs, classifier(x, classes), name=f"densenet{depth}")
