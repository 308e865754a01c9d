"""TensorFlow's interpreter over flatbuffers in memory, with every tensor to be looked at."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from edgecore.converters.host import quiet

PLAIN = "BUILTIN_WITHOUT_DEFAULT_DELEGATES"  # quick, and every node leaves its output
FASTEST = "AUTO"


class HostModel:
    """A flatbuffer in TensorFlow's interpreter.

    Args:
        flatbuffer: a .tflite's bytes.
        kernels: PLAIN or FASTEST.
        keep: True keeps every tensor after a run; else only outputs are to be read.
    """

    def __init__(self, flatbuffer: bytes, kernels: str, keep: bool = False) -> None:
        with quiet():
            self._interpreter = tf.lite.Interpreter(
                model_content=flatbuffer,
                experimental_op_resolver_type=tf.lite.experimental.OpResolverType[kernels],
                experimental_preserve_all_tensors=keep,
            )
            self._interpreter.allocate_tensors()
        self.inputs: list[dict[str, Any]] = self._interpreter.get_input_details()
        self.outputs: list[dict[str, Any]] = self._interpreter.get_output_details()

    def set(self, index: int, value: NDArray[Any]) -> None:
        """Fills a tensor of that index."""
        self._interpreter.set_tensor(index, value)

    def run(self, *inputs: NDArray[Any]) -> None:
        """One inference; without inputs over what was set."""
        for details, value in zip(self.inputs, inputs, strict=False):
            self._interpreter.set_tensor(details["index"], value)
        self._interpreter.invoke()

    def get(self, index: int) -> NDArray[Any]:
        """A copy of a tensor, as stored."""
        value: NDArray[Any] = self._interpreter.get_tensor(index)
        return value

    def output(self) -> NDArray[Any]:
        """A copy of the first output, as stored."""
        return self.get(self.outputs[0]["index"])

    @property
    def input_shape(self) -> tuple[int, ...]:
        return tuple(int(size) for size in self.inputs[0]["shape"])

    @property
    def output_shape(self) -> tuple[int, ...]:
        return tuple(int(size) for size in self.outputs[0]["shape"])
