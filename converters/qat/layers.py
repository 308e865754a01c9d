"""Fake quantisation: float arithmetic on the grids of int8 tensors, with straight-through gradients."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import KerasTensor, layers, ops

LEAST_SPAN = 1e-6


@keras.saving.register_keras_serializable(package="edgecore")
class FakeQuantise(layers.Layer):
    """Rounds and clips a tensor of any shape to the 256 values of an int8 tensor (arXiv:1712.05877, 3).

    The grid spans [-`below`, `above`], two scalar weights that are never negative, shifted so that zero is
    one of its values. The converter takes scale and zero point from the operation that this layer leaves in
    the graph. Gradients pass where the input is in the range; where it is not they move the range's end,
    unless the range is `fixed`.

    While `watching`, tensors pass unchanged and `watched` grows to the extremes seen; it needs eager calls.
    """

    def __init__(
        self, below: float = 0.0, above: float = 1.0, *, fixed: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        self.first, self.fixed = (below, above), fixed
        self.trainable = not fixed
        self.watching = False
        self.watched = (0.0, 0.0)

    def build(self, input_shape: Any) -> None:
        """Makes the two ends of the range."""
        self.below, self.above = (
            self.add_weight(
                shape=(), initializer=keras.initializers.Constant(end), constraint="non_neg", name=name
            )
            for name, end in zip(("below", "above"), self.first, strict=True)
        )

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """The same shape, on the grid."""
        if self.watching:
            lowest, highest = self.watched
            self.watched = min(lowest, float(ops.min(inputs))), max(highest, float(ops.max(inputs)))
            return inputs
        low, high = -ops.convert_to_tensor(self.below), ops.convert_to_tensor(self.above)
        return tf.quantization.fake_quant_with_min_max_vars(inputs, low, high)

    def settle(self) -> None:
        """Takes what was watched as the range, unless that is fixed, and quantises from now on."""
        self.watching = False
        if not self.fixed:
            lowest, highest = self.watched
            self.below.assign(-lowest)
            self.above.assign(max(highest, lowest + LEAST_SPAN))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's own."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """What `from_config` makes the same layer of."""
        own = {"below": self.first[0], "above": self.first[1], "fixed": self.fixed}
        return {**super().get_config(), **own}


# Weighted layers, and the axes of their kernels that count output channels.
CHANNELS: dict[type, tuple[int, ...]] = {
    layers.Conv2D: (3,),
    layers.DepthwiseConv2D: (2, 3),
    layers.Conv2DTranspose: (2,),
    layers.Dense: (1,),
}


def kernels(model: keras.Model) -> list[tuple[keras.Variable, tuple[int, ...]]]:
    """The kernels that int8 inference quantises, each with the axes that have a scale for each index.

    A dense layer has one scale, as `quantise` wants it.
    """
    return [
        (layer.kernel, () if type(layer) is layers.Dense else CHANNELS[type(layer)])
        for layer in model.layers
        if type(layer) in CHANNELS
    ]


def on_grid(kernel: Any, channels: tuple[int, ...]) -> Any:
    """`kernel` at the nearest values k * scale, k = -127..127, scale = largest magnitude / 127 per channel.

    The gradient is that of the identity.
    """
    kernel = ops.convert_to_tensor(kernel)
    others = tuple(axis for axis in range(len(kernel.shape)) if axis not in channels)
    largest = ops.max(ops.abs(kernel), axis=others, keepdims=True)
    scale = ops.maximum(largest / 127.0, np.finfo(np.float32).tiny)
    return kernel + ops.stop_gradient(ops.round(kernel / scale) * scale - kernel)


class Simulation(keras.Model):
    """`inner` with its kernels on their int8 grids, while its variables stay those that are trained."""

    def __init__(self, inner: keras.Model) -> None:
        super().__init__()
        self.inner = inner
        self.kernels = kernels(inner)

    def call(self, inputs: KerasTensor, training: bool | None = None) -> KerasTensor:
        """As `inner`."""
        rounded = [(kernel, on_grid(kernel, channels)) for kernel, channels in self.kernels]
        with keras.StatelessScope(rounded):
            return self.inner(inputs, training=training)
