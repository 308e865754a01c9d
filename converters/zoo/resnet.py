"""ResNet18 (arXiv:1512.03385), with the explicit paddings of the common releases of its weights."""

from __future__ import annotations

import keras
from keras import layers

from edgecore.converters.zoo.blocks import classifier, conv_bn, residual

STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))


def resnet18(classes: int = 1000, input_size: int = 224, *, width: float = 1.0) -> keras.Model:
    """Two basic blocks per stage; 11,689,512 trainable parameters with 1000 classes.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes). `width` multiplies
    the filters of every stage.
    """
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = layers.ZeroPadding2D(3, name="conv1_pad")(inputs)
    x = conv_bn(x, round(64 * width), 7, stride=2, padding="valid", name="conv1")
    # Zeros are the smallest values after a ReLU, so padding with them does not change a maximum.
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for stage, (filters, stride) in enumerate(STAGES, start=1):
        for block in range(2):
            first = block == 0
            x = residual(
                x,
                round(filters * width),
                stride=stride if first else 1,
                project=first and stage > 1,
                explicit_pad=True,
                name=f"stage{stage}_{block + 1}",
            )
    return keras.Model(inputs, classifier(x, classes), name="resnet18")
