"""From a camera frame to the network's input tensor: one implementation for host and device.

Training and calibration see what the device will see.

The work is done in C (`edgecore.kernels.image`); here stands what is to be done.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from edgecore.errors import UserError
from edgecore.kernels.image import FILTERS, FRAME_ORDERS, MAX_SIDE, ORDERS, PLANAR, RESIZES, ImagePlan

Frame = NDArray[np.uint8]
Box = tuple[int, int, int, int]


def _fields(values: Mapping[str, Any], name: str, channels: int) -> tuple[float, ...]:
    try:
        numbers = tuple(float(value) for value in values[name])
    except (TypeError, ValueError):
        raise UserError(f"preprocessing: {name} is {values[name]!r}; give one number per channel") from None
    if len(numbers) == 1:
        numbers *= channels
    if len(numbers) != channels or not all(map(math.isfinite, numbers)):
        raise UserError(f"preprocessing: {name} is {numbers}; give 1 or {channels} finite numbers")
    if name == "scale" and 0 in numbers:
        raise UserError("preprocessing: scale is 0, so that every picture would be the same; give another")
    return numbers


@dataclass(frozen=True)
class Preprocessing:
    """What a network wants to see of a frame.

    Attributes:
        width, height: of the network's input, in pixels.
        order: channels of the network's input: "RGB", "BGR" or "GREY".
        resize: "stretch" (whole frame, shape not kept), "letterbox" (whole frame between bars of pixel
            value 114) or "crop" (the largest centred box of the input's shape).
        mean, scale: the network's real input is (pixel - mean) * scale, per channel of `order`; one number
            stands for all channels.
        filter: "triangle" (antialiased) or "bilinear" (the two nearest pixels along either axis, as models
            trained elsewhere often saw it).

    Raises:
        UserError: a value out of range.
    """

    width: int
    height: int
    order: str = "RGB"
    resize: str = "stretch"
    mean: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1 / 255,)
    filter: str = "triangle"

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            value = getattr(self, name)
            if not isinstance(value, int) or not 1 <= value <= MAX_SIDE:
                raise UserError(f"preprocessing: {name} is {value!r}; give an integer from 1 to {MAX_SIDE}")
        for name, known in (("order", ORDERS), ("resize", RESIZES), ("filter", FILTERS)):
            if getattr(self, name) not in known:
                raise UserError(
                    f"preprocessing: {name} is {getattr(self, name)!r}; give one of {', '.join(known)}"
                )
        object.__setattr__(self, "mean", _fields(vars(self), "mean", self.channels))
        object.__setattr__(self, "scale", _fields(vars(self), "scale", self.channels))

    @property
    def channels(self) -> int:
        return 1 if self.order == "GREY" else 3

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values; `from_json` takes them back."""
        return {
            "width": self.width,
            "height": self.height,
            "order": self.order,
            "resize": self.resize,
            "mean": list(self.mean),
            "scale": list(self.scale),
            "filter": self.filter,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Preprocessing:
        """Takes `to_json`'s fields and ignores other keys.

        Raises:
            UserError: a size is missing or a value is out of range.
        """
        known = {key: values[key] for key in cls.__dataclass_fields__ if key in values}
        for name in ("width", "height"):
            if name not in known:
                raise UserError(f"preprocessing: {name} is missing")
        return cls(**known)


def byte_tables(spec: Preprocessing, dtype: DTypeLike, scale: float, zero_point: int) -> NDArray[np.uint8]:
    """The stored byte of each pixel value, uint8 (channels, 256).

    The real value (pixel - mean) * scale becomes real / `scale`, rounded half away from zero, plus
    `zero_point`, clamped to the type, as TFLite's QUANTIZE does it; computed in float64.

    Args:
        dtype: int8 or uint8.
        scale, zero_point: quantisation of the network's input.

    Raises:
        UserError: another type, or quantisation parameters out of range.
    """
    kind = np.dtype(dtype)
    if kind not in (np.dtype(np.int8), np.dtype(np.uint8)):
        raise UserError(f"the network's input is {kind}; convert it with int8 or uint8 input")
    limits = np.iinfo(kind)
    if not (math.isfinite(scale) and scale > 0):
        raise UserError(
            f"the network's input has quantisation scale {scale}; convert it with full-integer quantisation"
        )
    if not limits.min <= zero_point <= limits.max:
        raise UserError(f"the network's input has zero point {zero_point}, which {kind} does not hold")
    pixels = np.arange(256, dtype=np.float64)
    real = (pixels - np.array(spec.mean)[:, None]) * np.array(spec.scale)[:, None]
    steps = real / float(scale)
    whole = np.trunc(steps)
    whole += np.copysign(np.abs(steps - whole) >= 0.5, steps)
    return np.clip(whole + zero_point, limits.min, limits.max).astype(kind).view(np.uint8)


@dataclass(frozen=True)
class _View:
    """What a plan is made for."""

    shape: tuple[int, ...]
    order: str
    columns: int | None
    colour: str
    box: Box | None

    def plan(self, spec: Preprocessing, tables: NDArray[np.uint8] | None) -> ImagePlan:
        order = self._checked_order()
        height, width = self.shape[:2]
        if order in PLANAR:
            height = height * 2 // 3
            width = width if self.columns is None else self.columns
        elif self.columns is not None:
            raise ValueError("columns: only planar frames have it; slice other ones")
        return ImagePlan(
            height,
            width,
            order,
            spec.height,
            spec.width,
            spec.order,
            spec.resize,
            tables,
            spec.filter,
            self.colour,
            self.box,
        )

    def _checked_order(self) -> str:
        """The order, which for frames of one channel is grey whatever was said."""
        if self.order in PLANAR and len(self.shape) == 2:
            return self.order
        grey = len(self.shape) == 2 or (len(self.shape) == 3 and self.shape[2] == 1)
        if not grey and (len(self.shape) != 3 or self.shape[2] != 3):
            raise ValueError(f"frame: the shape is {self.shape}, not (height, width, 3) or (height, width)")
        if self.order not in FRAME_ORDERS or self.order in PLANAR or (self.order == "GREY" and not grey):
            raise ValueError(f"frame_order: {self.order!r} is not the order of a frame of shape {self.shape}")
        return "GREY" if grey else self.order


class _Plans:
    """The plan of the last view; frames of a stream all take it."""

    def __init__(self, spec: Preprocessing, tables: NDArray[np.uint8] | None) -> None:
        self._spec = spec
        self._tables = tables
        self._lock = threading.Lock()
        self._view: _View | None = None
        self._plan: ImagePlan | None = None

    def run(self, frame: Frame, out: NDArray[Any], view: _View) -> None:
        with self._lock:
            plan = self._plan
            if plan is None or self._view != view:
                plan = self._plan = view.plan(self._spec, self._tables)
                self._view = view
            plan.run(frame if view.order in PLANAR else _dense_rows(frame), out)


def _dense_rows(frame: Frame) -> Frame:
    """`frame` itself, or a copy where the pixels of a row lie apart (a mirrored view, a channel flip)."""
    pixel = frame.shape[2] if frame.ndim == 3 else 1
    if frame.strides[1] == pixel and frame.strides[-1] == 1:
        return frame
    return np.ascontiguousarray(frame)


def image_of(
    frame: Frame,
    spec: Preprocessing,
    frame_order: str = "BGR",
    columns: int | None = None,
    colour: str = "bt601",
    box: Box | None = None,
) -> NDArray[np.uint8]:
    """The picture that the network sees, uint8 (height, width, channels of `spec.order`).

    A specification of the frame's own size only converts it. The other arguments are those of
    `Preprocessor.__call__`.

    Raises:
        ValueError: a frame of another dtype or shape, or an unknown order or colour, or a box outside it.
    """
    out = np.empty((spec.height, spec.width, spec.channels), np.uint8)
    _Plans(spec, None).run(frame, out, _View(frame.shape, frame_order, columns, colour, box))
    return out


class Preprocessor:
    """Frames to quantised input tensors, in place. Threads may share one.

    The filter's weights are made once per frame size and box.

    Args:
        spec: what the network wants.
        dtype, scale, zero_point: type and quantisation of its input; see `byte_tables`.

    Raises:
        UserError: the input's type is not int8 or uint8, or its quantisation is out of range.
    """

    def __init__(self, spec: Preprocessing, dtype: DTypeLike, scale: float, zero_point: int) -> None:
        self.spec = spec
        self.dtype = np.dtype(dtype)
        self._plans = _Plans(spec, byte_tables(spec, dtype, scale, zero_point))

    def __call__(
        self,
        frame: Frame,
        out: NDArray[Any],
        frame_order: str = "BGR",
        columns: int | None = None,
        colour: str = "bt601",
        box: Box | None = None,
    ) -> None:
        """Writes the tensor of `frame` into `out`.

        Args:
            frame: uint8 (height, width, 3) in `frame_order`, or grey (height, width); rows may lie apart. In
                the planar orders (height * 3 / 2, stride) as cameras give it: `height` rows of luma, then U
                and V in turns in height / 2 rows (NV12), or the U and then the V plane, height / 2 rows of
                stride / 2 bytes each (YUV420). Their height and width are even.
            out: C-contiguous array of `dtype` with height * width * channels items, as the interpreter
                gives it.
            frame_order: "BGR", "RGB", "YUV420" or "NV12"; grey frames need no order.
            columns: how many columns of planar frames are picture; None: all.
            colour: what their bytes mean: "bt601" or "bt709" in limited range, or "jpeg", BT.601 in full
                range.
            box: (x, y, width, height), the part of the frame that is seen, as if it were cut out; None: all.

        Raises:
            ValueError: a frame or an output of another dtype or shape, an unknown order or colour, or a box
                outside the frame.
        """
        if out.dtype != self.dtype:
            raise ValueError(f"out: the dtype is {out.dtype}, not {self.dtype}")
        self._plans.run(frame, out, _View(frame.shape, frame_order, columns, colour, box))
