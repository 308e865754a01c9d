"""A node of an ONNX graph as the operators see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import KerasTensor

from edgecore.converters.formats.onnx.values import CHANNELS_LAST, Value


class Unsupported(Exception):
    """A form of an operator that has no translation; the text says which."""


@dataclass(frozen=True)
class Node:
    """One node: name, attributes and inputs; constants are arrays, absent inputs None."""

    name: str
    opset: int
    attributes: dict[str, Any]
    inputs: list[Value | np.ndarray | None]
    outputs: int

    @property
    def x(self) -> Value:
        """The first input, which depends on the image."""
        return self.value(0)

    def value(self, index: int) -> Value:
        """An input that depends on the image."""
        found = self.inputs[index]
        if not isinstance(found, Value):
            raise Unsupported("takes a constant where an image's values are expected")
        return found

    def constant(self, index: int, attribute: str = "") -> np.ndarray | None:
        """A constant input, or the attribute that older versions had in its place; None if there is none."""
        if attribute and attribute in self.attributes:
            return np.asarray(self.attributes[attribute])
        found = self.inputs[index] if index < len(self.inputs) else None
        if isinstance(found, Value):
            raise Unsupported(f"computes its input {index} from the image")
        return found

    def weights(self, index: int) -> np.ndarray:
        """A constant input that has to be there, in float32."""
        found = self.constant(index)
        if found is None:
            raise Unsupported(f"lacks its input {index}")
        return np.asarray(found, np.float32)

    def integers(self, index: int, attribute: str) -> list[int] | None:
        """The same as `constant`, as a list."""
        found = self.constant(index, attribute)
        return None if found is None else [int(number) for number in np.ravel(found)]


Operator = Callable[[Node], Value | list[Value]]


def image_of(node: Node) -> Value:
    """The first input, an image, with its channels last."""
    if len(node.x.axes) != 4:
        raise Unsupported(f"works on {len(node.x.axes) - 2} dimensions instead of 2")
    return node.x.ordered(CHANNELS_LAST, node.name)


def made(tensor: KerasTensor, like: Value, positive: bool = False) -> Value:
    """A result whose axes lie as those of `like`."""
    return Value(tensor, like.axes, positive)


def weighted(layer: Any, like: Value, weights: Sequence[np.ndarray]) -> Value:
    """What `layer` with the given weights makes of `like`."""
    tensor = layer(like.tensor)
    layer.set_weights(list(weights))
    return made(tensor, like)
