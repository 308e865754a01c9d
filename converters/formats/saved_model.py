"""TensorFlow's SavedModel as a float network: the folder that `model.export` writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from edgecore.converters.formats.network import FloatNetwork, Shape, checked_shapes
from edgecore.converters.host import quiet, reason_of
from edgecore.errors import UserError

SIGNATURE = "serving_default"
SHARES = ("Softmax", "Sigmoid")


class SavedModelNetwork(FloatNetwork):
    """See FloatNetwork. It knows operations only, no layers: tensors go by the names in the graph."""

    def __init__(self, path: Path, size: tuple[int, int] | None = None) -> None:
        self.name = path.resolve().name
        signature = _signature(path)
        (wanted, *more), given = signature.outputs, signature.structured_input_signature[1]
        self.input_shape, self.classes = checked_shapes(
            str(path),
            [_dims(spec.shape) for spec in given.values()],
            [_dims(wanted.shape), *(_dims(other.shape) for other in more)],
            size,
        )
        ((key, spec),) = given.items()
        if spec.dtype != tf.float32:
            raise UserError(
                f"{path} takes {spec.dtype.name}, not float32; export it without its own rescaling"
            )
        function = tf.function(lambda image: next(iter(signature(**{key: image}).values())))
        concrete = function.get_concrete_function(tf.TensorSpec((1, *self.input_shape), tf.float32, "image"))
        self._set(convert_variables_to_constants_v2(concrete))

    def _set(self, graph: Any) -> None:
        self._graph = graph
        self.logits = _end(graph).type not in SHARES

    def predict(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """The scores (n, classes) of inputs (n, height, width, channels)."""
        scores = [np.asarray(self._graph(tf.constant(sample[None]))[0]) for sample in inputs]
        return np.concatenate(scores).astype(np.float32)

    def converter(self) -> Any:
        """A fresh converter of the frozen graph."""
        return tf.lite.TFLiteConverter.from_concrete_functions([self._graph])

    def with_output(self, kind: str) -> SavedModelNetwork:
        """The same network with its softmax dropped ("logits") or one added ("softmax"), where needed."""
        if self.logits == (kind == "logits"):
            return self
        changed = SavedModelNetwork.__new__(SavedModelNetwork)
        changed.__dict__.update(self.__dict__)
        graph = self._graph
        if kind == "logits":
            changed._set(graph.prune(graph.inputs, [_end(graph).inputs[0]]))
            return changed
        function = tf.function(lambda image: tf.nn.softmax(graph(image)[0]))
        spec = tf.TensorSpec((1, *self.input_shape), tf.float32, "image")
        changed._set(convert_variables_to_constants_v2(function.get_concrete_function(spec)))
        return changed


def _signature(path: Path) -> Any:
    try:
        with quiet():
            loaded = tf.saved_model.load(str(path))
    except Exception as error:
        raise UserError(f"{path} does not load as a SavedModel: {reason_of(error)}") from error
    signatures = dict(loaded.signatures)
    if SIGNATURE not in signatures and len(signatures) != 1:
        raise UserError(f"{path} has no signature {SIGNATURE}; save the model with model.export(folder)")
    signature = signatures.get(SIGNATURE) or next(iter(signatures.values()))
    # The variables live as long as what was loaded does.
    signature.edgecore_loaded = loaded
    return signature


def _dims(shape: Any) -> Shape:
    return tuple(shape.as_list()) if shape.rank is not None else ()


def _end(graph: Any) -> Any:
    """The operation that computes the output, behind names given to it."""
    operation = graph.outputs[0].op
    while operation.type in ("Identity", "StopGradient"):
        operation = operation.inputs[0].op
    return operation
