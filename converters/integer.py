"""Whether a converted graph is all integer, and which layers are not."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from edgecore.converters.formats import FloatNetwork, KerasNetwork
from edgecore.errors import UserError
from edgecore.tflite.model_file import read_model_file

FLOATS = ("float16", "bfloat16", "float32", "float64")
# They stand where integers and floats meet.
BORDERS = ("QUANTIZE", "DEQUANTIZE")
MOST_NAMED = 5


@dataclass(frozen=True)
class FloatOperation:
    """An operation that computes in float: its kind, and the tensor that it makes."""

    operator: str
    tensor: str


def float_operations(flatbuffer: bytes) -> list[FloatOperation]:
    """The operations of a converted graph that take or give float, in order; empty if all is integer.

    Raises UserError if input or output are not int8.
    """
    graph = read_model_file(flatbuffer).main
    for index in (*graph.inputs, *graph.outputs):
        if graph.tensors[index].type != "int8":
            raise UserError(f"the converted model has {graph.tensors[index].type} at its border, not int8")
    return [
        FloatOperation(operator.name, graph.tensors[operator.outputs[0]].name)
        for operator in graph.operators
        if operator.name not in BORDERS
        and any(
            graph.tensors[index].type in FLOATS
            for index in (*operator.inputs, *operator.outputs)
            if index >= 0
        )
    ]


def check_integer(
    flatbuffer: bytes, network: FloatNetwork | None = None, allowed: Collection[str] = ()
) -> None:
    """UserError naming the layers whose operations are in float, or if input or output are not int8.

    Operations that make one of the tensors `allowed`, or that belong to the same layers, may be in float.
    """
    layers_of = network.layers_of if network is not None else lambda tensor: [tensor]
    free = {layer for tensor in allowed for layer in layers_of(tensor)}
    by_layer: dict[str, list[str]] = {}
    for operation in float_operations(flatbuffer):
        layers = layers_of(operation.tensor) or [operation.tensor]
        if not free.intersection(layers):
            operators = by_layer.setdefault(layers[0], [])
            if operation.operator not in operators:
                operators.append(operation.operator)
    if not by_layer:
        return
    named = [f"{layer} ({', '.join(operators)})" for layer, operators in by_layer.items()]
    if len(named) > MOST_NAMED:
        named[MOST_NAMED:] = [f"{len(named) - MOST_NAMED} more"]
    advice = next((text for layer in by_layer if network and (text := network.advice(layer))), "")
    raise UserError(
        f"TFLite has no int8 form of layer {', '.join(named)}; "
        f"{advice or 'replace what it computes'}, or leave it in float with --allow-float"
    )


def tensors_of(network: FloatNetwork, flatbuffer: bytes, layers: Iterable[str]) -> set[str]:
    """The tensors of a converted graph, float or not, that hold the work of the named layers.

    A layer that was fused into the next ones is found there. Raises UserError for an unknown layer, or one
    that computes nothing.
    """
    graph = read_model_file(flatbuffer).main
    made: dict[str, set[str]] = {}
    for operator in graph.operators:
        tensor = graph.tensors[operator.outputs[0]].name
        for layer in network.layers_of(tensor):
            made.setdefault(layer, set()).add(tensor)
    found: set[str] = set()
    for layer in layers:
        found |= _made_by(layer, network, made)
    return found


def _made_by(layer: str, network: FloatNetwork, made: dict[str, set[str]]) -> set[str]:
    after: Collection[str] = [layer]
    while after:
        for name in after:
            if name in made:
                return made[name]
        if not isinstance(network, KerasNetwork):
            break
        after = [follower for name in after for follower in network.followers(name)]
    raise UserError(
        f"{network.name} has no layer {layer} that computes anything; choose of {_some(sorted(made))}"
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (
        f" and {len(names) - MOST_NAMED} more" * (len(names) > MOST_NAMED)
    )
