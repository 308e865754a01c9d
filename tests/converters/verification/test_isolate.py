"""An isolated graph computes operator by operator what the connected one does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecore.tflite.model_file import read_model_file

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]


def test_operators_fed_with_the_graphs_own_tensors_give_its_tensors(network: Any) -> None:
    from edgecore.converters.verification.host import PLAIN, HostModel
    from edgecore.converters.verification.isolate import isolated

    flatbuffer = network.int8
    graph = read_model_file(flatbuffer).main
    image = np.random.default_rng(0).integers(-128, 128, (1, 32, 32, 3)).astype(np.int8)
    connected = HostModel(flatbuffer, PLAIN, keep=True)
    connected.run(image)
    alone, stand_ins = isolated(flatbuffer)
    model = HostModel(alone, PLAIN)
    model.set(graph.inputs[0], image)
    written = {index for operator in graph.operators for index in operator.outputs}
    assert set(stand_ins) == written - set(graph.outputs)
    for index, stand_in in stand_ins.items():
        model.set(stand_in, connected.get(index))
    model.run()
    for index in written:
        np.testing.assert_array_equal(model.get(index), connected.get(index))


def test_an_operator_hears_nothing_of_the_one_before_it(network: Any) -> None:
    from edgecore.converters.verification.host import PLAIN, HostModel
    from edgecore.converters.verification.isolate import isolated

    flatbuffer = network.int8
    graph = read_model_file(flatbuffer).main
    alone, stand_ins = isolated(flatbuffer)
    model = HostModel(alone, PLAIN)
    for index in (*graph.inputs, *stand_ins.values()):
        shape = next(details["shape"] for details in model.inputs if details["index"] == index)
        model.set(index, np.zeros(shape, np.int8))
    model.run()
    second = graph.operators[1].outputs[0]
    before = model.get(second)
    model.set(graph.inputs[0], np.full((1, 32, 32, 3), 127, np.int8))
    model.run()
    np.testing.assert_array_equal(model.get(second), before)
