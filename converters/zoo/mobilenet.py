"""MobileNet v1 (arXiv:1704.04861) and v2 (arXiv:1801.04381)."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from edgecore.converters.zoo.blocks import KERAS, classifier, conv_bn, depthwise_bn

# v1: (filters, stride) of the thirteen separable blocks.
SEPARABLE = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)
# v2: (expansion, filters, repeats, stride of the first repeat).
INVERTED = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def divisible(filters: float, divisor: int = 8) -> int:
    """The multiple of `divisor` nearest to `filters`, never more than a tenth below it."""
    rounded = max(divisor, int(filters + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * filters else rounded


def mobilenet_v1(classes: int = 1000, input_size: int = 224, *, alpha: float = 1.0) -> keras.Model:
    """Thirteen separable blocks; 4,253,864 parameters with alpha 1 and 1000 classes.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes).
    """
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = conv_bn(inputs, int(32 * alpha), 3, stride=2, activation="relu6", name="conv1", norm=KERAS)
    for number, (filters, stride) in enumerate(SEPARABLE, start=1):
        x = depthwise_bn(x, stride=stride, name=f"block{number}", norm=KERAS)
        x = conv_bn(
            x, int(filters * alpha), 1, activation="relu6", name=f"block{number}_pointwise", norm=KERAS
        )
    return keras.Model(inputs, classifier(x, classes), name="mobilenet_v1")


def inverted_residual(
    x: KerasTensor,
    expansion: int,
    filters: int,
    stride: int,
    name: str,
    *,
    padding: str = "same",
    expand_always: bool = False,
) -> KerasTensor:
    """1x1 to `expansion` times the channels, depthwise, linear 1x1; plus the input where shapes allow."""
    channels = x.shape[-1]
    y = x
    if expansion > 1 or expand_always:
        y = conv_bn(y, expansion * channels, 1, activation="relu6", name=f"{name}_expand", norm=KERAS)
    y = depthwise_bn(y, stride=stride, padding=padding, name=name, norm=KERAS)
    y = conv_bn(y, filters, 1, activation=None, name=f"{name}_project", norm=KERAS)
    return layers.Add(name=f"{name}_add")([x, y]) if stride == 1 and channels == filters else y


def mobilenet_v2(
    classes: int = 1000,
    input_size: int = 224,
    *,
    alpha: float = 1.0,
    padding: str = "same",
    expand_first: bool = False,
) -> keras.Model:
    """Seventeen inverted residual blocks; 3,538,984 parameters with alpha 1 and 1000 classes.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes). `padding` "symmetric" is
    that of PyTorch's release. With `expand_first` the first block has a 1x1 convolution too, though it
    expands nothing: 2,262,979 parameters with 3 classes, the count of the SPP-COVID-Net paper.
    """
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = conv_bn(
        inputs,
        divisible(32 * alpha),
        3,
        stride=2,
        padding=padding,
        activation="relu6",
        name="conv1",
        norm=KERAS,
    )
    number = 0
    for expansion, filters, repeats, first_stride in INVERTED:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            x = inverted_residual(
                x,
                expansion,
                divisible(filters * alpha),
                stride,
                f"block{number}",
                padding=padding,
                expand_always=expand_first,
            )
            number += 1
    last = divisible(1280 * alpha) if alpha > 1 else 1280
    x = conv_bn(x, last, 1, activation="relu6", name="head", norm=KERAS)
    return keras.Model(inputs, classifier(x, classes), name="mobilenet_v2")
