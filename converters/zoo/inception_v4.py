"""Inception v4 (arXiv:1602.07261): v3's modules in a larger and more regular network."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from edgecore.converters.zoo.blocks import Steps, chain, classifier, concat, conv_bn, same_average

ROW, COLUMN = (1, 7), (7, 1)


def _pool(x: KerasTensor, name: str) -> KerasTensor:
    return layers.MaxPooling2D(3, strides=2, name=f"{name}_pool")(x)


def _stem(x: KerasTensor) -> KerasTensor:
    """299x299x3 to 35x35x384."""
    x = conv_bn(x, 32, 3, stride=2, padding="valid", name="conv1")
    x = conv_bn(x, 32, 3, padding="valid", name="conv2")
    x = conv_bn(x, 64, 3, name="conv3")
    x = concat([_pool(x, "stem1"), conv_bn(x, 96, 3, stride=2, padding="valid", name="stem1_3x3")], "stem1")
    short = chain(x, [(64, 1), (96, 3)], "stem2_3x3", padding="valid")
    long = chain(x, [(64, 1), (64, ROW), (64, COLUMN), (96, 3)], "stem2_7x7", padding="valid")
    x = concat([short, long], "stem2")
    return concat(
        [conv_bn(x, 192, 3, stride=2, padding="valid", name="stem3_3x3"), _pool(x, "stem3")], "stem3"
    )


def _module_a(x: KerasTensor, name: str) -> KerasTensor:
    """At 35x35x384."""
    branches = [
        chain(x, [(96, 1)], f"{name}_1x1"),
        chain(x, [(64, 1), (96, 3)], f"{name}_3x3"),
        chain(x, [(64, 1), (96, 3), (96, 3)], f"{name}_double"),
        chain(same_average(x, f"{name}_pool"), [(96, 1)], f"{name}_project"),
    ]
    return concat(branches, name)


def _module_b(x: KerasTensor, name: str) -> KerasTensor:
    """At 17x17x1024."""
    double: Steps = [(192, 1), (192, ROW), (224, COLUMN), (224, ROW), (256, COLUMN)]
    branches = [
        chain(x, [(384, 1)], f"{name}_1x1"),
        chain(x, [(192, 1), (224, ROW), (256, COLUMN)], f"{name}_7x7"),
        chain(x, double, f"{name}_double"),
        chain(same_average(x, f"{name}_pool"), [(128, 1)], f"{name}_project"),
    ]
    return concat(branches, name)


def _module_c(x: KerasTensor, name: str) -> KerasTensor:
    """At 8x8x1536."""
    single = chain(x, [(384, 1)], f"{name}_3x3")
    double = chain(x, [(384, 1), (448, (3, 1)), (512, (1, 3))], f"{name}_double")
    branches = [
        chain(x, [(256, 1)], f"{name}_1x1"),
        conv_bn(single, 256, (1, 3), name=f"{name}_3x3_row"),
        conv_bn(single, 256, (3, 1), name=f"{name}_3x3_column"),
        conv_bn(double, 256, (1, 3), name=f"{name}_double_row"),
        conv_bn(double, 256, (3, 1), name=f"{name}_double_column"),
        chain(same_average(x, f"{name}_pool"), [(256, 1)], f"{name}_project"),
    ]
    return concat(branches, name)


def inception_v4(classes: int = 1000, input_size: int = 299, *, dropout: float = 0.2) -> keras.Model:
    """42,679,816 trainable parameters with 1000 classes.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes).
    """
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = _stem(inputs)
    for number in range(1, 5):
        x = _module_a(x, f"a{number}")
    branches = [
        chain(x, [(384, 3)], "reduce_a_3x3", stride=2, padding="valid"),
        chain(x, [(192, 1), (224, 3), (256, 3)], "reduce_a_double", stride=2, padding="valid"),
        _pool(x, "reduce_a"),
    ]
    x = concat(branches, "reduce_a")
    for number in range(1, 8):
        x = _module_b(x, f"b{number}")
    branches = [
        chain(x, [(192, 1), (192, 3)], "reduce_b_3x3", stride=2, padding="valid"),
        chain(x, [(256, 1), (256, ROW), (320, COLUMN), (320, 3)], "reduce_b_7x7", stride=2, padding="valid"),
        _pool(x, "reduce_b"),
    ]
    x = concat(branches, "reduce_b")
    for number in range(1, 4):
        x = _module_c(x, f"c{number}")
    return keras.Model(inputs, classifier(x, classes, dropout=dropout), name="inception_v4")
