"""Res-SqueezeNet: SqueezeNet's eight fire blocks, then two residual blocks before the classifier.

The paper gives the layout in words only and a size of 44.28 MB in float. Here: the fire blocks as published,
then two basic blocks of ResNet18 at its last width, the first with a projection at stride 2.
The compact member is this project's own, for small images and small boards.
"""

from __future__ import annotations

import keras
from keras import layers

from edgecore.converters.zoo.blocks import classifier, conv_bn, fire_bn, residual
from edgecore.converters.zoo.squeezenet import features

# (squeeze, expand, pool 2x2 after the block) of the compact member's fire2 .. fire9. A block whose input
# has 2 * expand channels is bypassed. Most work stands at 16x16 and 8x8, most parameters in the residual
# blocks.
COMPACT_FIRES = (
    (16, 32, True),
    (32, 32, False),
    (48, 64, False),
    (48, 64, True),
    (48, 96, False),
    (48, 96, False),
    (48, 96, False),
    (48, 96, False),
)


def res_squeezenet(
    classes: int = 9, input_size: int = 227, *, version: str = "1.1", width: int = 512
) -> keras.Model:
    """The paper's own model: about 10.5 M parameters with 9 classes.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes). `version` is the
    SqueezeNet whose fire blocks come first, `width` the filters of the residual blocks.
    """
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = features(inputs, version)
    x = residual(x, width, stride=2, project=True, name="residual1")
    x = residual(x, width, name="residual2")
    return keras.Model(inputs, classifier(x, classes), name="res_squeezenet")


def res_squeezenet_compact(
    classes: int = 10, input_size: int = 32, *, stem: int = 32, width: int = 112
) -> keras.Model:
    """A Res-SqueezeNet for small images: 0.86 M parameters and 51 MMAC at 32x32 with 10 classes.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes). `stem` is the number
    of filters of conv1, `width` that of the two residual blocks, of which the first projects at stride 2.
    """
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = conv_bn(inputs, stem, 3, name="conv1")
    for number, (squeeze, expand, pool) in enumerate(COMPACT_FIRES, start=2):
        x = fire_bn(x, squeeze, expand, bypass=x.shape[-1] == 2 * expand, name=f"fire{number}")
        if pool:
            x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
    x = residual(x, width, stride=2, project=True, name="residual1")
    x = residual(x, width, name="residual2")
    return keras.Model(inputs, classifier(x, classes), name="res_squeezenet_compact")
