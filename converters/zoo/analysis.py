"""A network looked over before it is trained: every layer, and what will go wrong or is likely a mistake."""

from __future__ import annotations

import math
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from edgecore.converters.zoo.count import WEIGHTED, of_layer
from edgecore.converters.zoo.graph import Step, describe, steps
from edgecore.converters.zoo.special import LocalResponseNorm

# Share of a network's learnables in one layer that is worth a word.
MUCH = 0.5


@dataclass(frozen=True)
class LayerFacts:
    """One layer: its kind in words, its output's shape, learnables that train and that do not, its work."""

    name: str
    kind: str
    shape: str
    learnables: int
    fixed: int
    multiply_adds: int


@dataclass(frozen=True)
class Analysis:
    """Every layer in order, and a line per finding; with errors it can be neither trained nor converted."""

    layers: list[LayerFacts]
    warnings: list[str]
    errors: list[str]


def analyse(model: keras.Model) -> Analysis:
    """Looks over `model`, which may be a sketch; weights are looked at where there are any."""
    ordered = steps(model)
    seen: set[int] = set()
    facts = [_facts(step, seen) for step in ordered]
    warnings = [text for step in ordered for text in _warnings(step)]
    return Analysis(facts, [*_of_the_whole(model, ordered, facts), *warnings], _errors(model, ordered))


def _facts(step: Step, seen: set[int]) -> LayerFacts:
    """The layer's facts; a shared one has its learnables where it comes first."""
    layer = step.operation
    if id(layer) in seen:
        return LayerFacts(step.name, describe(layer), step.shape, 0, 0, of_layer(layer))
    seen.add(id(layer))
    if not isinstance(layer, layers.Layer):
        return LayerFacts(step.name, describe(layer), step.shape, 0, 0, 0)
    learnables = sum(math.prod(weight.shape) for weight in layer.trainable_weights)
    fixed = sum(math.prod(weight.shape) for weight in layer.non_trainable_weights)
    return LayerFacts(step.name, describe(layer), step.shape, learnables, fixed, of_layer(layer))


def _errors(model: keras.Model, ordered: list[Step]) -> list[str]:
    found = []
    for tensor in model.inputs:
        if None in tensor.shape[1:]:
            found.append(f"the input {tensor.name} has no fixed size: {tensor.shape[1:]}")
    for step in ordered:
        if any(side == 0 for tensor in step.outputs for side in tensor.shape[1:]):
            found.append(f"{step.name} gives an empty map, {step.shape}; use a larger input")
        if isinstance(step.operation, layers.Layer) and not step.operation.built:
            found.append(f"{step.name} has no size yet; build the model with a fixed input")
        for weight in getattr(step.operation, "weights", ()):
            if weight._value is not None and not np.isfinite(np.asarray(weight)).all():
                found.append(f"{step.name} has weights that are no numbers, in {weight.name}")
    if len(model.outputs) != 1 or len(model.outputs[0].shape) not in (2, 4):
        shapes = [tensor.shape for tensor in model.outputs]
        found.append(f"the outputs {shapes} are not one score per class, of an image or of every pixel")
    return found


def _of_the_whole(model: keras.Model, ordered: list[Step], facts: list[LayerFacts]) -> list[str]:
    found = []
    last = ordered[-1].operation
    if describe(last).split()[-1] != "softmax":
        found.append(f"the last layer, {last.name}, is no softmax: the outputs are not probabilities")
    total = sum(layer.learnables for layer in facts)
    largest = max(facts, key=lambda layer: layer.learnables)
    if total and largest.learnables > MUCH * total:
        share = largest.learnables / total
        found.append(f"{largest.name} has {share:.0%} of all learnables")
    alone = [step.name for step in ordered if _is_alone(step)]
    if alone:
        found.append(
            f"{len(alone)} batch norms follow no convolution, from {alone[0]} on: "
            "they stay a multiplication and an addition on the device"
        )
    idle = [step.name for step in ordered if _has_idle_bias(step)]
    if idle:
        found.append(f"{len(idle)} layers have a bias that the batch norm behind them removes, as {idle[0]}")
    buried = [step for step in ordered if _is_mostly_padding(step)]
    if buried:
        height, width = buried[0].operation.kernel_size
        side = "x".join(map(str, buried[0].inputs[0].shape[1:3]))
        found.append(
            f"{len(buried)} layers see mostly padding, as {buried[0].name} with a kernel of {height}x{width} "
            f"on a map of {side}: the input is small for this network"
        )
    frozen = sum(not step.operation.trainable for step in ordered if isinstance(step.operation, WEIGHTED))
    if frozen:
        found.append(f"{frozen} layers are frozen and will not be trained")
    return found


def _is_alone(step: Step) -> bool:
    """Whether the step is a batch norm that no convolution's weights can take in."""
    if not isinstance(step.operation, layers.BatchNormalization):
        return False
    return not isinstance(step.inputs[0]._keras_history.operation, WEIGHTED)


def _has_idle_bias(step: Step) -> bool:
    if not isinstance(step.operation, WEIGHTED) or not step.operation.use_bias:
        return False
    readers = [node.operation for node in step.operation._outbound_nodes]
    linear = getattr(step.operation, "activation", None) in (None, keras.activations.linear)
    return linear and bool(readers) and all(isinstance(r, layers.BatchNormalization) for r in readers)


def _is_mostly_padding(step: Step) -> bool:
    if not isinstance(step.operation, layers.Conv2D | layers.DepthwiseConv2D):
        return False
    height, width = step.operation.kernel_size
    _, rows, columns, _ = step.inputs[0].shape
    return None not in (rows, columns) and (height > 2 * rows or width > 2 * columns)


def _warnings(step: Step) -> list[str]:
    layer = step.operation
    name = step.name
    if isinstance(layer, LocalResponseNorm):
        return [f"{name} has no int8 form; take batch norm in its place for a device"]
    if isinstance(layer, layers.LayerNormalization) and type(layer) is layers.LayerNormalization:
        return [f"{name} keeps a float operation when it is converted; ChannelNorm is the same without one"]
    if isinstance(layer, layers.GlobalAveragePooling2D) and step.inputs[0].shape[1:3] == (1, 1):
        return [f"{name} averages a map of one pixel: the input is small for this network"]
    return []
