"""ConvNeXt (arXiv:2201.03545), and SLaK (arXiv:2207.03620), which is ConvNeXt with sparse 51x51 kernels."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import KerasTensor, layers

from edgecore.converters.zoo.blocks import QUICK, depthwise_bn
from edgecore.converters.zoo.special import ChannelNorm, SparseInitializer, sparse

DEPTHS = (3, 3, 9, 3)
FILTERS = (96, 192, 384, 768)
# SLaK's long kernel side in each stage, and its short one.
LONG, SHORT = (51, 49, 47, 13), 5
# (input, stage from 1, name) -> what the block's spatial convolutions make of it.
Mix = Callable[[KerasTensor, int, str], KerasTensor]


def _start() -> keras.initializers.Initializer:
    """A new one for every layer: each draws the same weights again and again."""
    return keras.initializers.TruncatedNormal(stddev=0.02)


def _norm(x: KerasTensor, name: str) -> KerasTensor:
    """Layer norm over channels."""
    return ChannelNorm(epsilon=1e-6, name=f"{name}_norm")(x)


def _conv(
    x: KerasTensor, filters: int, kernel: int, stride: int, name: str, sparsity: float = 0.0
) -> KerasTensor:
    zeros = sparse(sparsity, name)
    return layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        kernel_initializer=SparseInitializer(_start(), zeros) if zeros else _start(),
        kernel_constraint=zeros,
        name=name,
    )(x)


def _mixer(x: KerasTensor, y: KerasTensor, name: str, sparsity: float = 0.0) -> KerasTensor:
    """The rest of a block: norm, 1x1 to four times the channels, GELU, 1x1 back, gain per channel, sum."""
    filters = x.shape[-1]
    y = _norm(y, name)
    y = _conv(y, 4 * filters, 1, 1, f"{name}_expand", sparsity)
    y = layers.Activation("gelu", name=f"{name}_gelu")(y)
    y = _conv(y, filters, 1, 1, f"{name}_project", sparsity)
    gain = keras.initializers.Constant(1e-6)
    y = layers.DepthwiseConv2D(1, use_bias=False, depthwise_initializer=gain, name=f"{name}_gain")(y)
    return layers.Add(name=f"{name}_add")([x, y])


def _network(
    classes: int, input_size: int, filters: tuple[int, ...], name: str, mix: Mix, sparsity: float = 0.0
) -> keras.Model:
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = _norm(_conv(inputs, filters[0], 4, 4, "stem", sparsity), "stem")
    for stage, count in enumerate(DEPTHS, start=1):
        if stage > 1:
            x = _norm(x, f"down{stage}")
            x = _conv(x, filters[stage - 1], 2, 2, f"down{stage}", sparsity)
        for number in range(1, count + 1):
            label = f"stage{stage}_{number}"
            x = _mixer(x, mix(x, stage, label), label, sparsity)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = _norm(x, "last")
    x = layers.Dense(classes, kernel_initializer=_start(), name="classifier")(x)
    return keras.Model(inputs, layers.Softmax(name="scores")(x), name=name)


def convnext_tiny(classes: int = 1000, input_size: int = 224) -> keras.Model:
    """28,589,128 parameters with 1000 classes.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes).
    """

    def mix(x: KerasTensor, stage: int, name: str) -> KerasTensor:
        return layers.DepthwiseConv2D(
            7, padding="same", depthwise_initializer=_start(), name=f"{name}_depthwise"
        )(x)

    return _network(classes, input_size, FILTERS, "convnext_tiny", mix)


def slak_tiny(
    classes: int = 1000, input_size: int = 224, *, width: float = 1.3, sparsity: float = 0.4
) -> keras.Model:
    """About 30 M parameters that are not zero, with 1000 classes.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes). A 51x51 kernel is the
    sum of a 51x5, a 5x51 and a 5x5 one. `sparsity` is the share of each kernel's weights that are zero and
    stay so in training; the paper moves them while it trains, here they are drawn once.
    """

    def mix(x: KerasTensor, stage: int, name: str) -> KerasTensor:
        long = LONG[stage - 1]
        branches = [
            depthwise_bn(
                x, kernel=kernel, activation=None, norm=QUICK, sparsity=sparsity, name=f"{name}_{label}"
            )
            for label, kernel in (("column", (long, SHORT)), ("row", (SHORT, long)), ("small", SHORT))
        ]
        return layers.Add(name=f"{name}_sum")(branches)

    filters = tuple(int(count * width) for count in FILTERS)
    return _network(classes, input_size, filters, "slak_tiny", mix, sparsity)
