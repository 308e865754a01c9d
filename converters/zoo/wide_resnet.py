"""Wide ResNet for small images (arXiv:1605.07146): few but wide blocks, norm and ReLU before convolutions."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from edgecore.converters.zoo.blocks import QUICK, classifier, conv_bn, norm_relu


def _conv(x: KerasTensor, filters: int, kernel: int, stride: int, name: str) -> KerasTensor:
    return layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def block(x: KerasTensor, filters: int, stride: int, dropout: float, name: str) -> KerasTensor:
    """Norm and ReLU before each of two 3x3 convolutions; a 1x1 shortcut where the filters change."""
    y = norm_relu(x, "relu", f"{name}_in", QUICK)
    shortcut = x if x.shape[-1] == filters else _conv(y, filters, 1, stride, f"{name}_proj_conv")
    y = conv_bn(y, filters, 3, stride=stride, name=f"{name}_a")
    if dropout:
        y = layers.Dropout(dropout, name=f"{name}_dropout")(y)
    y = _conv(y, filters, 3, 1, f"{name}_b_conv")
    return layers.Add(name=f"{name}_add")([y, shortcut])


def wide_resnet(
    classes: int = 10, input_size: int = 32, *, depth: int = 28, widen: int = 10, dropout: float = 0.0
) -> keras.Model:
    """36,479,194 trainable parameters with depth 28, `widen` 10 and 10 classes.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes). `depth` is 4 more than a
    multiple of 6; `widen` multiplies the 16, 32 and 64 filters of the three stages.
    """
    if depth < 10 or (depth - 4) % 6:
        raise ValueError(f"depth {depth} is not 4 more than a multiple of 6")
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = _conv(inputs, 16, 3, 1, "conv1")
    for stage, filters in enumerate((16, 32, 64), start=1):
        for number in range(1, (depth - 4) // 6 + 1):
            stride = 2 if number == 1 and stage > 1 else 1
            x = block(x, filters * widen, stride, dropout, f"stage{stage}_{number}")
    x = norm_relu(x, "relu", "last", QUICK)
    return keras.Model(inputs, classifier(x, classes), name=f"wide_resnet{depth}_{widen}")
