"""SPP-COVID-Net: a Darknet-like stack under a spatial pyramid of three max pools, 862,331 parameters.

Chest X-rays at 256x256, blue-green-red, 0..255 with no normalisation. Every convolution has no bias and
is followed by a batch norm and a leaky ReLU of slope 0.1.
"""

from __future__ import annotations

import keras
from keras import layers

from edgecore.converters.zoo.blocks import KERAS, conv_bn

SQUEEZE_MODULES = (32, 64, 128, 256)
PYRAMID_WINDOWS = (7, 6, 4)


def spp_covid_net(classes: int = 3, input_size: int = 256) -> keras.Model:
    """Input float (batch, input_size, input_size, 3) in 0..255; output softmax (batch, classes).

    `input_size` must be at least 224, so that the widest window of the pyramid fits.
    """

    def conv(x: keras.KerasTensor, filters: int, kernel: int, name: str) -> keras.KerasTensor:
        return conv_bn(x, filters, kernel, activation="leaky", norm=KERAS, name=name)

    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = conv(inputs, 8, 3, "conv1")
    x = layers.MaxPooling2D(2, name="pool1")(x)
    x = conv(x, 16, 3, "conv2")
    for number, filters in enumerate(SQUEEZE_MODULES, start=1):
        x = layers.MaxPooling2D(2, name=f"pool{number + 1}")(x)
        x = conv(x, filters, 3, f"squeeze{number}_a")
        x = conv(x, filters // 2, 1, f"squeeze{number}_b")
        x = conv(x, filters, 3, f"squeeze{number}_c")
    pyramid = [
        layers.Flatten(name=f"flatten{window}")(
            layers.MaxPooling2D(window, strides=1, name=f"pyramid{window}")(x)
        )
        for window in PYRAMID_WINDOWS
    ]
    x = layers.Concatenate(name="pyramid")(pyramid)
    x = layers.Dense(classes, name="classifier")(x)
    outputs = layers.Softmax(name="scores")(x)
    return keras.Model(inputs, outputs, name="spp_covid_net")
