"""Every layer of a .tflite: shape, parameters, multiply-accumulates, quantisation, and what runs it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from edgecore.network import Network
from edgecore.tflite.model_file import Operator, Subgraph, Tensor

# Operators whose constant inputs are learned; of all others they say shapes, axes or paddings.
WEIGHTED = frozenset(
    {"ADD", "BATCH_MATMUL", "CONV_2D", "DEPTHWISE_CONV_2D", "DIV", "FULLY_CONNECTED", "MUL", "PRELU", "SUB"}
    | {"TRANSPOSE_CONV", "CONV_3D", "LSTM", "SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM", "EMBEDDING_LOOKUP"}
)


@dataclass(frozen=True)
class Layer:
    """One operator. `runs` names the engine's step that runs it, or the interpreter."""

    index: int
    operator: str
    name: str
    shape: tuple[int, ...]
    parameters: int
    macs: int
    quantisation: str
    weights: str
    runs: str
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Its fields; the shape as a list."""
        return {**asdict(self), "shape": list(self.shape)}


def quantisation_of(tensor: Tensor) -> str:
    """Type and parameters, e.g. "int8 (q + 128) * 0.00392" or "int8 per channel"."""
    if not tensor.scales:
        return tensor.type
    if len(tensor.scales) > 1:
        return f"{tensor.type} per channel"
    zero_point = tensor.zero_points[0]
    shift = f"(q {'-' if zero_point > 0 else '+'} {abs(zero_point)})" if zero_point else "q"
    return f"{tensor.type} {shift} * {tensor.scales[0]:.4g}"


def macs_of(operator: Operator, graph: Subgraph) -> int:
    """Multiply-accumulates of one inference; 0 for an operator without weights.

    Padding counts as if it were data, as is usual.
    """
    tensors = graph.tensors
    output = tensors[operator.outputs[0]]
    if operator.name == "TRANSPOSE_CONV":  # inputs: output shape, weights (O, H, W, I), x
        weights, source = tensors[operator.inputs[1]], tensors[operator.inputs[2]]
        return source.elements * weights.elements // max(weights.shape[3], 1)
    if operator.name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL", "CONV_3D"):
        return 0
    weights = tensors[operator.inputs[1]]
    if operator.name == "CONV_2D":  # weights (O, H, W, I)
        return output.elements * weights.elements // max(weights.shape[0], 1)
    if operator.name == "DEPTHWISE_CONV_2D":  # weights (1, H, W, O)
        return output.elements * math.prod(weights.shape[1:3])
    if operator.name == "CONV_3D":  # weights (D, H, W, I, O)
        return output.elements * math.prod(weights.shape[:-1])
    return output.elements * tensors[operator.inputs[0]].shape[-1]


def _learned(operator: Operator, graph: Subgraph) -> list[int]:
    if operator.name not in WEIGHTED:
        return []
    return [index for index in operator.inputs if index >= 0 and graph.tensors[index].constant]


def layers_of(network: Network) -> list[Layer]:
    """The layers in the order in which they run. Weights that several share count at the first."""
    graph = network.file.main
    runs, reasons = _placement(network, len(graph.operators))
    seen: set[int] = set()
    layers = []
    for index, operator in enumerate(graph.operators):
        learned = [tensor for tensor in _learned(operator, graph) if tensor not in seen]
        seen.update(learned)
        output = graph.tensors[operator.outputs[0]]
        weights = max(
            (graph.tensors[tensor] for tensor in learned), key=lambda item: item.elements, default=None
        )
        layers.append(
            Layer(
                index=index,
                operator=operator.name,
                name=output.name,
                shape=output.shape,
                parameters=sum(graph.tensors[tensor].elements for tensor in learned),
                macs=macs_of(operator, graph),
                quantisation=quantisation_of(output),
                weights=quantisation_of(weights) if weights is not None else "",
                runs=runs[index],
                reason=reasons.get(index, ""),
            )
        )
    return layers


def _placement(network: Network, count: int) -> tuple[Sequence[str], dict[int, str]]:
    """What runs each operator, and why the engine left some to the interpreter."""
    delegate = network.delegate
    if delegate is None:
        return ["interpreter"] * count, {}
    reasons = delegate.refusals()
    # A claimed operator that no step names has been folded away, such as a reshape of bytes that stay put.
    runs = ["interpreter" if index in reasons else "engine, no work" for index in range(count)]
    number = 0
    for engine in network.engines():
        for step in engine.steps():
            for node in step.nodes:
                runs[node] = f"step {number} {step.name}"
            number += 1
    return runs, reasons
