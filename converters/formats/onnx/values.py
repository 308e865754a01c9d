"""ONNX's tensors in Keras: the same numbers, with their axes in another order.

ONNX keeps images as (batch, channels, height, width), Keras and the device as (batch, height, width,
channels). A value therefore knows which axis of the ONNX tensor each axis of the Keras tensor is. Transposing
is then a matter of names, and data only moves where an operation needs an order that it is not in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from keras import KerasTensor, layers

CHANNELS_LAST = (0, 2, 3, 1)


@dataclass(frozen=True)
class Value:
    """A tensor of the graph that depends on the input.

    Attributes:
        tensor: the Keras tensor, its batch open.
        axes: axis i of `tensor` is axis axes[i] of the ONNX tensor; the batch is axis 0 of both.
        positive: no element is below 0.
        flat_of: what this flattens to (batch, elements), in ONNX's order; None if it does not.
    """

    tensor: KerasTensor
    axes: tuple[int, ...]
    positive: bool = False
    flat_of: Value | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """ONNX's shape, with a batch of 1."""
        own = (1, *(int(side) for side in self.tensor.shape[1:]))
        return tuple(own[self.axes.index(axis)] for axis in range(len(own)))

    def ordered(self, axes: Sequence[int], name: str) -> Value:
        """The same value with its axes in the given order."""
        axes = tuple(axes)
        if axes == self.axes:
            return self
        moved = [axis for axis in self.axes if self.shape[axis] > 1]
        if moved == [axis for axis in axes if self.shape[axis] > 1]:  # only axes of length 1 change places
            target = tuple(self.shape[axis] for axis in axes[1:])
            return replace(self, tensor=layers.Reshape(target, name=f"{name}_order")(self.tensor), axes=axes)
        order = tuple(self.axes.index(axis) for axis in axes[1:])
        return replace(self, tensor=layers.Permute(order, name=f"{name}_order")(self.tensor), axes=axes)

    def plain(self, name: str) -> Value:
        """The same value with its axes in ONNX's order."""
        return self.ordered(range(len(self.axes)), name)

    def constant(self, values: np.ndarray) -> np.ndarray:
        """`values`, which ONNX broadcasts against this, as Keras broadcasts it against `tensor`."""
        values = np.asarray(values, np.float32)
        if values.size == 1:
            return values.reshape(())
        full = values.reshape((1,) * (len(self.axes) - values.ndim) + values.shape)
        return full.transpose(self.axes)


def transposed(value: Value, permutation: Sequence[int]) -> Value:
    """ONNX's Transpose: axis i of the result is axis permutation[i]."""
    return replace(value, axes=tuple(list(permutation).index(axis) for axis in value.axes), flat_of=None)


def reshaped(value: Value, target: Sequence[int], name: str) -> Value:
    """ONNX's Reshape to `target`, the batch of 1 included.

    Where axes are split or merged among themselves the others stay where they are, so that the shuffling of
    channels stays one.
    """
    groups = _groups(value.shape, target)
    # Groups follow each other as their first axes do now; inside a group ONNX's order counts.
    groups.sort(key=lambda group: min(value.axes.index(axis) for axis in group[0]))
    before = [axis for group in groups for axis in group[0]]
    after = [axis for group in groups for axis in group[1]]
    source = value.ordered(before, name)
    tensor = layers.Reshape(tuple(target[axis] for axis in after[1:]), name=name)(source.tensor)
    flat = value if len(target) == 2 and len(value.axes) == 4 else None
    return Value(tensor, tuple(after), value.positive, flat)


def _groups(source: Sequence[int], target: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """Runs of axes of both shapes that hold the same elements, as short as they can be; the batch is one."""
    groups: list[tuple[list[int], list[int]]] = [([0], [0])]
    left, right = 1, 1
    while left < len(source) and right < len(target):
        first, second = [left], [right]
        while (size := math.prod(source[axis] for axis in first)) != (
            wanted := math.prod(target[axis] for axis in second)
        ):
            if size < wanted:
                first.append(first[-1] + 1)
            else:
                second.append(second[-1] + 1)
        groups.append((first, second))
        left, right = first[-1] + 1, second[-1] + 1
    # What is left on one side has length 1.
    groups[-1][0].extend(range(left, len(source)))
    groups[-1][1].extend(range(right, len(target)))
    return groups
