"""Whether a node's shapes and types fit each other, where TFLite divides or copies by them unchecked."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edgecore.tflite.flatbuffer import FlatbufferError

Shape = Sequence[int]

# Elements; more than any model of a small board, less than what breaks int32 indexing.
LARGEST_TENSOR = 1 << 30

# Operators whose result has its data's type, by which TFLite's kernels write without a look at the result's.
_KEEP_TYPE = frozenset((
    "RESHAPE", "MIRROR_PAD", "DYNAMIC_UPDATE_SLICE", "MEAN", "SUM",
    "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "REDUCE_ANY", "REDUCE_ALL",
))  # fmt: skip


def _fail(what: str) -> None:
    raise FlatbufferError(what)


def check_node(name: str, shapes: Sequence[Shape | None]) -> None:
    """Checks one node by the shapes of its inputs; None stands for an absent input.

    Raises FlatbufferError.
    """
    if name == "RESHAPE" and len(shapes) > 1 and shapes[1] is None:
        _fail(f"a {name} lacks its shape")
    if name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV") and len(shapes) < 2:
        _fail(f"a {name} lacks its weights")
    first, second = (*shapes, None, None)[:2]
    if first is None or (name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED") and second is None):
        if name not in ("CUSTOM", "SVDF") and shapes:
            _fail(f"a {name} lacks an input")
        return
    if any(size == 0 for size in first) or any(size == 0 for size in second or ()):
        if name != "RESHAPE":  # which takes an empty shape for a scalar
            _fail(f"a {name} has an empty input")
        return
    if name in ("CONV_2D", "DEPTHWISE_CONV_2D") and second is not None:
        _check_convolution(name, first, second)
        outputs = second[0] if name == "CONV_2D" else second[3]
        _check_bias(name, shapes, outputs)
    elif name == "FULLY_CONNECTED" and second is not None:
        elements = 1
        for size in first:
            elements *= size
        if len(second) != 2 or elements % second[1]:
            _fail(f"a {name} has weights {list(second)} over {list(first)}")
        _check_bias(name, shapes, second[0])


def check_types(name: str, source: str, result: str) -> None:
    """Checks the types of a node's first input and output.

    Raises FlatbufferError.
    """
    if source != result and (name in _KEEP_TYPE or (name == "SOFTMAX" and source == "float32")):
        _fail(f"a {name} of {source} gives {result}")


def _check_convolution(name: str, source: Shape, weights: Shape) -> None:
    fits = len(source) == 4 and len(weights) == 4
    if fits and name == "CONV_2D":  # grouped where the weights cover only a part of the channels
        fits = source[3] % weights[3] == 0 and weights[0] % (source[3] // weights[3]) == 0
    elif fits:
        fits = weights[0] == 1 and weights[3] % source[3] == 0
    if not fits:
        _fail(f"a {name} has weights {list(weights)} over {list(source)}")


def _check_bias(name: str, shapes: Sequence[Shape | None], outputs: int) -> None:
    bias = shapes[2] if len(shapes) > 2 else None
    if bias is not None and math.prod(bias) != outputs:
        _fail(f"a {name} with {outputs} outputs has a bias of shape {list(bias)}")
