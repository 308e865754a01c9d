"""A small U-Net (arXiv:1505.04597) for semantic segmentation: a class for every pixel."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from edgecore.converters.zoo.blocks import KERAS, conv, norm_relu

WIDTHS = (16, 32, 64, 128, 256)


def level(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    """Twice a 3x3 convolution with bias, batch norm and ReLU."""
    for part in "ab":
        x = conv(x, filters, 3, activation=None, name=f"{name}_{part}")
        x = norm_relu(x, "relu", f"{name}_{part}", KERAS)
    return x


def unet(classes: int = 13, input_size: int = 128) -> keras.Model:
    """2,164,797 parameters with 13 classes.

    Input float (batch, input_size, input_size, 3); output softmax (batch, input_size, input_size, classes).
    `input_size` is a multiple of 16, so that the maps of both sides fit each other.
    """
    if input_size % 16:
        raise ValueError("the input size must be a multiple of 16")
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = inputs
    skips = []
    for number, filters in enumerate(WIDTHS[:-1], start=1):
        x = level(x, filters, f"down{number}")
        skips.append(x)
        x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
        x = layers.Dropout(0.025 if number == 1 else 0.05, name=f"drop{number}")(x)
    x = level(x, WIDTHS[-1], "bottom")
    for number in range(len(skips), 0, -1):
        filters = WIDTHS[number - 1]
        x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same", name=f"up{number}")(x)
        x = layers.Concatenate(name=f"skip{number}")([x, skips[number - 1]])
        x = layers.Dropout(0.05, name=f"up{number}_drop")(x)
        x = level(x, filters, f"up{number}")
    x = layers.Conv2D(classes, 1, name="classifier")(x)
    outputs = layers.Softmax(name="scores")(x)
    return keras.Model(inputs, outputs, name="unet")
