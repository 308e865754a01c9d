"""What convolutions, pools and paddings are described by, and the sizes that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from edgecore.kernels.graph import ACTIVATIONS
from edgecore.kernels.tensors import QTensor, Quantization, dense_array, integer, output_quantization

Pair = tuple[int, int]
Padding = str | Sequence[int]  # "same", "valid" or (top, bottom, left, right)

MOST_EXTENT = 1 << 20


def pair(value: Any, name: str, low: int = 1, high: int = MOST_EXTENT) -> Pair:
    """(height, width), or one integer for both."""
    if hasattr(value, "__index__"):
        value = (value, value)
    try:
        height, width = value
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {value!r} is not (height, width)") from None
    return integer(height, name, low, high), integer(width, name, low, high)


def activation_name(value: Any) -> str:
    if value not in ACTIVATIONS:
        raise ValueError(f"activation: {value!r} is not one of {', '.join(ACTIVATIONS)}")
    return str(value)


@dataclass(frozen=True)
class Window:
    """How a kernel or a pool moves over a map.

    Attributes:
        size, stride, dilation: (height, width).
        padding: "same" and "valid" as TensorFlow defines them, or (top, bottom, left, right) pixels.
    """

    size: Pair
    stride: Pair = (1, 1)
    padding: Padding = "valid"
    dilation: Pair = (1, 1)

    def __post_init__(self) -> None:
        for name in ("size", "stride", "dilation"):
            object.__setattr__(self, name, pair(getattr(self, name), "window" if name == "size" else name))
        object.__setattr__(self, "padding", self._checked_padding())

    def _checked_padding(self) -> Padding:
        if isinstance(self.padding, str):
            if self.padding not in ("same", "valid"):
                raise ValueError(
                    f"padding: {self.padding!r} is not 'same', 'valid' or (top, bottom, left, right)"
                )
            return self.padding
        try:
            sides = tuple(self.padding)
        except TypeError:
            sides = ()
        if len(sides) != 4:
            raise ValueError(
                f"padding: {self.padding!r} is not 'same', 'valid' or (top, bottom, left, right)"
            )
        reach = self._reach(0), self._reach(0), self._reach(1), self._reach(1)
        return tuple(integer(side, "padding", 0, most - 1) for side, most in zip(sides, reach, strict=True))

    def _reach(self, axis: int) -> int:
        return (self.size[axis] - 1) * self.dilation[axis] + 1

    def over(self, shape: tuple[int, ...]) -> tuple[Pair, tuple[int, int, int, int]]:
        """Output (height, width) and padding (top, bottom, left, right) over an NHWC shape."""
        sizes: list[int] = []
        sides: list[int] = []
        for axis in (0, 1):
            length, step, reach = shape[1 + axis], self.stride[axis], self._reach(axis)
            if self.padding == "same":
                around = max((-(-length // step) - 1) * step + reach - length, 0)
                before, after = around // 2, around - around // 2
            elif self.padding == "valid":
                before = after = 0
            else:
                before, after = (int(side) for side in self.padding[2 * axis : 2 * axis + 2])
            room = length + before + after - reach
            if room < 0:
                raise ValueError(
                    f"x: {room + reach} pixels with padding are fewer than the {reach} of the window"
                )
            sizes.append(room // step + 1)
            sides += [before, after]
        return (sizes[0], sizes[1]), (sides[0], sides[1], sides[2], sides[3])


def checked_weights(weights: Any, rank: int, axis: int) -> QTensor:
    """int8, zero point 0, of `rank`, with one scale or one per index of `axis`."""
    if not isinstance(weights, QTensor):
        raise ValueError(f"weights: {type(weights).__name__} is not a QTensor")
    if weights.data.dtype.name != "int8":
        raise ValueError(f"weights: the dtype is {weights.data.dtype}, not int8")
    if weights.data.ndim != rank:
        raise ValueError(f"weights: the shape {weights.shape} has not {rank} dimensions")
    if weights.quantization.zero_point != 0:
        raise ValueError(f"weights: the zero point is {weights.quantization.zero_point}, not 0")
    if len(weights.quantization.scales) not in (1, weights.shape[axis]):
        raise ValueError(
            f"weights: {len(weights.quantization.scales)} scales for {weights.shape[axis]} output channels"
        )
    return weights


def checked_bias(bias: Any, channels: int) -> None:
    if bias is not None and dense_array(bias, "bias", ("int32",)).shape != (channels,):
        raise ValueError(f"bias: the shape is {bias.shape}, not ({channels},)")


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution's weights and how they are applied.

    Attributes:
        weights: int8 QTensor (out, height, width, in), zero point 0, one scale or one per output channel.
        output: quantisation of the result.
        bias: int32 (out,) in units of input scale * weight scale, or None.
        stride, dilation: (height, width), or one number for both.
        padding: "same", "valid" or (top, bottom, left, right).
        activation: "none", "relu", "relu_n1_to_1" or "relu6".

    Raises:
        ValueError: a bad value, by the attribute's name.
    """

    weights: QTensor
    output: Quantization
    bias: NDArray[np.int32] | None = None
    stride: Pair | int = (1, 1)
    padding: Padding = "same"
    dilation: Pair | int = (1, 1)
    activation: str = "none"
    window: Window = field(init=False, repr=False)

    channel_axis: ClassVar[int] = 0  # of the weights' output channels

    def __post_init__(self) -> None:
        checked_weights(self.weights, 4, self.channel_axis)
        checked_bias(self.bias, self.channels)
        output_quantization(self.output, "output")
        activation_name(self.activation)
        window = Window(self.weights.shape[1:3], self.stride, self.padding, self.dilation)  # type: ignore[arg-type]
        object.__setattr__(self, "window", window)

    @property
    def channels(self) -> int:
        return self.weights.shape[self.channel_axis]

    def check_input(self, channels: int, name: str) -> None:
        """Raises ValueError naming `name` where the weights do not take maps of `channels` channels."""
        if self.weights.shape[3] != channels:
            raise ValueError(f"{name}: {self.weights.shape[3]} input channels, where the map has {channels}")


@dataclass(frozen=True, eq=False)
class DepthwiseConvolution(Convolution):
    """A depthwise convolution: weights (1, height, width, channels * multiplier), else as Convolution."""

    channel_axis: ClassVar[int] = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.weights.shape[0] != 1:
            raise ValueError(f"weights: the shape is {self.weights.shape}, not (1, height, width, channels)")

    def check_input(self, channels: int, name: str) -> None:
        if self.channels % channels:
            raise ValueError(f"{name}: {self.channels} channels are no multiple of the map's {channels}")
