"""Whether a tensor has its contents when an operator reads it, and whether the model ever ends.

Nodes stand in the order in which they run. TFLite finds most of this out only while it runs, and with a
delegate attached not before it has crashed.
"""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from edgecore.tflite.flatbuffer import FlatbufferError

if TYPE_CHECKING:
    from edgecore.tflite.model_file import Operator, Subgraph, Tensor

_CALLS = ("IF", "WHILE", "CALL_ONCE")


def check_dataflow(tensors: Sequence[Tensor], operators: Sequence[Operator], inputs: Sequence[int]) -> None:
    """Checks one subgraph.

    A tensor that an operator reads is a constant, an input of the subgraph, a variable, empty, or was written
    by an operator before; only tensors that are none of the first two are written, each by one operator.
    Raises FlatbufferError.
    """
    written: set[int] = set()
    for operator in operators:
        for index in operator.outputs:
            if index in written:
                raise FlatbufferError(f"two operators write the tensor {tensors[index].name!r}")
            if tensors[index].constant or index in inputs:
                kind = "constant" if tensors[index].constant else "input"
                raise FlatbufferError(f"a {operator.name} writes the {kind} {tensors[index].name!r}")
            written.add(index)
    ready = {*inputs, *(i for i, each in enumerate(tensors) if each.constant or each.variable)}
    for operator in operators:
        for position, index in enumerate(operator.inputs):
            if index < 0 or index in ready or not tensors[index].elements:
                continue
            if index in written:
                late = "that only a later operator writes"
            elif operator.name == "RESHAPE" and position == 1 and len(tensors[index].shape) != 1:
                continue  # TFLite does not read such a shape, but takes the options' one
            else:
                late = "that has no contents"
            raise FlatbufferError(f"a {operator.name} reads the tensor {tensors[index].name!r} {late}")
        ready.update(operator.outputs)


def check_calls(subgraphs: Sequence[Subgraph]) -> None:
    """Refuses a subgraph that runs itself, in which TFLite ends only with the stack.

    Raises FlatbufferError.
    """
    calls = {
        number: [each for node in graph.operators if node.name in _CALLS for each in node.options]
        for number, graph in enumerate(subgraphs)
    }
    try:
        TopologicalSorter(calls).prepare()
    except CycleError:
        raise FlatbufferError("a subgraph runs itself") from None
