"""Which tensors of a folded network have a range of their own, share one, or have one that TFLite fixes.

The rules are those of TFLite's int8 operations, https://ai.google.dev/edge/litert/models/quantization_spec.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import keras
from keras import layers

from edgecore.converters.qat.layers import FakeQuantise
from edgecore.converters.zoo.graph import Step, steps
from edgecore.preprocess import Preprocessing

# By the names of classes, since a layer and a function of Keras that do the same share one.
COMPUTING = {
    "Conv2D",
    "DepthwiseConv2D",
    "Conv2DTranspose",
    "Dense",
    "TableConv2D",
    "MapBias",
    "Add",
    "Subtract",
    "Multiply",
    "GlobalAveragePooling2D",
    "LeakyReLU",
    "relu",
    "relu6",
    "hard_silu",
    "gelu",
}
# Scale and zero point of the output are those of the input.
MOVING = {
    "MaxPooling2D",
    "Flatten",
    "Reshape",
    "Permute",
    "ZeroPadding2D",
    "Cropping2D",
    "Concatenate",
    "Split",
}
# The same, but the values are new and have to be rounded.
AVERAGING = {"AveragePooling2D", "UpSampling2D"}
# (below, above) of what these give.
FIXED = {"sigmoid": (0.0, 255 / 256), "softmax": (0.0, 255 / 256), "tanh": (1.0, 127 / 128)}
# What takes in a ReLU that is its only reader; all but the sum take in a constant that is added, too.
FUSING = {"Conv2D", "DepthwiseConv2D", "Dense", "Add"}


def kind(operation: Any) -> str:
    """The name under which the sets above have a layer or function."""
    if isinstance(operation, layers.Activation):
        return str(operation.activation.__name__)
    if isinstance(operation, layers.Softmax):
        return "softmax"
    if isinstance(operation, layers.ReLU):
        plain = not operation.negative_slope and not operation.threshold
        return {None: "relu", 6: "relu6"}.get(operation.max_value, "ReLU") if plain else "ReLU"
    return type(operation).__name__


class Plan:
    """The ranges of a folded network.

    `after` has, for the name of an operation, the layers that its outputs pass, None where they pass none;
    `unknown` has the names of operations whose int8 form is not simulated.
    """

    def __init__(self, folded: keras.Model, spec: Preprocessing) -> None:
        graph = steps(folded)
        self.after: dict[str, list[FakeQuantise | None]] = {}
        self.unknown: list[str] = []
        self._ranges: dict[int, FakeQuantise] = {}
        self._readers: dict[int, list[str]] = {id(tensor): [] for step in graph for tensor in step.outputs}
        for step in graph:
            what = (
                "constant"
                if kind(step.operation) == "Add" and len(step.inputs) == 1
                else kind(step.operation)
            )
            for tensor in step.inputs:
                self._readers[id(tensor)].append(what)
        for tensor in folded.outputs:
            self._readers[id(tensor)].append("user")
        calls = Counter(id(step.operation) for step in graph)
        for step in graph:
            if isinstance(step.operation, layers.InputLayer):
                self._ranges[id(step.outputs[0])] = _input_range(spec)
            elif calls[id(step.operation)] > 1 or not self._give_range(step):
                self.unknown.append(step.operation.name)
        for step in graph:
            if step.operation.name not in self.unknown:
                self.after[step.operation.name] = [self._passed(step, tensor) for tensor in step.outputs]

    def _give_range(self, step: Step) -> bool:
        """Whether the operation is known; its outputs then have a range, if its inputs have one."""
        what, name = kind(step.operation), f"{step.operation.name}_range"
        if what in FIXED:
            self._ranges[id(step.outputs[0])] = FakeQuantise(*FIXED[what], fixed=True, name=name)
        elif what in COMPUTING:
            self._ranges[id(step.outputs[0])] = FakeQuantise(name=name)
        elif what in MOVING | AVERAGING:
            known = [self._ranges[id(tensor)] for tensor in step.inputs if id(tensor) in self._ranges]
            if known:
                shared = next((item for item in known if not item.fixed), known[0])
                if shared.fixed and any(item is not shared for item in known):
                    shared = FakeQuantise(name=name)
                self._merge([item for item in known if not item.fixed], shared)
                for tensor in step.outputs:
                    self._ranges[id(tensor)] = shared
        else:
            return False
        return True

    def _merge(self, old: list[FakeQuantise], new: FakeQuantise) -> None:
        for tensor, found in self._ranges.items():
            if any(found is item for item in old):
                self._ranges[tensor] = new

    def _passed(self, step: Step, tensor: Any) -> FakeQuantise | None:
        found, what = self._ranges.get(id(tensor)), kind(step.operation)
        readers = self._readers[id(tensor)]
        if what in FUSING and readers in (["relu"], ["relu6"]):
            return None
        if what in FUSING - {"Add"} and readers == ["constant"]:
            return None
        if what in MOVING and all(self._ranges.get(id(source)) is found for source in step.inputs):
            return None
        return found


def _input_range(spec: Preprocessing) -> FakeQuantise:
    """All pixels, as `calibration.Calibration` makes sure that calibration sees them."""
    ends = [
        (pixel - mean) * scale
        for mean, scale in zip(spec.mean, spec.scale, strict=True)
        for pixel in (0, 255)
    ]
    return FakeQuantise(max(0.0, -min(ends)), max(0.0, *ends), fixed=True, name="image_range")


def insert(folded: keras.Model, plan: Plan) -> keras.Model:
    """A copy of `folded`, with its own variables, whose tensors pass the plan's ranges."""
    (image,) = (
        step.operation.name for step in steps(folded) if isinstance(step.operation, layers.InputLayer)
    )
    inputs = keras.Input(folded.input_shape[1:], name=image)
    (entry,) = plan.after[image]
    assert entry is not None
    quantised = entry(inputs)

    def call(operation: Any, *args: Any, **options: Any) -> Any:
        args = keras.tree.map_structure(lambda value: quantised if value is inputs else value, args)
        outputs = operation(*args, **options)
        after = plan.after.get(operation.name, [])
        passed = [
            tensor if layer is None else layer(tensor)
            for tensor, layer in zip(keras.tree.flatten(outputs), after, strict=bool(after))
        ]
        return keras.tree.pack_sequence_as(outputs, passed) if after else outputs

    copy = keras.models.clone_model(folded, input_tensors=inputs, call_function=call)
    for layer in folded.layers:
        if layer.weights:
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    return copy
