"""A Keras model as rows in the order of a drawing: one branch after the other, each before it is joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from edgecore.converters.zoo.special import LocalResponseNorm, MapBias, TableConv2D
from edgecore.errors import UserError

# What joins the row of the layer before it, if nothing else reads that one: the converter fuses most of it.
FOLLOWERS = (layers.BatchNormalization, layers.Activation, layers.ReLU, layers.LeakyReLU, MapBias)
WORDS = {
    "InputLayer": "image",
    "BatchNormalization": "norm",
    "LayerNormalization": "layer norm",
    "ChannelNorm": "layer norm",
    "LocalResponseNorm": "local response norm",
    "GlobalAveragePooling2D": "average of the map",
    "ZeroPadding2D": "pad",
    "Concatenate": "concat",
}


@dataclass(frozen=True)
class Step:
    """One operation of the model: a layer, or a function such as a split."""

    operation: Any
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]

    @property
    def name(self) -> str:
        """The layer's name."""
        return str(self.operation.name)

    @property
    def shape(self) -> str:
        """Of the first output, without the batch: 55x55x96."""
        return "x".join("?" if side is None else str(side) for side in self.outputs[0].shape[1:])


def steps(model: keras.Model) -> list[Step]:
    """Every call of an operation once, after all that it reads.

    Raises UserError for a model that is code and no graph of layers.
    """
    if not getattr(model, "outputs", None):
        raise UserError(f"{model.name} is no graph of layers; give a functional or sequential Keras model")
    ordered: list[Step] = []
    seen: set[tuple[int, int]] = set()
    waiting = [(*_call(tensor), False) for tensor in reversed(model.outputs)]
    while waiting:
        operation, index, ready = waiting.pop()
        if (id(operation), index) in seen:
            continue
        node = operation._inbound_nodes[index]
        if ready:
            seen.add((id(operation), index))
            ordered.append(Step(operation, tuple(node.input_tensors), tuple(node.output_tensors)))
            continue
        waiting.append((operation, index, True))
        waiting += [(*_call(tensor), False) for tensor in reversed(node.input_tensors)]
    return ordered


def _call(tensor: Any) -> tuple[Any, int]:
    """The operation that made `tensor`, and which of its calls it was: a layer may be shared."""
    history = tensor._keras_history
    return history.operation, history.node_index


@dataclass
class Row:
    """One line of a drawing: a step and those that follow it with nothing else between."""

    steps: list[Step]

    @property
    def name(self) -> str:
        """The first layer's name without the ending that names its kind."""
        return self.steps[0].name.removesuffix("_conv").removesuffix("_depthwise")

    @property
    def text(self) -> str:
        """What the row computes, as `conv 3x3/2 64 norm relu`."""
        return " ".join(describe(step.operation) for step in self.steps)

    @property
    def shape(self) -> str:
        """Of the result."""
        return self.steps[-1].shape


def rows(model: keras.Model) -> list[Row]:
    """The steps, each norm and activation on the row of what it follows."""
    ordered = steps(model)
    readers: dict[int, int] = {}
    for step in ordered:
        for tensor in step.inputs:
            readers[id(tensor)] = readers.get(id(tensor), 0) + 1
    found: list[Row] = []
    of_result: dict[int, Row] = {}
    for step in ordered:
        before = of_result.get(id(step.inputs[0])) if step.inputs else None
        follows = isinstance(step.operation, FOLLOWERS) and before is not None and before.steps[0].inputs
        if follows and before is not None and readers[id(step.inputs[0])] == 1:
            row = before
            row.steps.append(step)
        else:
            row = Row([step])
            found.append(row)
        for tensor in step.outputs:
            of_result[id(tensor)] = row
    return found


def describe(operation: Any) -> str:
    """A layer in a few words: kernel, stride after a slash, filters, groups, activation."""
    if isinstance(operation, layers.Conv2D | layers.DepthwiseConv2D | layers.Conv2DTranspose):
        return _convolution(operation)
    if isinstance(operation, TableConv2D):
        side, stride = operation.kernel_size, operation.stride
        return f"conv {side}x{side}{_stride(stride)} {len(operation.table)} in {len(operation.links)} links"
    if isinstance(operation, layers.Dense):
        return _with_activation(operation, f"dense {operation.units}")
    if isinstance(operation, layers.MaxPooling2D | layers.AveragePooling2D):
        kind = "max" if isinstance(operation, layers.MaxPooling2D) else "average"
        height, width = operation.pool_size
        return f"{kind} {height}x{width}{_stride(operation.strides[0])}"
    if isinstance(operation, layers.Activation):
        return str(operation.activation.__name__)
    if isinstance(operation, layers.ReLU):
        return "relu" if operation.max_value is None else f"relu{operation.max_value:g}"
    if isinstance(operation, layers.LeakyReLU):
        return "leaky relu"
    if isinstance(operation, layers.ZeroPadding2D):
        (top, _), (left, _) = operation.padding
        return f"pad {top}" if top == left else f"pad {top}, {left}"
    if isinstance(operation, layers.Dropout):
        return f"dropout {operation.rate:g}"
    if isinstance(operation, LocalResponseNorm):
        return f"local response norm over {operation.depth}"
    kind = type(operation).__name__
    return WORDS.get(kind, kind.lower())


def _stride(stride: int) -> str:
    return "" if stride == 1 else f"/{stride}"


def _with_activation(layer: Any, text: str) -> str:
    activation = layer.activation.__name__
    return text if activation == "linear" else f"{text} {activation}"


def _convolution(layer: Any) -> str:
    height, width = layer.kernel_size
    text = f"{height}x{width}{_stride(layer.strides[0])}"
    if isinstance(layer, layers.DepthwiseConv2D):
        text = f"depthwise {text}"
    elif isinstance(layer, layers.Conv2DTranspose):
        text = f"transposed conv {text} {layer.filters}"
    else:
        groups = "" if layer.groups == 1 else f" in {layer.groups} groups"
        text = f"conv {text} {layer.filters}{groups}"
    return _with_activation(layer, text)
