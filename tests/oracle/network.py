"""Networks with random weights, described layer by layer: shapes, scales and weights follow by themselves.

Scales are chosen so that the outputs of random inputs use most of the 256 values, however deep the network;
a test that wants an extreme one says so with `out=Quant(scale, zero_point)`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .writer import ModelWriter

Pair = tuple[int, int]
REAL_SPREAD = 2.5  # standard deviation of a layer's sums, as real numbers


@dataclass(frozen=True)
class Quant:
    """Per-tensor quantisation: real = (value - zero_point) * scale."""

    scale: float
    zero_point: int


class Network:
    """Methods take tensor indices and return the index of their output."""

    def __init__(self, seed: int = 0, dtype: str = "int8") -> None:
        self.writer = ModelWriter()
        self.rng = np.random.default_rng(seed)
        self.dtype = dtype
        self.low, self.high = (-128, 127) if dtype == "int8" else (0, 255)
        self.weight_point: int | None = None  # of uint8 weights; None draws one
        self.quants: dict[int, Quant] = {}
        self.spread: dict[int, float] = {}  # about the standard deviation of a tensor's stored values

    def shape(self, x: int) -> tuple[int, ...]:
        return self.writer.shape(x)

    def input(
        self, shape: Sequence[int], quant: Quant | None = None, signature: Sequence[int] | None = None
    ) -> int:
        x = self.activation(shape, quant or self.random_quant(), 74, signature)
        self.writer.inputs.append(x)
        return x

    def output(self, *tensors: int) -> None:
        self.writer.outputs.extend(tensors)

    def build(self) -> bytes:
        return self.writer.build()

    def activation(
        self, shape: Sequence[int], quant: Quant, spread: float = 50, signature: Sequence[int] | None = None
    ) -> int:
        x = self.writer.tensor(shape, self.dtype, quant.scale, quant.zero_point, signature=signature)
        self.quants[x], self.spread[x] = quant, min(max(spread, 1.0), 74.0)
        return x

    def random_quant(self, scale: float | None = None) -> Quant:
        scale = float(self.rng.uniform(0.01, 0.1)) if scale is None else scale
        return Quant(scale, int(self.rng.integers(self.low // 4 + self.high // 4, self.high // 2)))

    def constant(self, values: int | Sequence[int] | np.ndarray, dtype: str = "int32") -> int:
        array = np.asarray(values, dtype)
        return self.writer.tensor(array.shape, dtype, data=array)

    def quantised_constant(self, shape: Sequence[int], quant: Quant | None = None) -> int:
        quant = quant or self.random_quant()
        data = self.rng.integers(self.low, self.high + 1, tuple(shape))
        x = self.writer.tensor(shape, self.dtype, quant.scale, quant.zero_point, data=data)
        self.quants[x], self.spread[x] = quant, 74
        return x

    # -- layers with weights

    def conv2d(
        self,
        x: int,
        channels: int,
        kernel: Pair = (1, 1),
        stride: Pair = (1, 1),
        dilation: Pair = (1, 1),
        padding: str = "SAME",
        activation: str = "NONE",
        per_channel: bool = True,
        out: Quant | None = None,
        extreme: bool = False,
        groups: int = 1,
    ) -> int:
        """Pairs are (height, width). extreme: weights are only the largest and smallest values.

        TFLite's int8 CONV_2D always has a bias; the other two layers may go without.
        """
        _, height, width, depth = self.shape(x)
        depth //= groups
        weights, scales = self._weights(x, (channels, *kernel, depth), 0, per_channel, extreme)
        inputs = self._with_bias(x, weights, scales, channels, kernel[0] * kernel[1] * depth)
        out = out or self._sum_quant(activation)
        size = _spatial((height, width), kernel, stride, dilation, padding)
        y = self.activation((1, *size, channels), out, 55 if activation == "NONE" else 50)
        self.writer.op(
            "CONV_2D", inputs, [y], padding=padding, stride_h=stride[0], stride_w=stride[1],
            dilation_h_factor=dilation[0], dilation_w_factor=dilation[1],
            fused_activation_function=activation,
        )  # fmt: skip
        return y

    def depthwise_conv2d(
        self,
        x: int,
        multiplier: int = 1,
        kernel: Pair = (3, 3),
        stride: Pair = (1, 1),
        dilation: Pair = (1, 1),
        padding: str = "SAME",
        activation: str = "NONE",
        per_channel: bool = True,
        bias: bool = True,
        out: Quant | None = None,
        extreme: bool = False,
    ) -> int:
        _, height, width, depth = self.shape(x)
        channels = depth * multiplier
        weights, scales = self._weights(x, (1, *kernel, channels), 3, per_channel, extreme)
        inputs = self._with_bias(x, weights, scales, channels, kernel[0] * kernel[1], bias)
        out = out or self._sum_quant(activation)
        size = _spatial((height, width), kernel, stride, dilation, padding)
        y = self.activation((1, *size, channels), out, 55 if activation == "NONE" else 50)
        self.writer.op(
            "DEPTHWISE_CONV_2D", inputs, [y], padding=padding, stride_h=stride[0], stride_w=stride[1],
            depth_multiplier=multiplier, dilation_h_factor=dilation[0], dilation_w_factor=dilation[1],
            fused_activation_function=activation,
        )  # fmt: skip
        return y

    def fully_connected(
        self,
        x: int,
        units: int,
        activation: str = "NONE",
        per_channel: bool = False,
        bias: bool = True,
        keep_num_dims: bool = False,
        out: Quant | None = None,
        extreme: bool = False,
    ) -> int:
        shape = self.shape(x)
        depth = shape[-1] if keep_num_dims else math.prod(shape[1:])
        weights, scales = self._weights(x, (units, depth), 0, per_channel, extreme)
        inputs = self._with_bias(x, weights, scales, units, depth, bias)
        inputs += [] if bias else [-1]
        out_shape = (*shape[:-1], units) if keep_num_dims else (math.prod(shape) // depth, units)
        out = out or self._sum_quant(activation)
        y = self.activation(out_shape, out, 55 if activation == "NONE" else 50)
        self.writer.op(
            "FULLY_CONNECTED", inputs, [y], fused_activation_function=activation, keep_num_dims=keep_num_dims
        )
        return y

    def transpose_conv(
        self,
        x: int,
        channels: int,
        kernel: Pair = (2, 2),
        stride: Pair = (2, 2),
        padding: str = "SAME",
        per_channel: bool = True,
        bias: bool = True,
        out: Quant | None = None,
        size: Pair | None = None,
        activation: str = "NONE",
        version: int | None = None,
    ) -> int:
        """size: height and width of the output where they are not those that Keras would take. version: 3, or
        4 where it has an activation, which tflite-runtime 2.14 does not know."""
        _, height, width, depth = self.shape(x)
        weights, scales = self._weights(x, (channels, *kernel, depth), 0, per_channel, False)
        taps = math.ceil(kernel[0] / stride[0]) * math.ceil(kernel[1] / stride[1])
        inputs = self._with_bias(x, weights, scales, channels, taps * depth, bias)
        if size is None:
            high, wide = (max(k - s, 0) * (padding == "VALID") for k, s in zip(kernel, stride, strict=True))
            size = height * stride[0] + high, width * stride[1] + wide
        y = self.activation((1, *size, channels), out or self._sum_quant("NONE"), 55)
        self.writer.op(
            "TRANSPOSE_CONV",
            [self.constant((1, *size, channels)), weights, x, *inputs[2:]], [y],
            version or (3 if activation == "NONE" else 4),
            padding=padding, stride_h=stride[0], stride_w=stride[1],
            fused_activation_function=activation,
        )  # fmt: skip
        return y

    # -- layers without weights

    def pool(
        self,
        x: int,
        kind: str,
        window: Pair = (2, 2),
        stride: Pair = (1, 1),
        padding: str = "VALID",
        activation: str = "NONE",
    ) -> int:
        """kind: "MAX_POOL_2D" or "AVERAGE_POOL_2D"; the output keeps the input's quantisation."""
        _, height, width, depth = self.shape(x)
        spread = self.spread[x] * (1 if kind == "MAX_POOL_2D" else 0.5)  # neighbours are alike
        size = _spatial((height, width), window, stride, (1, 1), padding)
        y = self.activation((1, *size, depth), self.quants[x], spread)
        self.writer.op(
            kind, [x], [y], padding=padding, filter_height=window[0], filter_width=window[1],
            stride_h=stride[0], stride_w=stride[1], fused_activation_function=activation,
        )  # fmt: skip
        return y

    def mean(
        self, x: int, axes: Sequence[int] = (1, 2), keep_dims: bool = False, out: Quant | None = None
    ) -> int:
        shape = self.shape(x)
        reduced = {axis % len(shape) for axis in axes}
        dims = [1 if i in reduced else n for i, n in enumerate(shape) if keep_dims or i not in reduced]
        y = self.activation(dims, out or self.quants[x], self.spread[x] * 0.5)
        self.writer.op("MEAN", [x, self.constant(axes)], [y], keep_dims=keep_dims)
        return y

    def binary(self, kind: str, a: int, b: int, activation: str = "NONE", out: Quant | None = None) -> int:
        """kind: "ADD", "SUB" or "MUL", with broadcasting."""
        qa, qb = self.quants[a], self.quants[b]
        real_a, real_b = qa.scale * self.spread[a], qb.scale * self.spread[b]
        real = real_a * real_b if kind == "MUL" else math.sqrt(real_a**2 + real_b**2)
        shape = np.broadcast_shapes(self.shape(a), self.shape(b))
        y = self.activation(shape, out or self.random_quant(real / 50), 50)
        self.writer.op(kind, [a, b], [y], fused_activation_function=activation)
        return y

    def concatenation(self, tensors: Sequence[int], axis: int = 3, out: Quant | None = None) -> int:
        """Without `out` all inputs must share one quantisation: TFLite's int8 CONCATENATION copies bytes."""
        shape = list(self.shape(tensors[0]))
        shape[axis] = sum(self.shape(t)[axis] for t in tensors)
        y = self.activation(shape, out or self.quants[tensors[0]], self.spread[tensors[0]])
        self.writer.op("CONCATENATION", tensors, [y], axis=axis, fused_activation_function="NONE")
        return y

    def pad(self, x: int, paddings: Sequence[Pair]) -> int:
        shape = [n + before + after for n, (before, after) in zip(self.shape(x), paddings, strict=True)]
        y = self.activation(shape, self.quants[x], self.spread[x])
        self.writer.op("PAD", [x, self.constant(np.asarray(paddings))], [y])
        return y

    def reshape(self, x: int, shape: Sequence[int]) -> int:
        y = self.activation(shape, self.quants[x], self.spread[x])
        self.writer.op("RESHAPE", [x, self.constant(shape)], [y], new_shape=np.asarray(shape, np.int32))
        return y

    def resize(
        self, x: int, kind: str, size: Pair, align_corners: bool = False, half_pixel_centers: bool = False
    ) -> int:
        """kind: "RESIZE_NEAREST_NEIGHBOR" or "RESIZE_BILINEAR"; size: (height, width)."""
        y = self.activation((1, *size, self.shape(x)[3]), self.quants[x], self.spread[x])
        version = 3 if half_pixel_centers or (kind == "RESIZE_NEAREST_NEIGHBOR" and align_corners) else 2
        self.writer.op(
            kind, [x, self.constant(size)], [y], version,
            align_corners=align_corners, half_pixel_centers=half_pixel_centers,
        )  # fmt: skip
        return y

    def softmax(self, x: int, beta: float = 1.0) -> int:
        y = self.activation(self.shape(x), Quant(1 / 256, self.low))
        self.writer.op("SOFTMAX", [x], [y], beta=beta)
        return y

    def unary(self, kind: str, x: int, out: Quant | None = None, **options: Any) -> int:
        """kind: RELU, RELU6, LEAKY_RELU (alpha=...), LOGISTIC, HARD_SWISH, QUANTIZE, TANH, ABS."""
        if out is None:
            fixed = {
                "LOGISTIC": Quant(1 / 256, self.low),
                "TANH": Quant(1 / 128, (self.low + self.high + 1) // 2),
            }
            out = fixed.get(kind) or self.random_quant(self.quants[x].scale)
        y = self.activation(self.shape(x), out, self.spread[x] * self.quants[x].scale / out.scale)
        self.writer.op(kind, [x], [y], **options)
        return y

    # -- inside

    def _weights(
        self, x: int, shape: tuple[int, ...], axis: int, per_channel: bool, extreme: bool
    ) -> tuple[int, np.ndarray]:
        """Weights scaled as training scales them: outputs spread by REAL_SPREAD whatever the input."""
        fan_in = math.prod(shape) // shape[axis]
        scale = REAL_SPREAD / (self.quants[x].scale * self.spread[x] * 73 * math.sqrt(fan_in))
        count = shape[axis] if per_channel else 1
        scales = (scale * self.rng.uniform(0.5, 1.5, count)).astype(np.float32)
        if self.dtype == "uint8":
            data = self.rng.integers(0, 256, shape)
            point = int(self.rng.integers(100, 156)) if self.weight_point is None else self.weight_point
        else:
            data = self.rng.choice([-127, 127], shape) if extreme else self._balanced(shape, axis)
            point = 0
        return self.writer.tensor(shape, self.dtype, scales, point, axis, data), scales

    def _balanced(self, shape: tuple[int, ...], axis: int) -> np.ndarray:
        """Weights whose sum over each output is about 0, so that no layer only adds a constant."""
        data = self.rng.integers(-127, 128, shape)
        others = tuple(i for i in range(len(shape)) if i != axis)
        if math.prod(shape) == shape[axis]:
            return data
        count = math.prod(shape) // shape[axis]
        return np.clip(data - data.sum(others, keepdims=True) // count, -127, 127)

    def _with_bias(
        self, x: int, weights: int, scales: np.ndarray, channels: int, fan_in: int, bias: bool = True
    ) -> list[int]:
        if not bias:
            return [x, weights]
        spread = int(40 * self.spread[x] * math.sqrt(fan_in)) + 1
        values = self.rng.integers(-spread, spread, channels)
        bias_scales = (np.float32(self.quants[x].scale) * scales).astype(np.float32)
        return [x, weights, self.writer.tensor((channels,), "int32", bias_scales, 0, 0, values)]

    def _sum_quant(self, activation: str) -> Quant:
        """For sums of a standard deviation of about REAL_SPREAD; a ReLU leaves 0 to 6 of them."""
        if activation in ("RELU", "RELU6"):
            return Quant(
                6 / 255 * float(self.rng.uniform(0.9, 1.1)), self.low + int(self.rng.integers(0, 12))
            )
        return self.random_quant(REAL_SPREAD / 55)


def _spatial(size: Pair, kernel: Pair, stride: Pair, dilation: Pair, padding: str) -> Pair:
    """Output height and width, as TFLite computes them."""
    out = []
    for n, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        reach = (k - 1) * d + 1
        out.append(-(-n // s) if padding == "SAME" else -(-(n - reach + 1) // s))
    return out[0], out[1]
