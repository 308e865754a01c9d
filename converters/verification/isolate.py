"""Every operator of a graph by itself: fed from outside, deaf to what the others compute."""

from __future__ import annotations

import copy

import flatbuffers
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema


def isolated(flatbuffer: bytes) -> tuple[bytes, dict[int, int]]:
    """(the same operators unconnected, {tensor: the input that stands in for it where it is read}).

    Each tensor that one operator writes and another reads becomes two: what is written is an output of the
    new graph, what is read an input of the same type and quantisation. Tensors keep their indices; the inputs
    for them come behind.
    """
    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    graph = model.subgraphs[0]
    written = [index for operator in graph.operators for index in operator.outputs]
    known = set(written)
    stand_ins: dict[int, int] = {}
    for operator in graph.operators:
        for index in operator.inputs:
            if index in known and index not in stand_ins:
                stand_in = copy.copy(graph.tensors[index])
                stand_in.name = f"given {len(graph.tensors)}".encode()
                stand_ins[index] = len(graph.tensors)
                graph.tensors.append(stand_in)
        operator.inputs = np.array([stand_ins.get(index, index) for index in operator.inputs], np.int32)
    graph.inputs = np.array([*graph.inputs, *stand_ins.values()], np.int32)
    graph.outputs = np.array(written, np.int32)
    model.signatureDefs = None
    builder = flatbuffers.Builder(len(flatbuffer) + 1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output()), stand_ins
