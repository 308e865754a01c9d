"""AlexNet (Krizhevsky et al. 2012): five convolutions, three of them in two groups, three dense layers."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from edgecore.converters.zoo.blocks import conv
from edgecore.converters.zoo.special import LocalResponseNorm


def alexnet(
    classes: int = 1000,
    input_size: int = 227,
    *,
    norm: str = "local",
    groups: int = 2,
    hidden: int = 4096,
    dropout: float = 0.5,
) -> keras.Model:
    """60,965,224 parameters with 1000 classes.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes). `norm` after the first
    two convolutions is "local", the paper's local response normalisation, which no int8 form exists of;
    "batch", which converts; or "none". `groups` 2 is the paper's, one for each of its GPUs.
    """

    def normalised(x: KerasTensor, name: str) -> KerasTensor:
        if norm == "local":
            return LocalResponseNorm(name=f"{name}_norm")(x)
        if norm == "batch":
            return layers.BatchNormalization(name=f"{name}_bn")(x)
        if norm == "none":
            return x
        raise ValueError(f"norm must be local, batch or none, not {norm!r}")

    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = conv(inputs, 96, 11, stride=4, padding="valid", name="conv1")
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(normalised(x, "conv1"))
    x = conv(x, 256, 5, groups=groups, name="conv2")
    x = layers.MaxPooling2D(3, strides=2, name="pool2")(normalised(x, "conv2"))
    x = conv(x, 384, 3, name="conv3")
    x = conv(x, 384, 3, groups=groups, name="conv4")
    x = conv(x, 256, 3, groups=groups, name="conv5")
    x = layers.MaxPooling2D(3, strides=2, name="pool5")(x)
    x = layers.Flatten(name="flatten")(x)
    for number in (6, 7):
        x = layers.Dense(hidden, activation="relu", kernel_initializer="he_normal", name=f"fc{number}")(x)
        x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    x = layers.Dense(classes, name="classifier")(x)
    return keras.Model(inputs, layers.Softmax(name="scores")(x), name=f"alexnet_{norm}")
