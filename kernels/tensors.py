"""Quantised arrays: what the operators of this package take and give."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ZERO_POINTS = {"int8": (-128, 127), "uint8": (0, 255)}


@dataclass(frozen=True)
class Quantization:
    """Affine quantisation, real = scale * (stored - zero_point) (Jacob et al. 2018, arXiv:1712.05877).

    Attributes:
        scale: one number, or one per output channel of weights. Kept in float32, as TFLite stores it.
        zero_point: the stored value of the real 0; 0 for weights.

    Raises:
        ValueError: `scale` is not finite and positive, or `zero_point` is no integer in -128 to 255.
    """

    scale: float | tuple[float, ...]
    zero_point: int = 0

    def __post_init__(self) -> None:
        try:
            many = isinstance(self.scale, Iterable)
            values = list(self.scale) if many else [self.scale]  # type: ignore[arg-type]
            with np.errstate(over="ignore"):  # checked below
                scales = np.asarray(values, np.float32)
        except (TypeError, ValueError):
            raise ValueError(f"scale: {self.scale!r} is not a number, nor a sequence of numbers") from None
        if scales.ndim != 1 or scales.size == 0 or not np.isfinite(scales).all() or not (scales > 0).all():
            raise ValueError(f"scale: {self.scale!r} is not finite and above 0 in float32")
        object.__setattr__(self, "scale", tuple(scales.tolist()) if many else float(scales[0]))
        object.__setattr__(self, "zero_point", integer(self.zero_point, "zero_point", -128, 255))

    @property
    def scales(self) -> tuple[float, ...]:
        return self.scale if isinstance(self.scale, tuple) else (self.scale,)


@dataclass(frozen=True, eq=False)
class QTensor:
    """A quantised array.

    Attributes:
        data: C-contiguous int8 or uint8 array without empty dimensions. Activations are NHWC with N = 1;
            convolution weights are (out, height, width, in), depthwise weights (1, height, width, channels),
            fully connected weights (out, in).
        quantization: its scale and zero point.

    Raises:
        ValueError: `data` is no such array, or `quantization` does not fit its type.
    """

    data: NDArray[Any]
    quantization: Quantization

    def __post_init__(self) -> None:
        dense_array(self.data, "data", ("int8", "uint8"))
        if not isinstance(self.quantization, Quantization):
            raise ValueError(f"quantization: {self.quantization!r} is not a Quantization")
        low, high = _ZERO_POINTS[self.data.dtype.name]
        integer(self.quantization.zero_point, "zero_point", low, high)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    def dequantized(self) -> NDArray[np.float32]:
        """The real values, float32; per-channel scales run along the first axis."""
        quantization = self.quantization
        scales = np.asarray(quantization.scales, np.float32)
        if scales.size > 1:
            scales = scales.reshape((-1,) + (1,) * (self.data.ndim - 1))
        return (self.data.astype(np.float32) - np.float32(quantization.zero_point)) * scales


def integer(value: Any, name: str, low: int, high: int) -> int:
    """`value` as an int in [low, high]; raises ValueError naming it otherwise."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ValueError(f"{name}: {value!r} is not an integer")
    number = int(value.__index__())
    if not low <= number <= high:
        raise ValueError(f"{name}: {number} is not in {low} to {high}")
    return number


def real(value: Any, name: str, low: float, high: float) -> float:
    """`value` as a finite float in [low, high]; raises ValueError naming it otherwise."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {value!r} is not a number") from None
    if not math.isfinite(number) or not low <= number <= high:
        raise ValueError(f"{name}: {number} is not in {low:g} to {high:g}")
    return number


def dense_array(array: Any, name: str, dtypes: tuple[str, ...]) -> NDArray[Any]:
    """Checks for a non-empty C-contiguous numpy array of one of `dtypes`, in the machine's byte order."""
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{name}: {type(array).__name__} is not a numpy array")
    if array.dtype.name not in dtypes or not array.dtype.isnative:
        raise ValueError(f"{name}: the dtype is {array.dtype}, not {' or '.join(dtypes)}")
    if array.size == 0:
        raise ValueError(f"{name}: the shape {array.shape} is empty")
    if not array.flags.c_contiguous:
        raise ValueError(f"{name}: the array is not C-contiguous; pass numpy.ascontiguousarray of it")
    return array


def activation_tensor(
    tensor: Any, name: str, ranks: tuple[int, ...] = (1, 2, 3, 4), dtypes: tuple[str, ...] = ("int8",)
) -> QTensor:
    """Checks for a QTensor with batch 1 and one scale, of one of `ranks` and `dtypes`."""
    if not isinstance(tensor, QTensor):
        raise ValueError(f"{name}: {type(tensor).__name__} is not a QTensor")
    if tensor.data.dtype.name not in dtypes:
        raise ValueError(f"{name}: the dtype is {tensor.data.dtype}, not {' or '.join(dtypes)}")
    if tensor.data.ndim not in ranks:
        raise ValueError(
            f"{name}: the shape {tensor.shape} has not {' or '.join(map(str, ranks))} dimensions"
        )
    if tensor.data.ndim > 1 and tensor.shape[0] != 1:
        raise ValueError(f"{name}: the shape {tensor.shape} holds a batch of {tensor.shape[0]}, not of 1")
    if len(tensor.quantization.scales) != 1:
        raise ValueError(f"{name}: an activation has one scale, not {len(tensor.quantization.scales)}")
    return tensor


def output_quantization(value: Any, name: str, dtype: str = "int8") -> Quantization:
    """Checks for a per-tensor Quantization that `dtype` can hold."""
    if not isinstance(value, Quantization):
        raise ValueError(f"{name}: {value!r} is not a Quantization")
    if len(value.scales) != 1:
        raise ValueError(f"{name}: an activation has one scale, not {len(value.scales)}")
    low, high = _ZERO_POINTS[dtype]
    if not low <= value.zero_point <= high:
        raise ValueError(f"{name}: the zero point {value.zero_point} is not in {low} to {high}")
    return value
