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


# The input that is judged: permutation, paddings, size, begin, lengths or the output's shape.
_ARGUMENT = {
    "TRANSPOSE": 1, "PAD": 1, "PADV2": 1, "MIRROR_PAD": 1, "SLICE": 2, "STRIDED_SLICE": 1,
    "REVERSE_SEQUENCE": 1, "TRANSPOSE_CONV": 0, "RESIZE_BILINEAR": 1, "RESIZE_NEAREST_NEIGHBOR": 1,
}  # fmt: skip


def check_arguments(operator: Operator, tensors: Sequence[Tensor]) -> None:
    """Checks one node whose argument is constant and whose data's shape cannot change.

    Raises FlatbufferError.
    """
    place, source = _ARGUMENT.get(operator.name), 2 if operator.name == "TRANSPOSE_CONV" else 0
    if place is None or len(operator.inputs) <= max(place, source) or not operator.outputs:
        return  # which TFLite refuses
    read = [tensors[index] if index >= 0 else None for index in operator.inputs]
    data, argument = read[source], read[place]
    if data is None or data.changes or not data.shape or argument is None or argument.values is None:
        return
    shape, values = data.shape, argument.values
    fits = True
    if operator.name == "TRANSPOSE":
        fits = len(set(values)) == len(values)
    elif operator.name == "SLICE":
        result, begin = tensors[operator.outputs[0]], read[1]
        known = result.shape and not result.changes
        fits = _slices(shape, begin.values if begin else None, values, result.shape if known else None)
    elif operator.name == "STRIDED_SLICE":
        fits = _shrinks(shape, values, operator.options)
        strides = read[3].values if len(read) > 3 and read[3] else None
        if fits and strides and not _steps(shape, strides):
            fits, values = False, strides
    elif operator.name == "REVERSE_SEQUENCE":
        axis = operator.options[0]
        fits = 0 <= axis < len(shape) and all(0 <= length <= shape[axis] for length in values)
    elif operator.name.startswith("RESIZE"):  # TFLite's indices are of 32 bits
        fits = shape[0] * shape[-1] * math.prod(values) <= LARGEST_TENSOR
    elif operator.name == "TRANSPOSE_CONV":
        weights = read[1]
        fits = weights is None or _upsamples(shape, values, weights.shape)
    else:
        fits = _pads(shape, values, operator.options)
    if not fits:
        raise FlatbufferError(
            f"a {operator.name} of {list(shape)} has an argument that does not fit: {list(values)}"
        )


def _pads(shape: Shape, paddings: Values, mirrored: Sequence[int]) -> bool:
    """TFLite adds in 32 bits, and mirrors what is not there."""
    pairs = [paddings[2 * axis : 2 * axis + 2] for axis in range(len(shape))]
    for size, pair in zip(shape, pairs, strict=True):
        if mirrored and max(pair, default=0) > size - (mirrored[0] == 0):
            return False
    sizes = [size + sum(pair) for size, pair in zip(shape, pairs, strict=True)]
    return min(paddings, default=0) >= 0 and math.prod(sizes) <= LARGEST_TENSOR


def _steps(shape: Shape, strides: Values) -> bool:
    """TFLite goes from element to element in 32 bits, and past the end where that overflows."""
    return all(size + abs(stride) < 2**31 for size, stride in zip(shape, strides, strict=False))


def _slices(shape: Shape, begin: Values | None, size: Values, result: Shape | None) -> bool:
    """TFLite gives the result the shape that the file says, and writes as many elements as are asked for."""
    if any(each is not None and len(each) != len(shape) for each in (begin, size, result)):
        return False
    for axis, (whole, many) in enumerate(zip(shape, size, strict=True)):
        first = begin[axis] if begin is not None else 0
        if many == -1 and begin is not None:
            many = whole - first
        elif many == -1:  # as the run says
            many = result[axis] if result is not None else whole
        if first < 0 or not 0 <= many <= whole - first or (result is not None and result[axis] != many):
            return False
    return True


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
