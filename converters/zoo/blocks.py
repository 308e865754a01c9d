"""Blocks that several families of the zoo share, in plain Keras 3.

Every convolution that is followed by a batch norm carries no bias, and an activation follows the norm
directly: that is the order which the converter folds into one quantised convolution.
Tensors are (batch, height, width, channels).
"""

from __future__ import annotations

from typing import NamedTuple

from keras import KerasTensor, layers


class Norm(NamedTuple):
    """The two constants of a batch norm."""

    momentum: float = 0.98
    epsilon: float = 1e-5


QUICK = Norm()
KERAS = Norm(momentum=0.99, epsilon=1e-3)


def activate(x: KerasTensor, activation: str | None, name: str) -> KerasTensor:
    """`activation` is "relu", "relu6", "leaky" (slope 0.1) or None, which leaves `x` as it is."""
    if activation is None:
        return x
    if activation == "relu6":
        return layers.ReLU(6.0, name=f"{name}_relu6")(x)
    if activation == "leaky":
        return layers.LeakyReLU(negative_slope=0.1, name=f"{name}_leaky")(x)
    return layers.Activation(activation, name=f"{name}_{activation}")(x)


def norm_relu(x: KerasTensor, activation: str | None, name: str, norm: Norm = QUICK) -> KerasTensor:
    """Batch norm over channels, then the activation."""
    x = layers.BatchNormalization(momentum=norm.momentum, epsilon=norm.epsilon, name=f"{name}_bn")(x)
    return activate(x, activation, name)


def conv_bn(
    x: KerasTensor,
    filters: int,
    kernel: int,
    *,
    stride: int = 1,
    padding: str = "same",
    activation: str | None = "relu",
    norm: Norm = QUICK,
    name: str,
) -> KerasTensor:
    """Convolution without bias, batch norm, activation."""
    x = layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding=padding,
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return norm_relu(x, activation, name, norm)


def depthwise_bn(
    x: KerasTensor,
    *,
    stride: int = 1,
    activation: str | None = "relu6",
    norm: Norm = QUICK,
    name: str,
) -> KerasTensor:
    """3x3 depthwise 'same' convolution without bias, batch norm, activation."""
    x = layers.DepthwiseConv2D(
        3,
        strides=stride,
        padding="same",
        use_bias=False,
        depthwise_initializer="he_normal",
        name=f"{name}_depthwise",
    )(x)
    return norm_relu(x, activation, name, norm)


def ceil_pool(x: KerasTensor, name: str) -> KerasTensor:
    """Max pool 3x3 stride 2 whose last window may reach one row or column over the border.

    Caffe rounds the output size up. For an even size that is Keras's 'same', which then pads the end
    alone; for an odd size nothing is left over, and 'valid' is the same thing.
    """
    padding = "same" if x.shape[1] % 2 == 0 else "valid"
    return layers.MaxPooling2D(3, strides=2, padding=padding, name=name)(x)


def fire(x: KerasTensor, squeeze: int, expand: int, *, bypass: bool = False, name: str) -> KerasTensor:
    """The fire block as published: biases, ReLU after each convolution, no batch norm (arXiv:1602.07360).

    1x1 to `squeeze`, then 1x1 and 3x3 to `expand` each, concatenated. With `bypass` the block's input,
    which then has 2 * `expand` channels, is added to the concatenation, with no activation after the sum.
    """

    def conv(y: KerasTensor, filters: int, kernel: int, part: str) -> KerasTensor:
        return layers.Conv2D(
            filters,
            kernel,
            padding="same",
            activation="relu",
            kernel_initializer="he_normal",
            name=f"{name}_{part}",
        )(y)

    narrow = conv(x, squeeze, 1, "squeeze1x1")
    wide = layers.Concatenate(name=f"{name}_concat")(
        [conv(narrow, expand, 1, "expand1x1"), conv(narrow, expand, 3, "expand3x3")]
    )
    return layers.Add(name=f"{name}_bypass")([x, wide]) if bypass else wide


def fire_bn(x: KerasTensor, squeeze: int, expand: int, *, bypass: bool = False, name: str) -> KerasTensor:
    """The fire block with a batch norm after each convolution, which trains from scratch in few epochs."""
    narrow = conv_bn(x, squeeze, 1, name=f"{name}_squeeze")
    left = conv_bn(narrow, expand, 1, name=f"{name}_expand1x1")
    right = conv_bn(narrow, expand, 3, name=f"{name}_expand3x3")
    wide = layers.Concatenate(name=f"{name}_concat")([left, right])
    return layers.Add(name=f"{name}_bypass")([x, wide]) if bypass else wide


def residual(
    x: KerasTensor,
    filters: int,
    *,
    stride: int = 1,
    project: bool = False,
    explicit_pad: bool = False,
    name: str,
) -> KerasTensor:
    """ResNet's basic block: two 3x3 convolutions and a sum, ReLU after the sum (arXiv:1512.03385).

    With `project` the shortcut is a 1x1 convolution with the block's stride; without it the identity.
    `explicit_pad` pads one pixel on every side before a strided convolution, where 'same' on an even
    size would pad the end alone.
    """
    y = x
    if explicit_pad and stride > 1:
        y = layers.ZeroPadding2D(1, name=f"{name}_pad")(y)
        y = conv_bn(y, filters, 3, stride=stride, padding="valid", name=f"{name}_a")
    else:
        y = conv_bn(y, filters, 3, stride=stride, name=f"{name}_a")
    y = conv_bn(y, filters, 3, activation=None, name=f"{name}_b")
    shortcut = conv_bn(x, filters, 1, stride=stride, activation=None, name=f"{name}_proj") if project else x
    y = layers.Add(name=f"{name}_add")([y, shortcut])
    return layers.Activation("relu", name=f"{name}_relu")(y)


def classifier(x: KerasTensor, classes: int) -> KerasTensor:
    """Global average, dense layer, softmax: (batch, classes)."""
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dense(classes, name="classifier")(x)
    return layers.Softmax(name="scores")(x)
