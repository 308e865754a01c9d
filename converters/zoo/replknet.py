"""RepLKNet-31B (arXiv:2203.06717): depthwise kernels of up to 31x31, trained beside 5x5 ones."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from edgecore.converters.zoo.blocks import QUICK, activate, classifier, conv_bn, depthwise_bn, norm_relu

DEPTHS = (2, 2, 18, 2)
FILTERS = (128, 256, 512, 1024)
KERNELS = (31, 29, 27, 13)
SMALL = 5


def _large(x: KerasTensor, kernel: int, merged: bool, name: str) -> KerasTensor:
    """The large depthwise kernel and the small one, or one kernel with a bias in their place."""
    if merged:
        y = layers.DepthwiseConv2D(kernel, padding="same", name=f"{name}_large_depthwise")(x)
    else:
        large = depthwise_bn(x, kernel=kernel, activation=None, name=f"{name}_large")
        small = depthwise_bn(x, kernel=SMALL, activation=None, name=f"{name}_small")
        y = layers.Add(name=f"{name}_kernels")([large, small])
    return activate(y, "relu", f"{name}_large")


def large_block(x: KerasTensor, kernel: int, merged: bool, name: str) -> KerasTensor:
    """Norm, 1x1, large kernel, 1x1, plus the input."""
    filters = x.shape[-1]
    y = norm_relu(x, None, f"{name}_in", QUICK)
    y = conv_bn(y, filters, 1, name=f"{name}_a")
    y = _large(y, kernel, merged, name)
    y = conv_bn(y, filters, 1, activation=None, name=f"{name}_b")
    return layers.Add(name=f"{name}_add")([x, y])


def feed_forward(x: KerasTensor, name: str) -> KerasTensor:
    """Norm, 1x1 to four times the channels, GELU, 1x1 back, plus the input."""
    y = norm_relu(x, None, f"{name}_in", QUICK)
    y = conv_bn(y, 4 * x.shape[-1], 1, activation="gelu", name=f"{name}_a")
    y = conv_bn(y, x.shape[-1], 1, activation=None, name=f"{name}_b")
    return layers.Add(name=f"{name}_add")([x, y])


def replknet(classes: int = 1000, input_size: int = 224, *, merged: bool = False) -> keras.Model:
    """About 79 M parameters with 1000 classes.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes). `merged` has one large
    kernel where training has two branches.
    """

    def depthwise(x: KerasTensor, stride: int, name: str) -> KerasTensor:
        return depthwise_bn(x, stride=stride, padding="symmetric", activation="relu", name=name)

    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = conv_bn(inputs, FILTERS[0], 3, stride=2, padding="symmetric", name="stem1")
    x = depthwise(x, 1, "stem2")
    x = conv_bn(x, FILTERS[0], 1, name="stem3")
    x = depthwise(x, 2, "stem4")
    for stage, (filters, count, kernel) in enumerate(zip(FILTERS, DEPTHS, KERNELS, strict=True), start=1):
        if stage > 1:
            x = depthwise(conv_bn(x, filters, 1, name=f"down{stage}_a"), 2, f"down{stage}_b")
        for number in range(1, count + 1):
            x = large_block(x, kernel, merged, f"stage{stage}_{number}")
            x = feed_forward(x, f"stage{stage}_{number}_wide")
    x = norm_relu(x, None, "last", QUICK)
    suffix = "_merged" if merged else ""
    return keras.Model(inputs, classifier(x, classes), name=f"replknet_31b{suffix}")
