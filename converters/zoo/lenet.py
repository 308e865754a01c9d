"""LeNet of 1989 and LeNet-5 of 1998, which read handwritten digits.

Both end in a dense layer with a softmax over classes, where the papers compared the outputs with targets of
their own. The digits are bright on dark ground, so that zeros around the image are background.
"""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from edgecore.converters.zoo.special import MapBias, TableConv2D

# Each map of LeNet-1989's second layer sees eight of the twelve of the first; the paper does not say which.
THIRDS = (range(0, 4), range(4, 8), range(8, 12))
EIGHT_OF_TWELVE = tuple((*THIRDS[i], *THIRDS[j]) for i, j in ((0, 1), (1, 2), (0, 2)) for _ in range(4))
# LeNet-5's table: six maps see three neighbours, six see four, three see two pairs, one sees all.
RING = 6
SIXTEEN_OF_SIX = (
    *(tuple((first + step) % RING for step in range(3)) for first in range(6)),
    *(tuple((first + step) % RING for step in range(4)) for first in range(6)),
    *((first, first + 1, (first + 3) % RING, (first + 4) % RING) for first in range(3)),
    tuple(range(RING)),
)


def lenet_1989(classes: int = 10, input_size: int = 16) -> keras.Model:
    """Backpropagation Applied to Handwritten Zip Code Recognition: 9,760 parameters with 10 classes.

    Input float (batch, input_size, input_size, 1); output softmax (batch, classes).
    """
    inputs = keras.Input((input_size, input_size, 1), name="image")
    x = layers.ZeroPadding2D(2, name="h1_pad")(inputs)
    x = layers.Conv2D(12, 5, strides=2, use_bias=False, name="h1")(x)
    x = layers.Activation("tanh", name="h1_tanh")(MapBias(name="h1_bias")(x))
    x = layers.ZeroPadding2D(2, name="h2_pad")(x)
    x = TableConv2D(EIGHT_OF_TWELVE, 5, stride=2, use_bias=False, name="h2")(x)
    x = layers.Activation("tanh", name="h2_tanh")(MapBias(name="h2_bias")(x))
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(30, activation="tanh", name="h3")(x)
    x = layers.Dense(classes, name="classifier")(x)
    return keras.Model(inputs, layers.Softmax(name="scores")(x), name="lenet_1989")


def subsample(x: KerasTensor, name: str) -> KerasTensor:
    """The mean of 2x2 pixels, times a gain and plus a bias per map, then tanh."""
    x = layers.AveragePooling2D(2, name=f"{name}_average")(x)
    return layers.DepthwiseConv2D(1, activation="tanh", depthwise_initializer="ones", name=name)(x)


def lenet5(classes: int = 10, input_size: int = 32) -> keras.Model:
    """Gradient-Based Learning Applied to Document Recognition: 60,000 parameters before the classifier.

    Input float (batch, input_size, input_size, 1); output softmax (batch, classes).
    """
    inputs = keras.Input((input_size, input_size, 1), name="image")
    x = layers.Conv2D(6, 5, activation="tanh", name="c1")(inputs)
    x = subsample(x, "s2")
    x = TableConv2D(SIXTEEN_OF_SIX, 5, name="c3")(x)
    x = layers.Activation("tanh", name="c3_tanh")(x)
    x = subsample(x, "s4")
    x = layers.Conv2D(120, 5, activation="tanh", name="c5")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(84, activation="tanh", name="f6")(x)
    x = layers.Dense(classes, name="classifier")(x)
    return keras.Model(inputs, layers.Softmax(name="scores")(x), name="lenet5")
