"""Inception v2, which is the batch norm paper's (arXiv:1502.03167), and v3 (arXiv:1512.00567)."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from edgecore.converters.zoo.blocks import (
    Steps,
    chain,
    classifier,
    concat,
    conv_bn,
    max_pool,
    same_average,
    squeeze_excite,
)

# Filters of 1x1, 3x3 reduce, 3x3, double 3x3 reduce, double 3x3, pool projection; kind of pool; stride.
# A module with stride 2 has no 1x1 branch, and passes its pool on. In 4c and 4d the projections are the
# release's: the paper's table does not add up to its own output.
V2 = {
    "3a": (64, 64, 64, 64, 96, 32, "average", 1),
    "3b": (64, 64, 96, 64, 96, 64, "average", 1),
    "3c": (0, 128, 160, 64, 96, 0, "max", 2),
    "4a": (224, 64, 96, 96, 128, 128, "average", 1),
    "4b": (192, 96, 128, 96, 128, 128, "average", 1),
    "4c": (160, 128, 160, 128, 160, 128, "average", 1),
    "4d": (96, 128, 192, 160, 192, 128, "average", 1),
    "4e": (0, 128, 192, 192, 256, 0, "max", 2),
    "5a": (352, 192, 320, 160, 224, 128, "average", 1),
    "5b": (352, 192, 320, 192, 224, 128, "max", 1),
}


def inception_v2(classes: int = 1000, input_size: int = 224, *, excite: int = 0) -> keras.Model:
    """11,285,224 trainable parameters with 1000 classes; 11,295,240 with the idle biases of its release.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes). `excite` is the reduction
    of squeeze and excitation after every module (arXiv:1709.01507), 0 for none.
    """
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = conv_bn(inputs, 64, 7, stride=2, padding="symmetric", name="conv1")
    x = max_pool(x, 3, 2, "pool1")
    x = conv_bn(x, 64, 1, name="conv2_reduce")
    x = conv_bn(x, 192, 3, name="conv2")
    x = max_pool(x, 3, 2, "pool2")
    for name, (one, reduce3, three, reduce33, double, project, pool, stride) in V2.items():
        single = conv_bn(x, reduce3, 1, name=f"{name}_3x3_reduce")
        single = conv_bn(single, three, 3, stride=stride, padding="symmetric", name=f"{name}_3x3")
        twice = conv_bn(x, reduce33, 1, name=f"{name}_double_reduce")
        twice = conv_bn(twice, double, 3, name=f"{name}_double_a")
        twice = conv_bn(twice, double, 3, stride=stride, padding="symmetric", name=f"{name}_double_b")
        label = f"{name}_pool"
        pooled = max_pool(x, 3, stride, label) if pool == "max" else same_average(x, label)
        branches = [conv_bn(x, one, 1, name=f"{name}_1x1")] if one else []
        branches += [single, twice]
        branches.append(conv_bn(pooled, project, 1, name=f"{name}_project") if project else pooled)
        x = concat(branches, name)
        if excite:
            x = squeeze_excite(x, x.shape[-1] // excite, name=name)
    name = "se_inception_v2" if excite else "inception_v2"
    return keras.Model(inputs, classifier(x, classes), name=name)


def _v3_a(x: KerasTensor, project: int, padded: bool, name: str) -> KerasTensor:
    """At 35x35: 1x1, 5x5, double 3x3, pool."""
    branches = [
        chain(x, [(64, 1)], f"{name}_1x1"),
        chain(x, [(48, 1), (64, 5)], f"{name}_5x5"),
        chain(x, [(64, 1), (96, 3), (96, 3)], f"{name}_double"),
        chain(same_average(x, f"{name}_pool", padded=padded), [(project, 1)], f"{name}_project"),
    ]
    return concat(branches, name)


def _v3_c(x: KerasTensor, inner: int, padded: bool, name: str) -> KerasTensor:
    """At 17x17: 7x7 as 1x7 and 7x1, once and twice."""
    row, column = (1, 7), (7, 1)
    double: Steps = [(inner, 1), (inner, column), (inner, row), (inner, column), (192, row)]
    branches = [
        chain(x, [(192, 1)], f"{name}_1x1"),
        chain(x, [(inner, 1), (inner, row), (192, column)], f"{name}_7x7"),
        chain(x, double, f"{name}_double"),
        chain(same_average(x, f"{name}_pool", padded=padded), [(192, 1)], f"{name}_project"),
    ]
    return concat(branches, name)


def _v3_e(x: KerasTensor, padded: bool, name: str) -> KerasTensor:
    """At 8x8: 3x3 as 1x3 beside 3x1."""

    def split(y: KerasTensor, label: str) -> list[KerasTensor]:
        return [
            conv_bn(y, 384, (1, 3), name=f"{name}_{label}_row"),
            conv_bn(y, 384, (3, 1), name=f"{name}_{label}_column"),
        ]

    branches = [
        chain(x, [(320, 1)], f"{name}_1x1"),
        *split(chain(x, [(384, 1)], f"{name}_3x3"), "3x3"),
        *split(chain(x, [(448, 1), (384, 3)], f"{name}_double"), "double"),
        chain(same_average(x, f"{name}_pool", padded=padded), [(192, 1)], f"{name}_project"),
    ]
    return concat(branches, name)


def inception_v3(
    classes: int = 1000, input_size: int = 299, *, padded_average: bool = False, dropout: float = 0.2
) -> keras.Model:
    """23,834,568 trainable parameters with 1000 classes, without the auxiliary classifier.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes). With `padded_average` the
    averages of the pool branches count zeros outside of the map, as PyTorch's release does.
    """
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = conv_bn(inputs, 32, 3, stride=2, padding="valid", name="conv1")
    x = conv_bn(x, 32, 3, padding="valid", name="conv2")
    x = conv_bn(x, 64, 3, name="conv3")
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    x = conv_bn(x, 80, 1, padding="valid", name="conv4")
    x = conv_bn(x, 192, 3, padding="valid", name="conv5")
    x = layers.MaxPooling2D(3, strides=2, name="pool2")(x)
    for number, project in enumerate((32, 64, 64), start=1):
        x = _v3_a(x, project, padded_average, f"a{number}")
    branches = [
        chain(x, [(384, 3)], "b_3x3", stride=2, padding="valid"),
        chain(x, [(64, 1), (96, 3), (96, 3)], "b_double", stride=2, padding="valid"),
        layers.MaxPooling2D(3, strides=2, name="b_pool")(x),
    ]
    x = concat(branches, "b")
    for number, inner in enumerate((128, 160, 160, 192), start=1):
        x = _v3_c(x, inner, padded_average, f"c{number}")
    branches = [
        chain(x, [(192, 1), (320, 3)], "d_3x3", stride=2, padding="valid"),
        chain(x, [(192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3)], "d_7x7", stride=2, padding="valid"),
        layers.MaxPooling2D(3, strides=2, name="d_pool")(x),
    ]
    x = concat(branches, "d")
    for number in (1, 2):
        x = _v3_e(x, padded_average, f"e{number}")
    return keras.Model(inputs, classifier(x, classes, dropout=dropout), name="inception_v3")
