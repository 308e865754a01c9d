"""TFLITE_METADATA as a reader by the schema's field numbers finds it, in a model that stays the same."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecore import artefact
from edgecore.artefact import Artefact
from edgecore.errors import UserError
from edgecore.model import bundled_model
from edgecore.network import Network
from edgecore.preprocess import Preprocessing
from edgecore.tflite.flatbuffer import Buffer, Table
from edgecore.tflite.model_file import read_model_file

FLATBUFFER = artefact.flatbuffer_of(bundled_model().read_bytes())
SPEC = Preprocessing(64, 48, mean=(127.5,), scale=(1 / 127.5,))
FACTS = Artefact("härter", ("a", "b", "c"), SPEC.to_json())


@pytest.fixture(scope="module")
def add(need_module: Callable[[str], None]) -> Callable[[bytes, Artefact], bytes]:
    need_module("flatbuffers")
    from edgecore.converters import metadata

    return metadata.add


Add = Callable[[bytes, Artefact], bytes]


def entry(model: bytes) -> bytes:
    """The content of the one entry TFLITE_METADATA."""
    root = Buffer(model).root(b"TFL3")
    (index,) = [item.scalar(1, "I") for item in root.tables(6) if item.string(0) == "TFLITE_METADATA"]
    start, size = list(root.tables(4))[index].span(0)
    assert start % 16 == 0
    return model[start : start + size]


def described(model: bytes) -> tuple[Table, Table, Table]:
    """ModelMetadata, and TensorMetadata of the input and the output."""
    root = Buffer(entry(model)).root(b"M001")
    (graph,) = root.tables(3)
    (source,), (target,) = graph.tables(2), graph.tables(3)
    return root, source, target


def test_labels_are_the_file_in_the_tail(add: Add) -> None:
    model = artefact.append(add(FLATBUFFER, FACTS), FACTS)
    root, _, scores = described(model)
    assert root.string(0) == "härter"
    assert root.string(7) == "1.0.0"
    (labels,) = scores.tables(6)
    assert labels.scalar(2, "b") == 2  # TENSOR_AXIS_LABELS
    with zipfile.ZipFile(io.BytesIO(model)) as tail:
        packed = tail.getinfo(labels.string(0))
        assert packed.compress_type == zipfile.ZIP_STORED
        assert tail.read(packed).decode().split() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("spec", "space", "means", "deviations"),
    [
        (SPEC, 1, (127.5,), (127.5,)),
        (Preprocessing(8, 8, order="GREY"), 2, (0.0,), (255.0,)),
        (
            Preprocessing(8, 8, order="BGR", mean=(104.0, 117.0, 123.0), scale=(0.5, 0.25, 1.0)),
            0,
            (104.0, 117.0, 123.0),
            (2.0, 4.0, 1.0),
        ),
    ],
)
def test_the_normalisation_is_that_of_the_preprocessing(
    add: Add, spec: Preprocessing, space: int, means: tuple[float, ...], deviations: tuple[float, ...]
) -> None:
    facts = dataclasses.replace(FACTS, input=spec.to_json())
    _, image, _ = described(add(FLATBUFFER, facts))
    content = image.table(3)
    assert content is not None
    assert content.scalar(0, "B") == 2  # ImageProperties
    properties = content.table(1)
    assert properties is not None
    assert properties.scalar(0, "b") == space
    size = properties.table(1)
    assert size is not None
    assert (size.scalar(0, "I"), size.scalar(1, "I")) == (spec.width, spec.height)
    (unit,) = image.tables(4)
    assert unit.scalar(0, "B") == 1  # NormalizationOptions
    options = unit.table(1)
    assert options is not None
    assert options.floats(0) == pytest.approx(means)
    assert options.floats(1) == pytest.approx(deviations)
    for pixel in (0.0, 255.0):
        here = (pixel - np.array(spec.mean)) * np.array(spec.scale)
        there = (pixel - np.array(options.floats(0))) / np.array(options.floats(1))
        np.testing.assert_allclose(np.broadcast_to(there, here.shape), here, rtol=1e-6)


def test_the_model_stays_as_it_was(add: Add) -> None:
    model = add(FLATBUFFER, FACTS)
    assert model == add(FLATBUFFER, FACTS)
    assert model.endswith(FLATBUFFER)
    before, after = read_model_file(FLATBUFFER), read_model_file(model)
    assert after == dataclasses.replace(
        before, metadata=(*before.metadata, "TFLITE_METADATA"), end=len(model)
    )
    starts = [
        [table.span(0) for table in Buffer(data).root(b"TFL3").tables(4)] for data in (FLATBUFFER, model)
    ]
    shift = len(model) - len(FLATBUFFER)
    assert shift % 64 == 0
    assert starts[1][:-1] == [(start + shift if start else 0, size) for start, size in starts[0]]


def test_interpreters_give_the_same_bytes(add: Add, runtime: Any, tmp_path: Path) -> None:
    outputs = []
    for data in (FLATBUFFER, artefact.append(add(FLATBUFFER, FACTS), FACTS)):
        model = runtime.Interpreter(
            model_content=data, experimental_op_resolver_type=runtime.OpResolverType.BUILTIN_REF
        )
        model.allocate_tensors()
        source, target = model.get_input_details()[0], model.get_output_details()[0]
        tensor = np.random.default_rng(0).integers(-128, 128, source["shape"]).astype(np.int8)
        model.set_tensor(source["index"], tensor)
        model.invoke()
        outputs.append(model.get_tensor(target["index"]))
    np.testing.assert_array_equal(outputs[0], outputs[1])


def test_the_engine_takes_it_whole_and_the_facts_belong_to_it(add: Add, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    facts = artefact.read(bundled_model())
    assert facts is not None
    path.write_bytes(artefact.append(add(FLATBUFFER, facts), facts))
    network = Network(path)
    assert network.artefact is not None
    assert network.labels == facts.classes
    assert network.delegate is not None
    assert network.delegate.claimed_nodes == network.delegate.total_nodes
    from edgecore.golden import reproduced

    assert reproduced(network) is True


def test_an_older_entry_is_replaced(add: Add) -> None:
    first = add(FLATBUFFER, dataclasses.replace(FACTS, name="first"))
    second = add(first, FACTS)
    assert described(second)[0].string(0) == "härter"
    assert read_model_file(second).metadata == read_model_file(first).metadata


def test_a_damaged_model_is_refused(add: Add) -> None:
    with pytest.raises(UserError, match="damaged"):
        add(FLATBUFFER[: len(FLATBUFFER) // 2], FACTS)


@pytest.mark.host
def test_tensorflows_own_reader_finds_everything(add: Add, tensorflow: None) -> None:
    from tensorflow.lite.python import schema_py_generated as schema

    before = schema.ModelT.InitFromPackedBuf(FLATBUFFER, 0)
    after = schema.ModelT.InitFromPackedBuf(add(FLATBUFFER, FACTS), 0)
    assert after.version == before.version == 3
    assert after.description == before.description
    assert [code.builtinCode for code in after.operatorCodes] == [
        code.builtinCode for code in before.operatorCodes
    ]
    assert len(after.buffers) == len(before.buffers) + 1
    for old, new in zip(before.buffers, after.buffers, strict=False):
        np.testing.assert_array_equal(old.data, new.data)
    last = after.metadata[-1]
    assert last.name == b"TFLITE_METADATA"
    assert bytes(after.buffers[last.buffer].data)[4:8] == b"M001"
