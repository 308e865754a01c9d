"""Networks of quantised tensors, built node by node and run once: the operators' way into the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypedDict

import numpy as np

from edgecore.kernels.cpu import selected_isa
from edgecore.kernels.graph import Graph, Step
from edgecore.kernels.layers import Convolution, DepthwiseConvolution, Window
from edgecore.kernels.tensors import QTensor, Quantization, integer


class RunOptions(TypedDict, total=False):
    """How an operator runs.

    threads: 1 (the default) or more; 0 takes every core. isa: a tier's name; None takes $EDGECORE_ISA or the
    best one. fuse: False runs one step per node. steps: a list that receives the engine's steps with their
    times.
    The bytes are the same for all of them.
    """

    threads: int
    isa: str | None
    fuse: bool
    steps: list[Step]


class Value(NamedTuple):
    """A tensor of a network under construction."""

    number: int
    shape: tuple[int, ...]
    quantization: Quantization
    dtype: str


class Network:
    """Collects tensors and nodes; `run` compiles them, runs them once and returns the result.

    Arguments come checked (`tensors.activation_tensor`, `layers`); what a method still checks, it names.
    """

    def __init__(self) -> None:
        self._graph = Graph()
        self._inputs: list[tuple[int, QTensor]] = []

    def input(self, tensor: QTensor, name: str) -> Value:
        value = self._activation(tensor.shape, tensor.quantization, tensor.data.dtype.name, name)
        self._inputs.append((value.number, tensor))
        return value

    def node(
        self,
        kind: str,
        inputs: Sequence[int | None],
        shape: tuple[int, ...],
        quantization: Quantization,
        dtype: str = "int8",
        **parameters: Any,
    ) -> Value:
        """Adds a node and its output tensor."""
        output = self._activation(shape, quantization, dtype, kind)
        self._graph.node(kind, inputs, output.number, **parameters)
        return output

    def convolve(self, x: Value, layer: Convolution, name: str) -> Value:
        """`name` is the layer's argument, for error texts."""
        layer.check_input(x.shape[3], name)
        (height, width), padding = layer.window.over(x.shape)
        depthwise = isinstance(layer, DepthwiseConvolution)
        return self.node(
            "depthwise_conv_2d" if depthwise else "conv_2d",
            [x.number, *self.weights(layer.weights, layer.bias, x.quantization)],
            (1, height, width, layer.channels),
            layer.output,
            stride=layer.window.stride,
            dilation=layer.window.dilation,
            padding=padding,
            activation=layer.activation,
            depth_multiplier=layer.channels // x.shape[3] if depthwise else 1,
        )

    def weights(self, weights: QTensor, bias: np.ndarray | None, x: Quantization) -> tuple[int, int | None]:
        """Adds constant weights and a bias in units of input scale * weight scale; returns their numbers."""
        scales = weights.quantization.scales
        points = [weights.quantization.zero_point] * len(scales)
        number = self._graph.tensor(weights.shape, "int8", scales, points, weights.data, "weights")
        if bias is None:
            return number, None
        products = np.asarray(scales, np.float32) * np.float32(x.scales[0])
        return number, self._graph.tensor(
            bias.shape, "int32", products.tolist(), [0] * len(scales), bias, "bias"
        )

    def pool(self, kind: str, x: Value, window: Window, activation: str = "none") -> Value:
        (height, width), padding = window.over(x.shape)
        return self.node(
            kind,
            [x.number],
            (1, height, width, x.shape[3]),
            x.quantization,
            stride=window.stride,
            window=window.size,
            padding=padding,
            activation=activation,
        )

    def add(self, a: Value, b: Value, output: Quantization, activation: str) -> Value:
        return self.node("add", [a.number, b.number], _broadcast(a, b), output, activation=activation)

    def multiply(self, a: Value, b: Value, output: Quantization, activation: str) -> Value:
        return self.node("mul", [a.number, b.number], _broadcast(a, b), output, activation=activation)

    def concatenate(self, values: Sequence[Value], axis: int) -> Value:
        """`axis` counts from 0; shapes and quantisation agree."""
        shape = list(values[0].shape)
        shape[axis] = sum(value.shape[axis] for value in values)
        numbers = [value.number for value in values]
        return self.node("concatenation", numbers, tuple(shape), values[0].quantization, axis=axis)

    def flatten(self, x: Value) -> Value:
        return self.node("reshape", [x.number], (1, int(np.prod(x.shape))), x.quantization)

    def run(self, output: Value, options: RunOptions) -> QTensor:
        """Compiles the network, runs it on its inputs' data and returns the output."""
        threads = integer(options.get("threads", 1), "threads", 0, 1024)
        isa = options.get("isa")
        if isa is not None:
            if not isinstance(isa, str):
                raise ValueError(f"isa: {isa!r} is not a string")
            selected_isa(isa)
        self._graph.set_io([number for number, _ in self._inputs], [output.number])
        engine = self._graph.compile(threads, isa, options.get("fuse", True))
        steps = options.get("steps")
        engine.set_profiling(steps is not None)
        data = np.empty(output.shape, output.dtype)
        engine.run([tensor.data for _, tensor in self._inputs], [data])
        if steps is not None:
            steps.extend(engine.steps())
        return QTensor(data, output.quantization)

    def _activation(self, shape: tuple[int, ...], quantization: Quantization, dtype: str, name: str) -> Value:
        number = self._graph.tensor(shape, dtype, quantization.scales, [quantization.zero_point], None, name)
        return Value(number, shape, quantization, dtype)


def _broadcast(a: Value, b: Value) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ValueError(f"b: the shape {b.shape} does not fit a's {a.shape}") from None
