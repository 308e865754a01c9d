"""ONNX's operators on shapes: reshaping, joining, cutting, and means over axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from keras import layers, ops

from edgecore.converters.formats.onnx.node import Node, Unsupported, made
from edgecore.converters.formats.onnx.values import Value, reshaped, transposed
from edgecore.converters.formats.onnx.windows import global_average


def reduce_mean(node: Node) -> Value:
    """ReduceMean over any axes but the batch."""
    x, rank = node.x, len(node.x.axes)
    axes = sorted(axis % rank for axis in node.integers(1, "axes") or range(rank))
    if 0 in axes:
        raise Unsupported("takes the mean over the batch")
    if axes == [2, 3] and rank == 4:
        mean = global_average(node)
    else:
        places = tuple(x.axes.index(axis) for axis in axes)
        mean = made(ops.mean(x.tensor, axis=places, keepdims=True), x, x.positive)
    if node.attributes.get("keepdims", 1):
        return mean
    return reshaped(
        mean, [side for axis, side in enumerate(mean.shape) if axis not in axes], f"{node.name}_flat"
    )


def as_it_is(node: Node) -> Value:
    """What does nothing once a network is trained."""
    return node.x


def cast(node: Node) -> Value:
    """Cast between kinds of float."""
    if node.attributes["to"] not in (1, 10, 11, 16):
        raise Unsupported("makes integers of an image's values")
    return node.x


def transpose(node: Node) -> Value:
    """Transpose, the batch staying in front."""
    permutation = node.attributes.get("perm") or list(range(len(node.x.axes)))[::-1]
    if permutation[0] != 0:
        raise Unsupported("moves the batch")
    return transposed(node.x, permutation)


def _to(node: Node, target: Sequence[int]) -> Value:
    if not target or target[0] != 1 or np.prod(target) != np.prod(node.x.shape):
        raise Unsupported(f"makes {tuple(target)} of {node.x.shape}, the batch included")
    return node.x if tuple(target) == node.x.shape else reshaped(node.x, list(target), node.name)


def reshape(node: Node) -> Value:
    """Reshape; 0 keeps a length, -1 takes what is left."""
    target = node.integers(1, "shape") or []
    if not node.attributes.get("allowzero"):
        target = [node.x.shape[axis] if side == 0 else side for axis, side in enumerate(target)]
    if -1 in target:
        rest = -int(np.prod(target))
        target[target.index(-1)] = int(np.prod(node.x.shape)) // max(rest, 1)
    return _to(node, target)


def flatten(node: Node) -> Value:
    """Flatten to (batch, elements)."""
    axis = node.attributes.get("axis", 1) % len(node.x.shape)
    return _to(node, [int(np.prod(node.x.shape[:axis])), int(np.prod(node.x.shape[axis:]))])


def squeeze(node: Node) -> Value:
    """Squeeze: axes of length 1 go."""
    shape = node.x.shape
    given = node.integers(1, "axes")
    axes = [axis for axis in range(1, len(shape)) if shape[axis] == 1] if given is None else given
    gone = {axis % len(shape) for axis in axes}
    return _to(node, [side for axis, side in enumerate(shape) if axis not in gone])


def unsqueeze(node: Node) -> Value:
    """Unsqueeze: axes of length 1 come."""
    axes = node.integers(1, "axes") or []
    rank = len(node.x.shape) + len(axes)
    new, old = {axis % rank for axis in axes}, iter(node.x.shape)
    return _to(node, [1 if axis in new else next(old) for axis in range(rank)])


def concat(node: Node) -> Value:
    """Concat of values."""
    first = node.x
    parts = [
        node.value(index).ordered(first.axes, f"{node.name}_{index}") for index in range(len(node.inputs))
    ]
    axis = node.attributes["axis"] % len(first.axes)
    joined = layers.Concatenate(axis=first.axes.index(axis), name=node.name)([part.tensor for part in parts])
    return made(joined, first, all(part.positive for part in parts))


def split(node: Node) -> list[Value]:
    """Split along one axis."""
    x = node.x
    axis = node.attributes.get("axis", 0) % len(x.axes)
    count = int(node.attributes.get("num_outputs", node.outputs))
    sizes = node.integers(1, "split") or [-(-x.shape[axis] // count)] * (count - 1)
    cuts = np.cumsum(sizes)[: count - 1].tolist()
    even = len({*np.diff([0, *cuts, x.shape[axis]]).tolist()}) == 1
    parts = ops.split(x.tensor, count if even else cuts, axis=x.axes.index(axis))
    return [made(part, x, x.positive) for part in parts]


def slices(node: Node) -> Value:
    """Slice with constant bounds."""
    x = node.x
    starts, ends = node.integers(1, "starts") or [], node.integers(2, "ends") or []
    axes = node.integers(3, "axes") or list(range(len(starts)))
    steps = node.integers(4, "steps") or [1] * len(starts)
    chosen = [slice(None)] * len(x.axes)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if axis % len(x.axes) == 0 or step < 1:
            raise Unsupported("cuts the batch or runs backwards")
        chosen[x.axes.index(axis % len(x.axes))] = slice(start, min(end, 2**31 - 1), step)
    return made(x.tensor[tuple(chosen)], x, x.positive)
