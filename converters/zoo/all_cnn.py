"""The all convolutional net (arXiv:1412.6806): strided convolutions for pools, 1x1 ones for dense layers."""

from __future__ import annotations

import keras
from keras import layers

from edgecore.converters.zoo.blocks import conv

# (filters, kernel, stride) of every convolution before the classifier's.
SMALL = (
    (96, 3, 1),
    (96, 3, 1),
    (96, 3, 2),
    (192, 3, 1),
    (192, 3, 1),
    (192, 3, 2),
    (192, 3, 1),
    (192, 1, 1),
)
LARGE = (
    (96, 11, 4),
    (96, 1, 1),
    (96, 3, 2),
    (256, 5, 1),
    (256, 1, 1),
    (256, 3, 2),
    (384, 3, 1),
    (384, 1, 1),
    (384, 3, 2),
    (1024, 3, 1),
    (1024, 1, 1),
)
# Convolutions, and the index of those that dropout follows with its rate; the small one also drops pixels.
LAYOUT = {"cifar": (SMALL, {2: 0.5, 5: 0.5}), "imagenet": (LARGE, {8: 0.5})}


def all_cnn(classes: int = 10, input_size: int = 32, *, variant: str = "cifar") -> keras.Model:
    """All-CNN-C: 1,369,738 parameters with variant "cifar" and 10 classes; "imagenet" has less than 10 M.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes).
    """
    convolutions, dropped = LAYOUT[variant]
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = layers.Dropout(0.2, name="dropout0")(inputs) if variant == "cifar" else inputs
    for number, (filters, kernel, stride) in enumerate(convolutions, start=1):
        padding = "valid" if kernel == 11 else "same"
        x = conv(x, filters, kernel, stride=stride, padding=padding, name=f"conv{number}")
        if number - 1 in dropped:
            x = layers.Dropout(dropped[number - 1], name=f"dropout{number}")(x)
    x = conv(x, classes, 1, name=f"conv{len(convolutions) + 1}")
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(inputs, layers.Softmax(name="scores")(x), name=f"all_cnn_{variant}")
