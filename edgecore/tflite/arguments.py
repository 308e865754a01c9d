"""Whether a node's constant arguments stay within what it reads, where TFLite takes them as they stand.

Only what its own kernels leave unchecked: by such a permutation, slice or shape they read and write memory
that is not theirs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgecore.tflite.consistency import LARGEST_TENSOR
from edgecore.tflite.flatbuffer import FlatbufferError

if TYPE_CHECKING:
    from edgecore.tflite.model_file import Operator, Tensor

Shape = Sequence[int]
Values = Sequence[int]


def check_arguments(operator: Operator, tensors: Sequence[Tensor]) -> None:
    """Checks one node whose argument is constant and whose first input's shape cannot change.

    Raises FlatbufferError.
    """
    read = [tensors[index] if index >= 0 else None for index in operator.inputs]
    values = [each.values if each is not None else None for each in read]
    data = read[2 if operator.name == "TRANSPOSE_CONV" and len(read) > 2 else 0] if read else None
    if data is None or data.changes or not data.shape:
        return
    shape, fits = data.shape, True
    if operator.name == "TRANSPOSE" and len(values) == 2 and values[1] is not None:
        fits = len(set(values[1])) == len(values[1])
    elif operator.name in ("PAD", "PADV2") and len(values) > 1 and values[1] is not None:
        fits = _pads(shape, values[1])
    elif operator.name == "SLICE" and len(values) == 3 and values[1] is not None and values[2] is not None:
        result = tensors[operator.outputs[0]]
        known = result.shape and not result.changes
        fits = _slices(shape, values[1], values[2], result.shape if known else None)
    elif operator.name == "STRIDED_SLICE" and len(values) == 4 and values[1] is not None:
        fits = _shrinks(shape, values[1], operator.masks)
    elif (
        operator.name == "TRANSPOSE_CONV" and len(read) > 2 and values[0] is not None and read[1] is not None
    ):
        fits = _upsamples(shape, values[0], read[1].shape)
    if not fits:
        told = ", ".join(str(list(each)) for each in values[:3] if each is not None)
        raise FlatbufferError(f"a {operator.name} of {list(shape)} has arguments that do not fit: {told}")


def _pads(shape: Shape, paddings: Values) -> bool:
    """TFLite adds in 32 bits."""
    sizes = [size + sum(paddings[2 * axis : 2 * axis + 2]) for axis, size in enumerate(shape)]
    return min(paddings, default=0) >= 0 and math.prod(sizes) <= LARGEST_TENSOR


def _slices(shape: Shape, begin: Values, size: Values, result: Shape | None) -> bool:
    """TFLite gives the result the shape that the file says, and writes as many elements as are asked for."""
    if not len(shape) == len(begin) == len(size):
        return False
    sizes = [whole - at if many == -1 else many for whole, at, many in zip(shape, begin, size, strict=True)]
    inside = all(
        at >= 0 and 0 <= many <= whole - at for whole, at, many in zip(shape, begin, sizes, strict=True)
    )
    return inside and (result is None or list(result) == sizes)


def _shrinks(shape: Shape, begin: Values, masks: Sequence[int]) -> bool:
    """An index that takes its dimension away is not clamped as the others are."""
    begin_mask, _, ellipsis, new_axis, shrink = masks
    if ellipsis or new_axis:
        return True  # where indices and dimensions differ
    return all(
        -size <= at < size
        for axis, (size, at) in enumerate(zip(shape, begin, strict=False))
        if (shrink & ~begin_mask) >> axis & 1
    )


def _upsamples(shape: Shape, wanted: Values, weights: Shape) -> bool:
    """How far the weights are read and which images are written, is decided by the output's shape."""
    if len(shape) != 4 or len(weights) != 4:
        return True  # which TFLite refuses
    fits = len(wanted) == 4 and min(wanted) > 0 and math.prod(wanted) <= LARGEST_TENSOR
    return fits and wanted[0] == shape[0] and wanted[3] == weights[0]
