"""EfficientNet B0 to B7 (arXiv:1905.11946): one searched network, scaled in three directions at once."""

from __future__ import annotations

import math
from typing import NamedTuple

import keras
from keras import KerasTensor, layers

from edgecore.converters.zoo.blocks import KERAS, classifier, conv_bn, depthwise_bn, squeeze_excite
from edgecore.converters.zoo.mobilenet import divisible

# B0's stages: (expansion, kernel, filters, repeats, stride of the first repeat).
STAGES = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)
# The paper's grid search: depth, width and resolution grow by these for each doubling of the work.
ALPHA, BETA, GAMMA = 1.2, 1.1, 1.15


class Scaling(NamedTuple):
    """How often blocks are repeated and how wide they are, relative to B0, and the input side in pixels."""

    depth: float
    width: float
    resolution: int


def compound(phi: float, *, alpha: float = ALPHA, beta: float = BETA, gamma: float = GAMMA) -> Scaling:
    """The paper's rule: depth alpha^phi, width beta^phi, resolution gamma^phi, for 2^phi times B0's work.

    alpha * beta^2 * gamma^2 is about 2. The released networks are rounded values of it: `RELEASED`.
    """
    return Scaling(alpha**phi, beta**phi, round(224 * gamma**phi))


RELEASED = {
    0: Scaling(1.0, 1.0, 224),
    1: Scaling(1.1, 1.0, 240),
    2: Scaling(1.2, 1.1, 260),
    3: Scaling(1.4, 1.2, 300),
    4: Scaling(1.8, 1.4, 380),
    5: Scaling(2.2, 1.6, 456),
    6: Scaling(2.6, 1.8, 528),
    7: Scaling(3.1, 2.0, 600),
}
DROPOUT = {0: 0.2, 1: 0.2, 2: 0.3, 3: 0.3, 4: 0.4, 5: 0.4, 6: 0.5, 7: 0.5}


def block(
    x: KerasTensor, expansion: int, kernel: int, filters: int, stride: int, padding: str, name: str
) -> KerasTensor:
    """MBConv: v2's inverted residual with squeeze and excitation, a quarter of the block's input narrow."""
    channels = x.shape[-1]
    y = x
    if expansion > 1:
        y = conv_bn(y, expansion * channels, 1, activation="silu", norm=KERAS, name=f"{name}_expand")
    y = depthwise_bn(
        y, kernel=kernel, stride=stride, padding=padding, activation="silu", norm=KERAS, name=name
    )
    y = squeeze_excite(y, max(1, channels // 4), activation="silu", name=name)
    y = conv_bn(y, filters, 1, activation=None, norm=KERAS, name=f"{name}_project")
    return layers.Add(name=f"{name}_add")([x, y]) if stride == 1 and channels == filters else y


def efficientnet(
    classes: int = 1000,
    input_size: int = 224,
    *,
    scaling: int | tuple[float, float] = 0,
    padding: str = "same",
    dropout: float | None = None,
) -> keras.Model:
    """5,288,548 trainable parameters with `scaling` 0 (B0) and 1000 classes, 66,347,960 with 7.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes). `scaling` is the number
    of a release, or (depth, width), as from `compound`. `padding` "symmetric" is that of PyTorch's release.
    """
    depth, width = RELEASED[scaling][:2] if isinstance(scaling, int) else scaling
    if dropout is None:
        dropout = DROPOUT[scaling] if isinstance(scaling, int) else 0.2
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = conv_bn(
        inputs,
        divisible(32 * width),
        3,
        stride=2,
        padding=padding,
        activation="silu",
        norm=KERAS,
        name="conv1",
    )
    for stage, (expansion, kernel, filters, repeats, first_stride) in enumerate(STAGES, start=1):
        for repeat in range(math.ceil(repeats * depth)):
            stride = first_stride if repeat == 0 else 1
            name = f"stage{stage}_{repeat + 1}"
            x = block(x, expansion, kernel, divisible(filters * width), stride, padding, name)
    x = conv_bn(x, divisible(1280 * width), 1, activation="silu", norm=KERAS, name="head")
    suffix = f"b{scaling}" if isinstance(scaling, int) else f"d{depth:.2f}_w{width:.2f}"
    return keras.Model(inputs, classifier(x, classes, dropout=dropout), name=f"efficientnet_{suffix}")
