"""ShuffleNet v1 (arXiv:1707.01083) and v2 (arXiv:1807.11164): cheap 1x1 convolutions, mixed channels."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers, ops

from edgecore.converters.zoo.blocks import (
    channel_shuffle,
    classifier,
    concat,
    conv_bn,
    depthwise_bn,
    max_pool,
)

REPEATS = (4, 8, 4)
# v1: filters of the first stage for each number of groups.
FIRST_STAGE = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
# v2: filters of the stages and of the last convolution.
WIDTHS = {
    0.5: (48, 96, 192, 1024),
    1.0: (116, 232, 464, 1024),
    1.5: (176, 352, 704, 1024),
    2.0: (244, 488, 976, 2048),
}


def _stem(inputs: KerasTensor, filters: int) -> KerasTensor:
    x = conv_bn(inputs, filters, 3, stride=2, padding="symmetric", name="conv1")
    return max_pool(x, 3, 2, "pool1")


def unit_v1(
    x: KerasTensor, filters: int, groups: int, stride: int, group_first: bool, name: str
) -> KerasTensor:
    """1x1 in groups to a quarter, shuffle, depthwise, 1x1 in groups; summed with the input, or with a stride
    concatenated with its average pool.
    """
    own = filters - x.shape[-1] if stride == 2 else filters
    y = conv_bn(x, filters // 4, 1, groups=groups if group_first else 1, name=f"{name}_a")
    y = channel_shuffle(y, groups, name)
    y = depthwise_bn(y, stride=stride, padding="symmetric", activation=None, name=f"{name}_b")
    y = conv_bn(y, own, 1, groups=groups, activation=None, name=f"{name}_c")
    if stride == 2:
        x = layers.AveragePooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
        y = concat([x, y], name)
    else:
        y = layers.Add(name=f"{name}_add")([x, y])
    return layers.Activation("relu", name=f"{name}_relu")(y)


def shufflenet_v1(
    classes: int = 1000, input_size: int = 224, *, groups: int = 3, group_first: bool = False
) -> keras.Model:
    """1,865,728 trainable parameters with 3 groups and 1000 classes.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes). The paper does not group
    the first 1x1 convolution, which sees 24 channels only; with `group_first` and 8 groups there are 939,531
    parameters with 3 classes, the count of the SPP-COVID-Net paper.
    """
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = _stem(inputs, 24)
    for stage, repeats in enumerate(REPEATS, start=2):
        for number in range(1, repeats + 1):
            first = stage == 2 and number == 1
            x = unit_v1(
                x,
                FIRST_STAGE[groups] * 2 ** (stage - 2),
                groups,
                2 if number == 1 else 1,
                group_first or not first,
                f"stage{stage}_{number}",
            )
    return keras.Model(inputs, classifier(x, classes), name=f"shufflenet_v1_g{groups}")


def unit_v2(x: KerasTensor, filters: int, stride: int, name: str) -> KerasTensor:
    """Half of the channels pass, the others go through 1x1, depthwise, 1x1; with a stride both halves are
    convolutions of the whole input. Then the halves are shuffled.
    """
    half = filters // 2
    if stride == 2:
        kept = depthwise_bn(x, stride=2, padding="symmetric", activation=None, name=f"{name}_left")
        kept = conv_bn(kept, half, 1, name=f"{name}_left_project")
        y = x
    else:
        kept, y = ops.split(x, 2, axis=-1)
    y = conv_bn(y, half, 1, name=f"{name}_a")
    y = depthwise_bn(y, stride=stride, padding="symmetric", activation=None, name=f"{name}_b")
    y = conv_bn(y, half, 1, name=f"{name}_c")
    return channel_shuffle(concat([kept, y], name), 2, name)


def shufflenet_v2(classes: int = 1000, input_size: int = 224, *, width: float = 1.0) -> keras.Model:
    """2,278,604 trainable parameters with width 1 and 1000 classes.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes).
    """
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = _stem(inputs, 24)
    *stages, last = WIDTHS[width]
    for stage, (filters, repeats) in enumerate(zip(stages, REPEATS, strict=True), start=2):
        for number in range(1, repeats + 1):
            x = unit_v2(x, filters, 2 if number == 1 else 1, f"stage{stage}_{number}")
    x = conv_bn(x, last, 1, name="conv5")
    return keras.Model(inputs, classifier(x, classes), name="shufflenet_v2")
