"""SqueezeNet v1.0, v1.1 and the bypass variants (arXiv:1602.07360), for inputs from about 64 pixels up.

The layout of v1.1 is that of the authors' later release: a smaller stem and earlier pools, 2.2 times
fewer multiplications for the same accuracy.
"""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from edgecore.converters.zoo.blocks import ceil_pool, conv, fire

# (squeeze, expand) of fire2 .. fire9, the same in both versions.
FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
# Version -> (kernel and filters of conv1, the blocks that a pool follows; 1 is conv1).
LAYOUT = {"1.0": (7, 96, (1, 4, 8)), "1.1": (3, 64, (1, 3, 5))}


def features(
    inputs: KerasTensor, version: str, *, bypass: bool = False, bypass_all: bool = False
) -> KerasTensor:
    """conv1 and the eight fire blocks with their pools.

    `bypass` adds a sum around fire3, 5, 7 and 9; `bypass_all` also one around the others, through a 1x1
    convolution, as their inputs have another number of channels. The paper draws it so, but its 7.7 MB are
    more than these layers have (6.4 MB).
    """
    kernel, filters, pooled = LAYOUT[version]
    x = layers.Conv2D(
        filters, kernel, strides=2, activation="relu", kernel_initializer="he_normal", name="conv1"
    )(inputs)
    if 1 in pooled:
        x = ceil_pool(x, "pool1")
    for number, (squeeze, expand) in enumerate(FIRES, start=2):
        same = number % 2 == 1
        y = fire(x, squeeze, expand, bypass=same and (bypass or bypass_all), name=f"fire{number}")
        if bypass_all and not same:
            x = conv(x, 2 * expand, 1, activation=None, name=f"fire{number}_proj")
            y = layers.Add(name=f"fire{number}_bypass")([x, y])
        x = y
        if number in pooled:
            x = ceil_pool(x, f"pool{number}")
    return x


def squeezenet(
    classes: int = 1000,
    input_size: int = 227,
    *,
    version: str = "1.1",
    bypass: bool = False,
    bypass_all: bool = False,
    dropout: float = 0.5,
    classifier_padding: int = 0,
) -> keras.Model:
    """SqueezeNet with the published convolutional classifier.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes). `classifier_padding`
    1 pads conv10 as the authors' release of v1.0 does, which its trained weights expect.
    """
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = features(inputs, version, bypass=bypass, bypass_all=bypass_all)
    x = layers.Dropout(dropout, name="dropout")(x)
    if classifier_padding:
        x = layers.ZeroPadding2D(classifier_padding, name="conv10_pad")(x)
    x = layers.Conv2D(classes, 1, activation="relu", kernel_initializer="he_normal", name="conv10")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    outputs = layers.Softmax(name="scores")(x)
    suffix = "_bypass_all" if bypass_all else "_bypass" if bypass else ""
    return keras.Model(inputs, outputs, name=f"squeezenet_v{version.replace('.', '_')}{suffix}")
