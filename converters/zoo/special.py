"""Layers that early networks have and Keras lacks, written with Keras operations alone."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import keras
from keras import KerasTensor, layers, ops


@keras.saving.register_keras_serializable(package="edgecore")
class TableConv2D(layers.Layer):
    """A 'valid' convolution whose outputs each see some of the input's channels only, named in a table.

    `table` has one entry per output: the input channels that it sees. There is one kernel per link, and a
    bias per output unless `use_bias` is off. Input and output are (batch, height, width, channels).
    """

    def __init__(
        self,
        table: Sequence[Sequence[int]],
        kernel_size: int,
        *,
        stride: int = 1,
        use_bias: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.table = tuple(tuple(row) for row in table)
        self.kernel_size, self.stride, self.use_bias = kernel_size, stride, use_bias
        self.links = [(source, target) for target, row in enumerate(self.table) for source in row]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the kernels of all links, side by side, and the biases."""
        channels = int(input_shape[-1] or 0)
        fan_in = self.kernel_size**2 * len(self.links) / len(self.table)
        initializer = keras.initializers.RandomNormal(stddev=fan_in**-0.5)
        shape = (self.kernel_size, self.kernel_size, len(self.links))
        self.kernel = self.add_weight(shape=shape, initializer=initializer, name="kernel")
        self.bias = (
            self.add_weight(shape=(len(self.table),), initializer="zeros", name="bias")
            if self.use_bias
            else None
        )
        # Row i has a one where link i stands in the kernel of a full convolution.
        self.places = [[0.0] * (channels * len(self.table)) for _ in self.links]
        for row, (source, target) in zip(self.places, self.links, strict=True):
            row[source * len(self.table) + target] = 1.0
        self.channels = channels

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """The full convolution, with zeros where the table has no link."""
        kernel = ops.matmul(self.kernel, ops.convert_to_tensor(self.places, dtype=self.kernel.dtype))
        kernel = ops.reshape(kernel, (self.kernel_size, self.kernel_size, self.channels, len(self.table)))
        y = ops.conv(inputs, kernel, strides=self.stride, padding="valid")
        return y if self.bias is None else y + self.bias

    def get_config(self) -> dict[str, Any]:
        """What `from_config` makes the same layer of."""
        own = {"table": self.table, "kernel_size": self.kernel_size, "stride": self.stride}
        return {**super().get_config(), **own, "use_bias": self.use_bias}


@keras.saving.register_keras_serializable(package="edgecore")
class MapBias(layers.Layer):
    """Adds a bias of its own to every position of a map (batch, height, width, channels)."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """One bias per unit."""
        self.bias = self.add_weight(shape=input_shape[1:], initializer="zeros", name="bias")

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """The sum of both."""
        # With a batch of one, as an int8 runtime expects a map.
        return inputs + ops.expand_dims(self.bias, 0)


@keras.saving.register_keras_serializable(package="edgecore")
class ChannelNorm(layers.LayerNormalization):
    """Keras's layer norm over channels, in operations that TFLite has in int8: it has no negation."""

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """Input and output (..., channels)."""
        centred = inputs - ops.mean(inputs, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
        return centred * ops.rsqrt(variance + self.epsilon) * self.gamma + self.beta


@keras.saving.register_keras_serializable(package="edgecore")
class LocalResponseNorm(layers.Layer):
    """a / (k + alpha * sum of a^2 over `depth` neighbouring channels)^beta, as AlexNet has it.

    No weights. TFLite has no int8 form of it.
    """

    instead_in_int8 = "put a batch norm in its place, as alexnet_bn of the zoo has it"

    def __init__(
        self, depth: int = 5, *, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75, **options: Any
    ) -> None:
        super().__init__(**options)
        self.depth, self.k, self.alpha, self.beta = depth, k, alpha, beta

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """Input and output (batch, height, width, channels)."""
        half = self.depth // 2
        squares = ops.pad(ops.square(inputs), ((0, 0), (0, 0), (0, 0), (half, half)))
        total = (
            sum(squares[..., shift : shift + inputs.shape[-1]] for shift in range(1, self.depth))
            + (squares[..., : inputs.shape[-1]])
        )
        return inputs / ops.power(self.k + self.alpha * total, self.beta)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The input's own."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """What `from_config` makes the same layer of."""
        own = {"depth": self.depth, "k": self.k, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **own}


def _mask(shape: Sequence[int], sparsity: float, seed: int) -> KerasTensor:
    """Zeros at a share `sparsity` of all places and ones at the others, the same at every call."""
    return ops.cast(keras.random.uniform(shape, seed=seed) >= sparsity, "float32")


@keras.saving.register_keras_serializable(package="edgecore")
class Sparse(keras.constraints.Constraint):
    """Keeps a share of a kernel's weights at zero: always the same ones, drawn once from `seed`."""

    def __init__(self, sparsity: float, seed: int = 0) -> None:
        self.sparsity, self.seed = sparsity, seed

    def __call__(self, weights: KerasTensor) -> KerasTensor:
        """The weights with zeros in their places."""
        return weights * ops.cast(_mask(weights.shape, self.sparsity, self.seed), weights.dtype)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` makes the same constraint of."""
        return {"sparsity": self.sparsity, "seed": self.seed}


@keras.saving.register_keras_serializable(package="edgecore")
class SparseInitializer(keras.initializers.Initializer):
    """Another initializer's weights, with the zeros that a `Sparse` will keep."""

    def __init__(self, inner: Any, zeros: Any) -> None:
        self.inner, self.zeros = keras.initializers.get(inner), keras.constraints.get(zeros)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> KerasTensor:
        """The first weights of a kernel."""
        return self.zeros(self.inner(shape, dtype))

    def get_config(self) -> dict[str, Any]:
        """What `from_config` makes the same initializer of."""
        inner = keras.initializers.serialize(self.inner)
        return {"inner": inner, "zeros": keras.constraints.serialize(self.zeros)}


def sparse(sparsity: float, name: str) -> Sparse | None:
    """The constraint for the layer `name`, whose zeros are its own; None for no zeros."""
    return Sparse(sparsity, zlib.crc32(name.encode()) % 2**31) if sparsity > 0 else None
