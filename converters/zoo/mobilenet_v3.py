"""MobileNet v3, small and large (arXiv:1905.02244).

The SPP-COVID-Net paper's counts with 3 classes, 1,665,501 and 3,789,427, are not met by this layout, which
has 1,533,043 and 4,230,275 with batch norm's statistics, nor by one with other reductions of squeeze and
excitation, with biases, with a first expansion or with other last layers.
"""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from edgecore.converters.zoo.blocks import KERAS, conv, conv_bn, depthwise_bn, squeeze_excite
from edgecore.converters.zoo.mobilenet import divisible

RELU, SWISH = "relu", "hard_silu"
# (kernel, expanded channels, filters, squeeze and excitation, activation, stride)
SMALL = (
    (3, 16, 16, True, RELU, 2),
    (3, 72, 24, False, RELU, 2),
    (3, 88, 24, False, RELU, 1),
    (5, 96, 40, True, SWISH, 2),
    (5, 240, 40, True, SWISH, 1),
    (5, 240, 40, True, SWISH, 1),
    (5, 120, 48, True, SWISH, 1),
    (5, 144, 48, True, SWISH, 1),
    (5, 288, 96, True, SWISH, 2),
    (5, 576, 96, True, SWISH, 1),
    (5, 576, 96, True, SWISH, 1),
)
LARGE = (
    (3, 16, 16, False, RELU, 1),
    (3, 64, 24, False, RELU, 2),
    (3, 72, 24, False, RELU, 1),
    (5, 72, 40, True, RELU, 2),
    (5, 120, 40, True, RELU, 1),
    (5, 120, 40, True, RELU, 1),
    (3, 240, 80, False, SWISH, 2),
    (3, 200, 80, False, SWISH, 1),
    (3, 184, 80, False, SWISH, 1),
    (3, 184, 80, False, SWISH, 1),
    (3, 480, 112, True, SWISH, 1),
    (3, 672, 112, True, SWISH, 1),
    (5, 672, 160, True, SWISH, 2),
    (5, 960, 160, True, SWISH, 1),
    (5, 960, 160, True, SWISH, 1),
)
# Blocks, filters of the last convolution, of the layer before the classifier.
LAYOUT = {"small": (SMALL, 576, 1024), "large": (LARGE, 960, 1280)}


def block(
    x: KerasTensor,
    kernel: int,
    expanded: int,
    filters: int,
    excite: bool,
    activation: str,
    stride: int,
    padding: str,
    name: str,
) -> KerasTensor:
    """v2's inverted residual, with squeeze and excitation before its last convolution."""
    y = x
    if expanded != x.shape[-1]:
        y = conv_bn(y, expanded, 1, activation=activation, norm=KERAS, name=f"{name}_expand")
    y = depthwise_bn(
        y, kernel=kernel, stride=stride, padding=padding, activation=activation, norm=KERAS, name=name
    )
    if excite:
        y = squeeze_excite(y, divisible(expanded / 4), gate="hard_sigmoid", name=name)
    y = conv_bn(y, filters, 1, activation=None, norm=KERAS, name=f"{name}_project")
    return layers.Add(name=f"{name}_add")([x, y]) if stride == 1 and x.shape[-1] == filters else y


def mobilenet_v3(
    classes: int = 1000,
    input_size: int = 224,
    *,
    variant: str = "small",
    alpha: float = 1.0,
    padding: str = "same",
    dropout: float = 0.2,
) -> keras.Model:
    """2,542,856 trainable parameters with variant "small", alpha 1 and 1000 classes, 5,483,032 with "large".

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes). `padding` "symmetric" is
    that of PyTorch's release.
    """
    blocks, last, hidden = LAYOUT[variant]
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = conv_bn(inputs, 16, 3, stride=2, padding=padding, activation=SWISH, norm=KERAS, name="conv1")
    for number, (kernel, expanded, filters, excite, activation, stride) in enumerate(blocks):
        x = block(
            x,
            kernel,
            divisible(expanded * alpha),
            divisible(filters * alpha),
            excite,
            activation,
            stride,
            padding,
            f"block{number}",
        )
    x = conv_bn(x, divisible(last * alpha), 1, activation=SWISH, norm=KERAS, name="conv2")
    x = layers.GlobalAveragePooling2D(keepdims=True, name="average")(x)
    x = conv(x, divisible(hidden * alpha) if alpha > 1 else hidden, 1, activation=SWISH, name="hidden")
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(classes, name="classifier")(x)
    outputs = layers.Softmax(name="scores")(x)
    return keras.Model(inputs, outputs, name=f"mobilenet_v3_{variant}")
