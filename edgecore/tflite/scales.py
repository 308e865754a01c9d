"""Whether a node's scales give multipliers that TFLite can write as integers; else it ends the process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgecore.tflite.flatbuffer import FlatbufferError

if TYPE_CHECKING:
    from edgecore.tflite.model_file import Operator, Tensor

# Quantised type -> by how much less than 1 ADD's multiplier of the result is, times two.
_SUM_RANGE = {"int8": 2.0**19, "uint8": 2.0**19, "int16": 2.0**14}
_SOFTMAX_RANGE = 2.0**26


def check_scales(operator: Operator, tensors: Sequence[Tensor]) -> None:
    """Checks a sum's three scales, and a softmax's scale and factor.

    Raises FlatbufferError.
    """
    if operator.name not in ("ADD", "SUB", "SOFTMAX") or not operator.outputs:
        return
    if min(operator.inputs, default=-1) < 0:
        return  # which TFLite refuses
    read = [tensors[index] for index in operator.inputs]
    scales = [_scale(each) for each in read]
    told = f"a {operator.name} has the scales {scales}"
    if operator.name == "SOFTMAX":
        if read[0].type in ("int8", "uint8") and not operator.beta * scales[0] * _SOFTMAX_RANGE > 1:
            raise FlatbufferError(f"{told} and the factor {operator.beta}")
    elif read[0].type in _SUM_RANGE:
        result = tensors[operator.outputs[0]]
        scale = _scale(result)
        if read[0].type == "int16" and not any((*scales, scale)):
            return  # plain integers
        if min([*scales, scale]) <= 0 or max(scales) >= scale * _SUM_RANGE[read[0].type]:
            raise FlatbufferError(f"{told} and its result {scale}")


def _scale(tensor: Tensor) -> float:
    """What TFLite's kernels see: 0 also where there is one for each channel."""
    return tensor.scales[0] if len(tensor.scales) == 1 else 0.0
