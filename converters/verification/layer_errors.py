"""Which layers lose most by quantisation: each int8 tensor against the float one of the same name.

TensorFlow's own QuantizationDebugger wants a model converted by its older quantiser, so it would judge
another file than the one that is delivered. Here both flatbuffers run as they are, and each layer is judged
twice: as it comes, with all errors of the layers before it, and alone, both sides fed with the same quantised
inputs, as the debugger does it (https://www.tensorflow.org/lite/performance/quantization_debugger).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgecore.converters.verification.host import PLAIN, HostModel
from edgecore.converters.verification.isolate import isolated
from edgecore.converters.verification.naming import layer_name
from edgecore.converters.verification.result import LayerError
from edgecore.tflite.model_file import Subgraph, Tensor, read_model_file

Pair = tuple[NDArray[np.float32], NDArray[Any]]


def layer_errors(whole: bytes, converted: bytes, inputs: Iterable[Pair]) -> tuple[LayerError, ...]:
    """The layers of `converted`, worst first.

    Args:
        whole: the float flatbuffer of the same network.
        converted: the quantised one.
        inputs: the two models' inputs for each of a few images, with the batch axis.
    """
    probe = _Probe(whole, converted)
    for real, stored in inputs:
        probe.run(real, stored)
    return tuple(sorted(map(probe.error_of, probe.judged), key=lambda layer: (-layer.noise, layer.node)))


class _Noise:
    """Sums of a signal and of what another deviates from it, per channel, the last axis."""

    def __init__(self) -> None:
        self.signal: Any = 0.0
        self.error: Any = 0.0

    def add(self, true: NDArray[Any], found: NDArray[Any]) -> None:
        true = true.astype(np.float64)
        axes = tuple(range(true.ndim - 1))
        self.signal = self.signal + (true**2).sum(axis=axes)
        self.error = self.error + ((found - true) ** 2).sum(axis=axes)

    def share(self, by_channel: bool) -> float:
        """rms error / rms signal; with `by_channel` of each one by itself, and then averaged as power.

        One loud channel must not hide that the others have drowned. Channels that are always 0 do not count,
        and none counts above 1.
        """
        signal, error = np.atleast_1d(self.signal), np.atleast_1d(self.error)
        if not by_channel:
            signal, error = signal.sum(keepdims=True), error.sum(keepdims=True)
        alive = signal > 0
        if not alive.any():
            return 0.0
        return float(np.sqrt(np.minimum(1.0, error[alive] / signal[alive]).mean()))


class _Probe:
    """Both models, each connected and isolated, and what was seen of every tensor."""

    def __init__(self, whole: bytes, converted: bytes) -> None:
        self._graph = read_model_file(converted).main
        self._partner = _partners(read_model_file(whole).main, self._graph)
        self._whole = HostModel(whole, PLAIN, keep=True)
        self._converted = HostModel(converted, PLAIN, keep=True)
        alone, self._given = isolated(converted)
        whole_alone, self._whole_given = isolated(whole)
        self._alone, self._whole_alone = HostModel(alone, PLAIN), HostModel(whole_alone, PLAIN)
        self.judged = [
            node
            for node, operator in enumerate(self._graph.operators)
            if operator.outputs[0] in self._partner and self._graph.tensors[operator.outputs[0]].scales
        ]
        self._own = {node: _Noise() for node in self.judged}
        self._all = {node: _Noise() for node in self.judged}
        self._clipped = dict.fromkeys(self.judged, 0)
        self._lowest = dict.fromkeys(self.judged, math.inf)
        self._highest = dict.fromkeys(self.judged, -math.inf)
        self._values = dict.fromkeys(self.judged, 0)

    def run(self, real: NDArray[np.float32], stored: NDArray[Any]) -> None:
        """One image."""
        self._whole.run(real)
        self._converted.run(stored)
        self._feed(real, stored)
        self._alone.run()
        self._whole_alone.run()
        for node in self.judged:
            self._judge(node)

    def _feed(self, real: NDArray[np.float32], stored: NDArray[Any]) -> None:
        """Gives both isolated models the float model's tensors, as far as integers can hold them."""
        source = self._graph.tensors[self._graph.inputs[0]]
        self._alone.set(self._graph.inputs[0], stored)
        self._whole_alone.set(self._whole.inputs[0]["index"], _real(stored, source))
        for index, stand_in in self._whole_given.items():
            self._whole_alone.set(stand_in, self._whole.get(index))
        for index, stand_in in self._given.items():
            if index not in self._partner:
                self._alone.set(stand_in, self._converted.get(index))
                continue
            tensor, partner = self._graph.tensors[index], self._partner[index]
            held = _stored(self._whole.get(partner), tensor)
            self._alone.set(stand_in, held)
            if partner in self._whole_given:
                self._whole_alone.set(self._whole_given[partner], _real(held, tensor))

    def _judge(self, node: int) -> None:
        index = self._graph.operators[node].outputs[0]
        tensor, partner = self._graph.tensors[index], self._partner[index]
        true, found = self._whole.get(partner), self._converted.get(index)
        self._all[node].add(true, _real(found, tensor))
        self._own[node].add(self._whole_alone.get(partner), _real(self._alone.get(index), tensor))
        low, high = _limits(tensor)
        half = tensor.scales[0] / 2
        self._clipped[node] += int(((true < low - half) | (true > high + half)).sum())
        self._values[node] += true.size
        self._lowest[node] = min(self._lowest[node], float(found.min()))
        self._highest[node] = max(self._highest[node], float(found.max()))

    def error_of(self, node: int) -> LayerError:
        """What all images said of one operator."""
        operator = self._graph.operators[node]
        tensor = self._graph.tensors[operator.outputs[0]]
        levels = np.iinfo(tensor.type)
        by_channel = operator.name != "SOFTMAX"  # of whose channels, the classes, only the likely ones matter
        return LayerError(
            node=node,
            operator=operator.name,
            layer=layer_name(tensor.name, operator.name),
            tensor=tensor.name,
            shape=tensor.shape,
            noise=self._own[node].share(by_channel),
            arrived=self._all[node].share(by_channel),
            clipped=self._clipped[node] / max(1, self._values[node]),
            used=(self._highest[node] - self._lowest[node] + 1) / (levels.max - levels.min + 1),
        )


def _partners(whole: Subgraph, converted: Subgraph) -> dict[int, int]:
    """{tensor of the converted graph: the float one of the same name and shape}; outputs go by position."""
    named = {whole.tensors[index].name: index for operator in whole.operators for index in operator.outputs}
    pairs = {
        index: named[converted.tensors[index].name]
        for operator in converted.operators
        for index in operator.outputs
        if converted.tensors[index].name in named
    }
    pairs.update(zip(converted.outputs, whole.outputs, strict=True))
    return {
        index: partner
        for index, partner in pairs.items()
        if converted.tensors[index].shape == whole.tensors[partner].shape
        and whole.tensors[partner].type == "float32"
    }


def _limits(tensor: Tensor) -> tuple[float, float]:
    """The lowest and the highest value that the tensor can hold."""
    levels, scale, zero_point = np.iinfo(tensor.type), tensor.scales[0], tensor.zero_points[0]
    return (levels.min - zero_point) * scale, (levels.max - zero_point) * scale


def _real(stored: NDArray[Any], tensor: Tensor) -> NDArray[np.float32]:
    if not tensor.scales:
        return stored.astype(np.float32)
    return ((stored.astype(np.float32) - tensor.zero_points[0]) * np.float32(tensor.scales[0])).astype(
        np.float32
    )


def _stored(real: NDArray[Any], tensor: Tensor) -> NDArray[Any]:
    if not tensor.scales:
        return real.astype(tensor.type)
    levels = np.iinfo(tensor.type)
    steps = np.rint(real / tensor.scales[0]) + tensor.zero_points[0]
    return np.clip(steps, levels.min, levels.max).astype(tensor.type)
