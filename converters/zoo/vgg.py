"""VGG-16 and VGG-19 (arXiv:1409.1556): 3x3 convolutions only, and three dense layers."""

from __future__ import annotations

import keras
from keras import layers

from edgecore.converters.zoo.blocks import conv

FILTERS = (64, 128, 256, 512, 512)
CONVOLUTIONS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def vgg(
    classes: int = 1000, input_size: int = 224, *, depth: int = 16, hidden: int = 4096, dropout: float = 0.5
) -> keras.Model:
    """138,357,544 parameters with depth 16 and 1000 classes, 143,667,240 with depth 19.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes). `hidden` is the width of
    the dense layers, where most parameters are.
    """
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = inputs
    for stage, (filters, repeats) in enumerate(zip(FILTERS, CONVOLUTIONS[depth], strict=True), start=1):
        for number in range(1, repeats + 1):
            x = conv(x, filters, 3, name=f"conv{stage}_{number}")
        x = layers.MaxPooling2D(2, name=f"pool{stage}")(x)
    x = layers.Flatten(name="flatten")(x)
    for number in (6, 7):
        x = layers.Dense(hidden, activation="relu", kernel_initializer="he_normal", name=f"fc{number}")(x)
        x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    x = layers.Dense(classes, name="classifier")(x)
    return keras.Model(inputs, layers.Softmax(name="scores")(x), name=f"vgg{depth}")
