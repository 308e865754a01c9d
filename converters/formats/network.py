"""What conversion asks of a trained network, whatever format it came in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgecore.errors import UserError

Shape = tuple[int | None, ...]
# What the scores of an output may be: as they are, sums before a softmax, or shares that sum to 1.
OUTPUTS = ("logits", "softmax")


class FloatNetwork(ABC):
    """A classifier in float32: (batch, height, width, channels) in, (batch, classes) out.

    Attributes:
        name: for messages and as the model's name.
        input_shape: (height, width, channels).
        classes: how many scores it gives.
        logits: whether no softmax or sigmoid stands at its end.
    """

    name: str
    input_shape: tuple[int, int, int]
    classes: int
    logits: bool

    @abstractmethod
    def predict(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """The scores (n, classes) of inputs (n, height, width, channels)."""

    @abstractmethod
    def converter(self) -> Any:
        """A fresh tf.lite.TFLiteConverter of the network, its batch fixed at 1."""

    @abstractmethod
    def with_output(self, kind: str) -> FloatNetwork:
        """The same network with its softmax dropped ("logits") or one added ("softmax"), where needed.

        Raises UserError where that cannot be told or done.
        """

    def layers_of(self, tensor: str) -> list[str]:
        """The layers whose work a tensor of the converted graph holds; more than one where they were fused.

        Here the tensor's own name, for networks that know no layers.
        """
        return [tensor]

    def advice(self, layer: str) -> str:
        """What to use in place of a layer that has no int8 form; empty where nothing is known."""
        return ""


def checked_shapes(
    name: str, inputs: Iterable[Shape], outputs: Iterable[Shape], size: tuple[int, int] | None
) -> tuple[tuple[int, int, int], int]:
    """(input shape without the batch, classes) of a classifier of images.

    `size` fills the height and width that the network leaves open. Raises UserError for any other network.
    """
    inputs, outputs = list(inputs), list(outputs)
    if len(inputs) != 1 or len(outputs) != 1:
        raise UserError(
            f"{name} has {len(inputs)} inputs and {len(outputs)} outputs; "
            "a classifier takes one image and gives one score per class: export that part alone"
        )
    (shape,), (result,) = inputs, outputs
    if len(shape) != 4:
        raise UserError(f"{name} takes {_text(shape)}, not one batch of images (n, height, width, channels)")
    if shape[3] not in (1, 3):
        raise UserError(f"{name} has no input of 1 or 3 channels at the end: {_text(shape)}")
    if len(result) != 2 or result[1] is None:
        raise UserError(f"{name} gives {_text(result)}, not one score per class")
    own = shape[1:3]
    if size is None and None in own:
        raise UserError(f"{name} leaves the size of its input open: {_text(shape)}; give --size HxW")
    if size is not None and any(side not in (None, given) for side, given in zip(own, size, strict=True)):
        raise UserError(f"{name} takes {own[0]}x{own[1]} images, not {size[0]}x{size[1]}; leave --size out")
    height, width = size if size is not None else own
    return (int(height or 0), int(width or 0), int(shape[3])), int(result[1])


def _text(shape: Shape) -> str:
    return f"({', '.join('n' if side is None else str(side) for side in shape)})"
