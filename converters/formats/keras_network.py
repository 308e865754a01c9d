"""A Keras model as a float network: also what ONNX files become."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from edgecore.converters.formats.network import FloatNetwork, Shape, checked_shapes
from edgecore.converters.host import reason_of
from edgecore.converters.qat.layers import FakeQuantise
from edgecore.errors import UserError

SHARES = ("softmax", "sigmoid")


class KerasNetwork(FloatNetwork):
    """See FloatNetwork. `model` is the Keras model, with the input size that `size` says if it had none."""

    def __init__(
        self, model: keras.Model, name: str | None = None, size: tuple[int, int] | None = None
    ) -> None:
        name = name or model.name
        given, wanted = _shapes(model, name)
        self.input_shape, self.classes = checked_shapes(name, given, wanted, size)
        self.model = (
            model if None not in given[0][1:] else _with_input(model, (None, *self.input_shape), name)
        )
        self.name = self.model.name
        self.logits = not _is_share(_last(self.model))
        self._layers = {layer.name: layer for layer in _all_layers(self.model)}

    def predict(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """The scores (n, classes) of inputs (n, height, width, channels)."""
        return np.asarray(self.model.predict(inputs, batch_size=100, verbose=0), np.float32)

    def converter(self) -> Any:
        """A fresh converter, see `keras_converter`."""
        return keras_converter(self.model)

    def with_output(self, kind: str) -> KerasNetwork:
        """The same network with its softmax dropped ("logits") or one added ("softmax"), where needed."""
        if self.logits == (kind == "logits"):
            return self
        if kind == "softmax":
            scores = layers.Softmax(name=_free("scores", self._layers))(self.model.output)
            return KerasNetwork(keras.Model(self.model.input, scores, name=self.model.name))
        return KerasNetwork(_without_share(self.model))

    def layers_of(self, tensor: str) -> list[str]:
        """The layers whose work a tensor of the converted graph holds, those with weights first."""
        found = []
        for part in tensor.split(";"):
            scopes = part.split("/")
            # Converting may number all scopes of a network: net_1/conv_1 is the layer conv of net.
            number = scopes[0].removeprefix(self.model.name)
            for scope in reversed(scopes[:-1]):
                layer = scope.removesuffix(number)
                if layer in self._layers:
                    found.append(layer)
                    break
        if not found and tensor.startswith("StatefulPartitionedCall"):
            found = [_last(self.model).name]
        unique = list(dict.fromkeys(found))
        return sorted(unique, key=lambda layer: not self._layers[layer].weights)

    def followers(self, layer: str) -> list[str]:
        """The layers that take a layer's output; UserError if there is no such layer."""
        if layer not in self._layers:
            raise UserError(f"{self.name} has no layer {layer}; `edgecore zoo show` lists those of a file")
        return [node.operation.name for node in self._layers[layer]._outbound_nodes]

    def advice(self, layer: str) -> str:
        """What to use in place of a layer that has no int8 form; empty where nothing is known."""
        return str(getattr(self._layers.get(layer), "instead_in_int8", ""))


def keras_converter(model: keras.Model) -> Any:
    """A fresh tf.lite.TFLiteConverter of any Keras model with one input of known size, its batch fixed at 1.

    That lets the converter fold every shape computation away: no SHAPE, STRIDED_SLICE or PACK is left.
    """
    return tf.lite.TFLiteConverter.from_keras_model(
        _with_input(model, (1, *model.input_shape[1:]), model.name)
    )


def _shapes(model: keras.Model, name: str) -> tuple[list[Shape], list[Shape]]:
    try:
        return [tuple(x.shape) for x in model.inputs], [tuple(y.shape) for y in model.outputs]
    except (AttributeError, TypeError, ValueError) as error:
        raise UserError(
            f"{name} has no input yet; call the model on a batch and save it again, or build it functionally"
        ) from error


def _with_input(model: keras.Model, shape: Shape, name: str) -> keras.Model:
    """A copy of `model` for inputs of `shape`, the batch included."""
    try:
        copy = keras.models.clone_model(model, input_tensors=keras.Input(batch_shape=shape, name="image"))
        copy.set_weights(model.get_weights())
    except (ValueError, TypeError, RuntimeError) as error:
        raise UserError(
            f"{name} cannot be built for an input of {shape[1]}x{shape[2]}: {reason_of(error)}"
        ) from error
    return copy


def _all_layers(model: keras.Model) -> Iterator[Any]:
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _all_layers(layer)


def _last(model: keras.Model) -> Any:
    """The layer that computes the output, behind the grid that fine-tuning puts it on."""
    last = model.output._keras_history.operation
    while isinstance(last, FakeQuantise):
        last = last.input._keras_history.operation
    return last


def _is_share(layer: Any) -> bool:
    """Whether a layer ends in a softmax or sigmoid."""
    if isinstance(layer, keras.Model):
        return _is_share(_last(layer))
    return isinstance(layer, layers.Softmax) or _activation(layer) in SHARES


def _activation(layer: Any) -> str:
    return str(getattr(getattr(layer, "activation", None), "__name__", ""))


def _without_share(model: keras.Model) -> keras.Model:
    """A copy that ends where the softmax or sigmoid began."""
    last = _last(model)
    if isinstance(last, layers.Softmax | layers.Activation):
        return keras.Model(model.input, last.input, name=model.name)
    if isinstance(last, keras.Model):
        raise UserError(f"{model.name} ends in a model of its own, whose last layer cannot be replaced here")

    def clone(layer: Any) -> Any:
        settings = layer.get_config()
        if layer is last:
            settings["activation"] = "linear"
        return layer.__class__.from_config(settings)

    copy = keras.models.clone_model(model, clone_function=clone)
    copy.set_weights(model.get_weights())
    return copy


def _free(name: str, taken: dict[str, Any]) -> str:
    while name in taken:
        name += "_softmax"
    return name
