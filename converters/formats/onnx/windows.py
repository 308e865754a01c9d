"""ONNX's operators on windows of an image: convolutions, pools and borders, as Keras layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from keras import layers, ops

from edgecore.converters.formats.onnx.node import Node, Unsupported, image_of, made, weighted
from edgecore.converters.formats.onnx.values import Value


@dataclass(frozen=True)
class _Window:
    """Kernel, strides, dilations (height, width) and padding (top, left, bottom, right) of a node."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    pads: tuple[int, int, int, int]

    def same(self, image: Value) -> tuple[int, int, int, int]:
        """The padding that Keras calls 'same' on this image."""
        return _same_pads(image, self.kernel, self.strides, self.dilations)


def _same_pads(
    image: Value, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int], lower: bool = False
) -> tuple[int, int, int, int]:
    begins, ends = [], []
    for side, width, stride, dilation in zip(image.shape[2:], kernel, strides, dilations, strict=True):
        total = max((-(-side // stride) - 1) * stride + (width - 1) * dilation + 1 - side, 0)
        begin = (total + 1) // 2 if lower else total // 2
        begins.append(begin)
        ends.append(total - begin)
    return begins[0], begins[1], ends[0], ends[1]


def _window(node: Node, image: Value, kernel: Sequence[int]) -> _Window:
    height, width = (int(side) for side in kernel)
    given = node.attributes
    strides = tuple(given.get("strides", (1, 1)))
    dilations = tuple(given.get("dilations", (1, 1)))
    auto = given.get("auto_pad", b"NOTSET").decode()
    pads = tuple(given.get("pads", (0, 0, 0, 0)))
    if auto.startswith("SAME"):
        pads = _same_pads(image, (height, width), strides, dilations, lower=auto == "SAME_LOWER")
    if given.get("ceil_mode"):
        extra = []
        for axis in (0, 1):
            reach = (
                image.shape[2 + axis] + pads[axis] + pads[2 + axis] - (kernel[axis] - 1) * dilations[axis] - 1
            )
            count = -(-reach // strides[axis])
            # A window that would begin behind the image and its leading border is left out.
            if count * strides[axis] >= image.shape[2 + axis] + pads[axis]:
                count -= 1
            extra.append(max(count * strides[axis] - reach, 0))
        pads = (pads[0], pads[1], pads[2] + extra[0], pads[3] + extra[1])
    return _Window((height, width), strides, dilations, pads)


def _padded(image: Value, window: _Window, name: str) -> tuple[Value, str]:
    """(image, padding as Keras calls it), zeros added where Keras cannot."""
    if not any(window.pads):
        return image, "valid"
    if window.pads == window.same(image):
        return image, "same"
    top, left, bottom, right = window.pads
    pad = layers.ZeroPadding2D(((top, bottom), (left, right)), name=f"{name}_pad")
    return replace(image, tensor=pad(image.tensor)), "valid"


def conv(node: Node) -> Value:
    """Conv in two dimensions, in groups or depthwise."""
    image, kernel = image_of(node), node.weights(1)  # (filters, channels of a group, height, width)
    bias = node.constant(2)
    groups = int(node.attributes.get("group", 1))
    window = _window(node, image, kernel.shape[2:])
    image, padding = _padded(image, window, node.name)
    common: dict[str, Any] = {
        "strides": window.strides,
        "dilation_rate": window.dilations,
        "padding": padding,
        "use_bias": bias is not None,
        "name": node.name,
    }
    if groups > 1 and kernel.shape[1] == 1:
        if window.strides[0] != window.strides[1]:
            raise Unsupported(f"is depthwise with strides {window.strides}, which TensorFlow lacks")
        multiplier = kernel.shape[0] // groups
        layer = layers.DepthwiseConv2D(window.kernel, depth_multiplier=multiplier, **common)
        kernel = kernel.reshape(groups, multiplier, *window.kernel).transpose(2, 3, 0, 1)
    else:
        layer = layers.Conv2D(kernel.shape[0], window.kernel, groups=groups, **common)
        kernel = kernel.transpose(2, 3, 1, 0)
    return weighted(layer, image, [kernel] if bias is None else [kernel, np.asarray(bias, np.float32)])


def max_pool(node: Node) -> Value:
    """MaxPool; where a border of zeros would win, every window is taken and then every stride-th kept."""
    image = image_of(node)
    window = _window(node, image, node.attributes["kernel_shape"])
    if window.dilations != (1, 1):
        raise Unsupported("is dilated")
    positive = image.positive
    whole = all(2 * pad + 1 == side for pad, side in zip(window.pads, window.kernel * 2, strict=True))
    if any(window.pads) and window.pads != window.same(image) and not positive:
        if not whole:
            raise Unsupported(f"has a border {window.pads} that Keras lacks")
        every = layers.MaxPooling2D(window.kernel, 1, "same", name=f"{node.name}_every")(image.tensor)
        tensor = layers.MaxPooling2D(1, window.strides, name=node.name)(every)
        return made(tensor, image, positive)
    image, padding = _padded(image, window, node.name)
    tensor = layers.MaxPooling2D(window.kernel, window.strides, padding, name=node.name)(image.tensor)
    return made(tensor, image, positive)


def average_pool(node: Node) -> Value:
    """AveragePool, over the pixels inside the image or over its border too."""
    image = image_of(node)
    window = _window(node, image, node.attributes["kernel_shape"])
    border = window.pads != tuple(node.attributes.get("pads", (0, 0, 0, 0)))
    if window.dilations != (1, 1) or (
        border and node.attributes.get("ceil_mode") and window.pads != window.same(image)
    ):
        raise Unsupported("has windows that reach over the border")
    if node.attributes.get("count_include_pad") and any(window.pads):
        top, left, bottom, right = window.pads
        pad = layers.ZeroPadding2D(((top, bottom), (left, right)), name=f"{node.name}_pad")
        image, padding = replace(image, tensor=pad(image.tensor)), "valid"
    elif any(window.pads):
        if window.pads != window.same(image):
            raise Unsupported(f"has a border {window.pads} that Keras lacks")
        padding = "same"
    else:
        padding = "valid"
    tensor = layers.AveragePooling2D(window.kernel, window.strides, padding, name=node.name)(image.tensor)
    return made(tensor, image, image.positive)


def global_average(node: Node) -> Value:
    """GlobalAveragePool."""
    image = image_of(node)
    tensor = layers.GlobalAveragePooling2D(keepdims=True, name=node.name)(image.tensor)
    return made(tensor, image, image.positive)


def global_max(node: Node) -> Value:
    """GlobalMaxPool."""
    image = image_of(node)
    tensor = layers.GlobalMaxPooling2D(keepdims=True, name=node.name)(image.tensor)
    return made(tensor, image, image.positive)


def pad(node: Node) -> Value:
    """Pad by zeros along any axes but the batch."""
    x, rank = node.x, len(node.x.axes)
    pads = node.integers(1, "pads") or []
    axes = node.integers(3, "axes") or list(range(rank))
    mode = node.attributes.get("mode", b"constant").decode()
    filler = node.constant(2, "value")
    if mode != "constant" or (filler is not None and filler.size and float(filler.reshape(-1)[0]) != 0):
        raise Unsupported(f"fills with something else than zeros ({mode})")
    widths = [(0, 0)] * rank  # of the Keras tensor's axes
    for position, axis in enumerate(axes):
        widths[x.axes.index(axis % rank)] = pads[position], pads[len(axes) + position]
    if widths[0] != (0, 0) or min(map(min, widths)) < 0:
        raise Unsupported("pads the batch, or cuts")
    if rank == 4 and widths[3] == (0, 0):
        layer = layers.ZeroPadding2D((widths[1], widths[2]), name=node.name)
        return made(layer(x.tensor), x, x.positive)
    return made(ops.pad(x.tensor, widths), x, x.positive)
