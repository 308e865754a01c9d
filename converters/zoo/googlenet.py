"""GoogLeNet, Inception v1 (arXiv:1409.4842), without the auxiliary classifiers that help its training alone.

The paper's two local response normalisations are left out: they carry no weights, and the networks that
followed found them to be of no use. As a release of its weights does, `batch_norm` puts a batch norm after
every convolution, `wide_kernel` 3 makes the widest branch a 3x3, and `last_pool` 2 the last pool a 2x2.
"""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from edgecore.converters.zoo.blocks import ceil_pool, classifier, conv, conv_bn

# Filters of 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection; a name of letter "a" follows a pool.
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def googlenet(
    classes: int = 1000,
    input_size: int = 224,
    *,
    batch_norm: bool = False,
    wide_kernel: int = 5,
    last_pool: int = 3,
    dropout: float = 0.4,
) -> keras.Model:
    """Nine inception modules; 6,998,552 parameters with 1000 classes.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes). `last_pool` is the window
    of the pool before the last two modules.
    """

    def part(x: KerasTensor, filters: int, kernel: int, name: str, stride: int = 1) -> KerasTensor:
        block = conv_bn if batch_norm else conv
        return block(x, filters, kernel, stride=stride, padding="symmetric", name=name)

    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = part(inputs, 64, 7, "conv1", stride=2)
    x = ceil_pool(x, "pool1")
    x = part(x, 64, 1, "conv2_reduce")
    x = part(x, 192, 3, "conv2")
    for name, (one, reduce3, three, reduce5, five, project) in MODULES.items():
        if name.endswith("a"):
            window = last_pool if name == "5a" else 3
            x = ceil_pool(x, f"pool{int(name[0]) - 1}", window)
        pooled = layers.MaxPooling2D(3, strides=1, padding="same", name=f"{name}_pool")(x)
        x = layers.Concatenate(name=f"{name}_concat")(
            [
                part(x, one, 1, f"{name}_1x1"),
                part(part(x, reduce3, 1, f"{name}_3x3_reduce"), three, 3, f"{name}_3x3"),
                part(part(x, reduce5, 1, f"{name}_5x5_reduce"), five, wide_kernel, f"{name}_5x5"),
                part(pooled, project, 1, f"{name}_project"),
            ]
        )
    return keras.Model(inputs, classifier(x, classes, dropout=dropout), name="googlenet")
