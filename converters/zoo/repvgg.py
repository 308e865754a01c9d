"""RepVGG (arXiv:2101.03697): trained with three branches a block, run as plain 3x3 convolutions.

`merge` makes the second of the first: convolutions and batch norms are linear, and their sum is one kernel.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import KerasTensor, layers
from numpy.typing import NDArray

from edgecore.converters.zoo.blocks import QUICK, classifier, conv, conv_bn
from edgecore.errors import UserError

# Blocks of the four stages after the stem, width of the first three, width of the last.
LAYOUT = {
    "a0": ((2, 4, 14, 1), 0.75, 2.5),
    "a1": ((2, 4, 14, 1), 1.0, 2.5),
    "a2": ((2, 4, 14, 1), 1.5, 2.75),
    "b0": ((4, 6, 16, 1), 1.0, 2.5),
    "b1": ((4, 6, 16, 1), 2.0, 4.0),
}
FILTERS = (64, 128, 256, 512)


def block(x: KerasTensor, filters: int, stride: int, name: str) -> KerasTensor:
    """ReLU of the sum of a 3x3, a 1x1 and, where shapes allow, the identity, each with a batch norm."""
    branches = [
        conv_bn(x, filters, 3, stride=stride, padding="symmetric", activation=None, name=f"{name}_3x3"),
        conv_bn(x, filters, 1, stride=stride, activation=None, name=f"{name}_1x1"),
    ]
    if stride == 1 and x.shape[-1] == filters:
        branches.append(layers.BatchNormalization(*_norm_options(), name=f"{name}_same_bn")(x))
    y = layers.Add(name=f"{name}_add")(branches)
    return layers.Activation("relu", name=f"{name}_relu")(y)


def _norm_options() -> tuple[int, float, float]:
    return -1, QUICK.momentum, QUICK.epsilon


def repvgg(
    classes: int = 1000, input_size: int = 224, *, variant: str = "a0", merged: bool = False
) -> keras.Model:
    """9,108,968 trainable parameters with variant "a0" and 1000 classes, 8,309,384 when `merged`.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes).
    """
    repeats, width, last = LAYOUT[variant]
    inputs = keras.Input((input_size, input_size, 3), name="image")
    stages = [(min(64, int(64 * width)), 1)]
    for stage, (filters, count) in enumerate(zip(FILTERS, repeats, strict=True)):
        stages.append((int(filters * (width if stage < 3 else last)), count))
    x = inputs
    for stage, (filters, count) in enumerate(stages):
        for number in range(count):
            stride, name = (2 if number == 0 else 1), f"stage{stage}_{number + 1}"
            if merged:
                x = conv(x, filters, 3, stride=stride, padding="symmetric", name=name)
            else:
                x = block(x, filters, stride, name)
    suffix = "_merged" if merged else ""
    return keras.Model(inputs, classifier(x, classes), name=f"repvgg_{variant}{suffix}")


def _as_3x3(model: keras.Model, name: str, channels: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The 3x3 kernel and bias that equal one branch: a convolution, or the identity, and its batch norm."""
    kernel = np.zeros((3, 3, channels, channels), np.float32)
    if name.endswith("_same"):
        kernel[1, 1] = np.eye(channels, dtype=np.float32)
    else:
        kernel = np.asarray(model.get_layer(f"{name}_conv").kernel)
        if kernel.shape[0] == 1:
            kernel = np.pad(kernel, ((1, 1), (1, 1), (0, 0), (0, 0)))
    norm = model.get_layer(f"{name}_bn")
    mean, variance = np.asarray(norm.moving_mean), np.asarray(norm.moving_variance)
    gain = np.asarray(norm.gamma) / np.sqrt(variance + norm.epsilon)
    return kernel * gain, np.asarray(norm.beta) - mean * gain


def has_branches(model: keras.Model) -> bool:
    """Whether `model` is a network of `repvgg` as it is trained, which `merge` takes."""
    names = {layer.name for layer in model.layers}
    return model.name.removeprefix("repvgg_") in LAYOUT and "stage0_1_3x3_conv" in names


def merge(model: keras.Model) -> keras.Model:
    """The plain network that answers as the trained `model` of `repvgg` does, but for rounding.

    Raises UserError if `model` is no RepVGG with branches.
    """
    variant = model.name.removeprefix("repvgg_")
    if not has_branches(model):
        raise UserError(f"{model.name} has no branches to merge; give a trained network of repvgg")
    plain = repvgg(model.output_shape[-1], model.input_shape[1], variant=variant, merged=True)
    for layer in plain.layers:
        if isinstance(layer, layers.Conv2D):
            branches = [f"{layer.name}_3x3", f"{layer.name}_1x1"]
            if any(other.name == f"{layer.name}_same_bn" for other in model.layers):
                branches.append(f"{layer.name}_same")
            parts = [_as_3x3(model, name, layer.kernel.shape[2]) for name in branches]
            layer.set_weights([sum(kernel for kernel, _ in parts), sum(bias for _, bias in parts)])
    plain.get_layer("classifier").set_weights(model.get_layer("classifier").get_weights())
    return plain
