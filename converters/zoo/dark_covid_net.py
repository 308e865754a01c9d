"""DarkCovidNet: the Darknet-like network for chest X-rays which SPP-COVID-Net shortens.

Its code pads 1x1 convolutions by one pixel, so that maps grow; the SPP-COVID-Net paper counts a rewriting
in Keras, whose maps keep their size and whose last convolution has two filters.
"""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from edgecore.converters.zoo.blocks import conv_bn

SQUEEZE_MODULES = (32, 64, 128, 256)


def dark_covid_net(classes: int = 3, input_size: int = 256, *, grow: bool = True) -> keras.Model:
    """1,167,586 trainable parameters in the code's layout, with 3 classes.

    Input float (batch, input_size, input_size, 3) in 0..255; output softmax (batch, classes). `grow` is the
    code's padding of 1x1 convolutions; without it the layout is the paper's, of 1,167,363 parameters.
    """

    def part(x: KerasTensor, filters: int, kernel: int, name: str) -> KerasTensor:
        if kernel == 1 and grow:
            x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
        return conv_bn(x, filters, kernel, activation="leaky", name=name)

    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = part(inputs, 8, 3, "conv1")
    x = layers.MaxPooling2D(2, name="pool1")(x)
    x = part(x, 16, 3, "conv2")
    for number, filters in enumerate(SQUEEZE_MODULES, start=1):
        x = layers.MaxPooling2D(2, name=f"pool{number + 1}")(x)
        x = part(x, filters, 3, f"squeeze{number}_a")
        x = part(x, filters // 2, 1, f"squeeze{number}_b")
        x = part(x, filters, 3, f"squeeze{number}_c")
    x = part(x, 128, 1, "conv3")
    x = part(x, 256, 3, "conv4")
    x = layers.Conv2D(classes if grow else 2, 3, padding="same", use_bias=False, name="conv5")(x)
    x = layers.Activation("relu", name="conv5_relu")(x)
    x = layers.BatchNormalization(name="conv5_bn")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(classes, name="classifier")(x)
    name = "dark_covid_net" if grow else "dark_covid_net_keras"
    return keras.Model(inputs, layers.Softmax(name="scores")(x), name=name)
