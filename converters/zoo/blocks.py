"""Blocks that several families of the zoo share, in plain Keras 3.

Every convolution that is followed by a batch norm carries no bias, and an activation follows the norm
directly: that is the order which the converter folds into one quantised convolution.
Tensors are (batch, height, width, channels).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from keras import KerasTensor, layers

from edgecore.converters.zoo.special import SparseInitializer, sparse

# (filters, kernel) of convolutions one after the other.
Steps = Sequence[tuple[int, int | tuple[int, int]]]


class Norm(NamedTuple):
    """The two constants of a batch norm."""

    momentum: float = 0.98
    epsilon: float = 1e-5


QUICK = Norm()
KERAS = Norm(momentum=0.99, epsilon=1e-3)


def activate(x: KerasTensor, activation: str | None, name: str) -> KerasTensor:
    """`activation` is "relu6", "leaky" (slope 0.1), a name that Keras knows such as "relu", "hard_silu" or
    "gelu", or None, which leaves `x` as it is.
    """
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


def symmetric(x: KerasTensor, kernel: int, stride: int, padding: str, name: str) -> tuple[KerasTensor, str]:
    """(input, padding) for a window: "symmetric" becomes what Keras knows.

    It pads kernel // 2 on every side, as PyTorch's releases do. Without a stride that is 'same'; with one,
    'same' on an even size would pad the end alone, so that zeros are added before a 'valid' window.
    """
    if padding != "symmetric":
        return x, padding
    if stride == 1:
        return x, "same"
    return layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x), "valid"


def conv_bn(
    x: KerasTensor,
    filters: int,
    kernel: int | tuple[int, int],
    *,
    stride: int = 1,
    padding: str = "same",
    groups: int = 1,
    activation: str | None = "relu",
    norm: Norm = QUICK,
    name: str,
) -> KerasTensor:
    """Convolution without bias, batch norm, activation; `padding` is "same", "valid" or "symmetric"."""
    if isinstance(kernel, int):
        x, padding = symmetric(x, kernel, stride, padding, name)
    x = layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding=padding,
        groups=groups,
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return norm_relu(x, activation, name, norm)


def conv(
    x: KerasTensor,
    filters: int,
    kernel: int,
    *,
    stride: int = 1,
    padding: str = "same",
    groups: int = 1,
    activation: str | None = "relu",
    name: str,
) -> KerasTensor:
    """Convolution with bias and activation, as before batch norm was known."""
    x, padding = symmetric(x, kernel, stride, padding, name)
    x = layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding=padding,
        groups=groups,
        kernel_initializer="he_normal",
        name=name,
    )(x)
    return activate(x, activation, name)


def depthwise_bn(
    x: KerasTensor,
    *,
    kernel: int | tuple[int, int] = 3,
    stride: int = 1,
    padding: str = "same",
    activation: str | None = "relu6",
    norm: Norm = QUICK,
    sparsity: float = 0.0,
    name: str,
) -> KerasTensor:
    """Depthwise convolution without bias, batch norm, activation; `sparsity` is the share of idle weights."""
    zeros = sparse(sparsity, name)
    if isinstance(kernel, int):
        x, padding = symmetric(x, kernel, stride, padding, name)
    x = layers.DepthwiseConv2D(
        kernel,
        strides=stride,
        padding=padding,
        use_bias=False,
        depthwise_initializer=SparseInitializer("he_normal", zeros) if zeros else "he_normal",
        depthwise_constraint=zeros,
        name=f"{name}_depthwise",
    )(x)
    return norm_relu(x, activation, name, norm)


def max_pool(x: KerasTensor, window: int, stride: int, name: str) -> KerasTensor:
    """Max pool padded by window // 2 on every side, after a ReLU: zeros are the smallest values there."""
    x, padding = symmetric(x, window, stride, "symmetric", name)
    return layers.MaxPooling2D(window, strides=stride, padding=padding, name=name)(x)


def same_average(x: KerasTensor, name: str, *, padded: bool = False) -> KerasTensor:
    """Average of 3x3 windows, over the pixels inside the map; with `padded` over zeros outside too."""
    if padded:
        x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
        return layers.AveragePooling2D(3, strides=1, name=name)(x)
    return layers.AveragePooling2D(3, strides=1, padding="same", name=name)(x)


def concat(branches: list[KerasTensor], name: str) -> KerasTensor:
    """The branches' channels side by side."""
    return layers.Concatenate(name=f"{name}_concat")(branches)


def chain(
    x: KerasTensor,
    steps: Steps,
    name: str,
    *,
    stride: int = 1,
    padding: str = "same",
) -> KerasTensor:
    """`conv_bn` for each (filters, kernel) of `steps`; `stride` and `padding` are the last one's."""
    for number, (filters, kernel) in enumerate(steps, start=1):
        if number < len(steps):
            x = conv_bn(x, filters, kernel, name=f"{name}_{number}")
        else:
            x = conv_bn(x, filters, kernel, stride=stride, padding=padding, name=f"{name}_{number}")
    return x


def squeeze_excite(
    x: KerasTensor, narrow: int, *, activation: str = "relu", gate: str = "sigmoid", name: str
) -> KerasTensor:
    """`x` times a gain per channel, which two 1x1 convolutions make of its averages (arXiv:1709.01507)."""
    y = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze")(x)
    y = conv(y, narrow, 1, activation=activation, name=f"{name}_reduce")
    y = conv(y, x.shape[-1], 1, activation=gate, name=f"{name}_expand")
    return layers.Multiply(name=f"{name}_excite")([x, y])


def channel_shuffle(x: KerasTensor, groups: int, name: str) -> KerasTensor:
    """Interleaves the `groups` halves, thirds, ... of the channels (arXiv:1707.01083)."""
    _, height, width, channels = x.shape
    x = layers.Reshape((height * width, groups, channels // groups), name=f"{name}_groups")(x)
    x = layers.Permute((1, 3, 2), name=f"{name}_shuffle")(x)
    return layers.Reshape((height, width, channels), name=f"{name}_join")(x)


def ceil_pool(x: KerasTensor, name: str, window: int = 3) -> KerasTensor:
    """Max pool of `window` 2 or 3, stride 2, whose last window may reach one row or column over the border.

    Caffe rounds the output size up. Where something is left over, that is Keras's 'same', which then pads
    the end alone: for a window of 3 on an even size. Elsewhere 'valid' is the same thing.
    """
    padding = "same" if (x.shape[1] - window) % 2 else "valid"
    return layers.MaxPooling2D(window, strides=2, padding=padding, name=name)(x)


def fire(x: KerasTensor, squeeze: int, expand: int, *, bypass: bool = False, name: str) -> KerasTensor:
    """The fire block as published: biases, ReLU after each convolution, no batch norm (arXiv:1602.07360).

    1x1 to `squeeze`, then 1x1 and 3x3 to `expand` each, concatenated. With `bypass` the block's input,
    which then has 2 * `expand` channels, is added to the concatenation, with no activation after the sum.
    """

    def part(y: KerasTensor, filters: int, kernel: int, label: str) -> KerasTensor:
        return layers.Conv2D(
            filters,
            kernel,
            padding="same",
            activation="relu",
            kernel_initializer="he_normal",
            name=f"{name}_{label}",
        )(y)

    narrow = part(x, squeeze, 1, "squeeze1x1")
    wide = layers.Concatenate(name=f"{name}_concat")(
        [part(narrow, expand, 1, "expand1x1"), part(narrow, expand, 3, "expand3x3")]
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
    excite: int = 0,
    name: str,
) -> KerasTensor:
    """ResNet's basic block: two 3x3 convolutions and a sum, ReLU after the sum (arXiv:1512.03385).

    With `project` the shortcut is a 1x1 convolution with the block's stride; without it the identity.
    `explicit_pad` pads one pixel on every side before a strided convolution, where 'same' on an even
    size would pad the end alone. `excite` is the reduction of a squeeze and excitation, 0 for none.
    """
    padding = "symmetric" if explicit_pad else "same"
    y = conv_bn(x, filters, 3, stride=stride, padding=padding, name=f"{name}_a")
    y = conv_bn(y, filters, 3, activation=None, name=f"{name}_b")
    return _joined(x, y, stride, project, excite, name)


def bottleneck(
    x: KerasTensor,
    filters: int,
    inner: int,
    *,
    stride: int = 1,
    project: bool = False,
    groups: int = 1,
    excite: int = 0,
    name: str,
) -> KerasTensor:
    """ResNet's deep block: 1x1 to `inner`, 3x3 in `groups` with the stride, 1x1 to `filters`, and a sum."""
    y = conv_bn(x, inner, 1, name=f"{name}_a")
    y = conv_bn(y, inner, 3, stride=stride, padding="symmetric", groups=groups, name=f"{name}_b")
    y = conv_bn(y, filters, 1, activation=None, name=f"{name}_c")
    return _joined(x, y, stride, project, excite, name)


def _joined(
    x: KerasTensor, y: KerasTensor, stride: int, project: bool, excite: int, name: str
) -> KerasTensor:
    if excite:
        y = squeeze_excite(y, y.shape[-1] // excite, name=name)
    if project:
        x = conv_bn(x, y.shape[-1], 1, stride=stride, activation=None, name=f"{name}_proj")
    y = layers.Add(name=f"{name}_add")([y, x])
    return layers.Activation("relu", name=f"{name}_relu")(y)


def classifier(x: KerasTensor, classes: int, *, dropout: float = 0.0) -> KerasTensor:
    """Global average, dropout while training, dense layer, softmax: (batch, classes)."""
    x = layers.GlobalAveragePooling2D(name="average")(x)
    if dropout > 0:
        x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(classes, name="classifier")(x)
    return layers.Softmax(name="scores")(x)
