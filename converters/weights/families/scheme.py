"""What is known of one release of a family's weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras

# What torchvision's releases see: (pixel / 255 - mean) / deviation of ImageNet, red-green-blue.
IMAGENET = {
    "order": "RGB",
    "resize": "crop",
    "mean": [123.675, 116.28, 103.53],
    "scale": [1 / 58.395, 1 / 57.12, 1 / 57.375],
}
# Those whose weights came from TensorFlow: pixels from -1 to 1.
SYMMETRIC = {"order": "RGB", "resize": "crop", "mean": [127.5] * 3, "scale": [1 / 127.5] * 3}
# Caffe's, whose tools stretch pictures through OpenCV.
CAFFE = {
    "order": "BGR",
    "resize": "stretch",
    "filter": "bilinear",
    "mean": [104.0, 117.0, 123.0],
    "scale": [1.0] * 3,
}


def any_model(model: keras.Model) -> bool:
    """For releases whose arithmetic every variant of the member has."""
    return True


def symmetric(model: keras.Model) -> bool:
    """Whether no strided window is padded as TensorFlow does it: PyTorch pads all sides alike."""
    return not any(
        layer.padding == "same" and max(layer.strides) > 1 and max(layer.kernel_size) > 1
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)
    )


@dataclass(frozen=True)
class Scheme:
    """One release's naming.

    `sign` is a module that only its files have. `module_of` gives the module in the file for a layer's name,
    or None; it is called with the model first. `options` are those of the zoo's member that the release's
    arithmetic needs, and `fits` tells whether a model has them. `epsilon` is its batch norms', where it is
    not that of the zoo. `input` holds what the weights expect of a picture, as fields of `Preprocessing`.
    """

    title: str
    sign: str
    module_of: Callable[[keras.Model, str], str | None]
    input: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)
    fits: Callable[[keras.Model], bool] = any_model
    epsilon: float | None = None
