"""Conversion gives an all-integer graph with fixed shapes that agrees with the float model, or refuses."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecore import artefact, golden
from edgecore.artefact import Artefact
from edgecore.converters import data, zoo
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]
SPEC = Preprocessing(width=32, height=32)
FACTS = Artefact(name="tiny", classes=("blue", "red"), input=SPEC.to_json())


@pytest.fixture(scope="module")
def source(colours: Path) -> data.Source:
    return data.open_source(colours / "train")


@pytest.fixture(scope="module")
def model(source: data.Source) -> Any:
    import keras

    from edgecore.converters.calibration import Calibration
    from edgecore.converters.samples import randomise

    keras.utils.set_random_seed(1)
    built = zoo.build("res_squeezenet_compact", 2, stem=16, width=16)
    inputs = np.stack(list(Calibration(source.balanced(40), SPEC)))
    randomise(built, inputs)
    # The nearest class mean over random features tells red from blue: a classifier without training.
    features = keras.Model(built.input, built.get_layer("average").output).predict_on_batch(inputs)
    means = features.reshape(2, 20, -1).mean(axis=1)
    factor = 8 / ((means[0] - means[1]) ** 2).sum()
    built.get_layer("classifier").set_weights([means.T * factor, -(means**2).sum(axis=1) * factor / 2])
    return built


@pytest.fixture(scope="module")
def converted(model: Any, source: data.Source) -> Any:
    from edgecore.converters.convert import convert

    return convert(model, FACTS, SPEC, source, 40)


def test_the_graph_is_integer_with_batch_one_and_unit_input(converted: tuple[bytes, Any]) -> None:
    from edgecore.converters.integer import check_integer
    from edgecore.converters.verification.host import PLAIN, HostModel

    flatbuffer = artefact.flatbuffer_of(converted[0])
    check_integer(flatbuffer)
    interpreter = HostModel(flatbuffer, PLAIN)._interpreter
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert source["dtype"] is target["dtype"] is np.int8
    assert source["shape"].tolist() == source["shape_signature"].tolist() == [1, 32, 32, 3]
    assert source["quantization"] == (pytest.approx(1 / 255), -128)
    assert target["quantization"] == (1 / 256, -128)
    names = {entry["op_name"] for entry in interpreter._get_ops_details()}
    assert names == {"CONV_2D", "CONCATENATION", "ADD", "MAX_POOL_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX"}


def test_convolutions_have_scales_per_channel_and_dense_layers_one(
    converted: tuple[bytes, Any],
) -> None:
    from edgecore.converters.verification.host import PLAIN, HostModel

    interpreter = HostModel(artefact.flatbuffer_of(converted[0]), PLAIN)._interpreter
    scales = [
        len(tensor["quantization_parameters"]["scales"])
        for tensor in interpreter.get_tensor_details()
        if tensor["dtype"] is np.int8 and len(tensor["shape"]) == 4 and tensor["shape"][0] > 1
    ]
    assert len(scales) == 30
    assert min(scales) == 16
    (dense,) = [
        tensor["quantization_parameters"]["scales"]
        for tensor in interpreter.get_tensor_details()
        if tensor["dtype"] is np.int8 and tensor["shape"].tolist() == [2, 16]
    ]
    assert len(dense) == 1


def test_int8_agrees_with_float(converted: tuple[bytes, Any]) -> None:
    agreement = converted[1]
    assert agreement.images == 40
    assert agreement.top1 >= 0.9
    assert 0 < agreement.largest_difference <= 1
    assert "40 images" in str(agreement)


def test_facts_travel_in_the_file(converted: tuple[bytes, Any], tmp_path: Path) -> None:
    from edgecore.converters.convert import with_accuracy, write

    path = tmp_path / "new" / "tiny.tflite"
    write(path, with_accuracy(converted[0], {"int8": 0.75}))
    facts = artefact.read(path)
    assert facts is not None
    assert facts.classes == ("blue", "red")
    assert Preprocessing.from_json(facts.input) == SPEC
    assert facts.accuracy == {"int8": 0.75}
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["tiny.tflite"]


def test_the_golden_output_is_the_references_and_the_engine_reproduces_it(
    converted: tuple[bytes, Any], tmp_path: Path
) -> None:
    from edgecore.converters.convert import golden_in_own_process, with_accuracy
    from edgecore.converters.verification.device import golden_of

    facts = artefact.parse(with_accuracy(converted[0], {"int8": 0.75}))
    assert facts is not None
    assert len(facts.golden) == golden.PICTURES * len(facts.classes)
    assert facts.golden == golden_of(artefact.flatbuffer_of(converted[0]), SPEC)
    path = tmp_path / "tiny.tflite"
    wrong = bytes(byte ^ 1 for byte in facts.golden)
    for output, same in ((facts.golden, True), (wrong, False), (b"", None)):
        path.write_bytes(artefact.append(converted[0], dataclasses.replace(facts, golden=output)))
        assert golden_in_own_process(path) is same
    path.write_bytes(b"")
    with pytest.raises(UserError, match=r"does not take .*is empty"):
        golden_in_own_process(path)


def test_flattening_leaves_no_shape_computation() -> None:
    from keras import Input, Model, layers

    from edgecore.converters.quantise import quantise
    from edgecore.converters.verification.host import PLAIN, HostModel

    inputs = Input((8, 8, 3))
    parts = [layers.Flatten()(layers.MaxPooling2D(size, 1)(inputs)) for size in (2, 3)]
    outputs = layers.Softmax()(layers.Dense(3)(layers.Concatenate()(parts)))
    images = np.random.default_rng(0).random((10, 8, 8, 3)).astype(np.float32)
    interpreter = HostModel(quantise(Model(inputs, outputs), iter(images)), PLAIN)._interpreter
    names = {entry["op_name"] for entry in interpreter._get_ops_details()}
    assert names == {"MAX_POOL_2D", "RESHAPE", "CONCATENATION", "FULLY_CONNECTED", "SOFTMAX"}


def test_an_operation_without_integer_form_is_refused() -> None:
    import keras
    from keras import Input, Model, layers

    from edgecore.converters.integer import check_integer
    from edgecore.converters.quantise import quantise

    inputs = Input((8, 8, 3))
    outputs = layers.Softmax()(layers.Dense(2)(layers.Flatten()(keras.ops.cos(inputs))))
    images = np.random.default_rng(0).random((4, 8, 8, 3)).astype(np.float32)
    with pytest.raises(UserError, match=r"no int8 form of layer .*Cos \(COS\).*--allow-float"):
        check_integer(quantise(Model(inputs, outputs), iter(images)))


def test_a_float_graph_is_not_taken_for_integer() -> None:
    from keras import Input, Model, layers

    from edgecore.converters.integer import check_integer
    from edgecore.converters.quantise import to_float

    with pytest.raises(UserError, match="float32 at its border"):
        inputs = Input((8, 8, 3))
        check_integer(to_float(Model(inputs, layers.Conv2D(2, 3)(inputs))))


def test_labels_that_do_not_fit_are_refused(model: Any, source: data.Source) -> None:
    from edgecore.converters.convert import convert

    three = dataclasses.replace(FACTS, classes=("a", "b", "c"))
    with pytest.raises(UserError, match=r"3 labels do not fit .*2 outputs"):
        convert(model, three, SPEC, source, 10)


@pytest.mark.parametrize(
    "spec",
    [
        Preprocessing(width=32, height=32, order="BGR", mean=(104.0, 117.0, 123.0), scale=(1.0, 1.0, 1.0)),
        Preprocessing(width=32, height=32, resize="crop", mean=(127.5,) * 3, scale=(1 / 127.5,) * 3),
    ],
)
def test_the_comparison_sees_the_devices_quantised_input(source: data.Source, spec: Preprocessing) -> None:
    from edgecore.converters.calibration import Calibration
    from edgecore.converters.convert import _quantised

    inputs = np.stack(list(Calibration(source.balanced(4), spec)))
    scale, zero_point = 1.1, 3
    for sample, stored in zip(inputs, _quantised(inputs, spec, scale, zero_point), strict=True):
        expected = np.clip(np.floor(sample / scale + 0.5) + zero_point, -128, 127)
        assert np.abs(stored - expected).max() <= 1  # ties and float32 aside, the same grid
        assert (stored == expected).mean() > 0.99


def test_a_folder_that_cannot_be_written_is_a_user_error(tmp_path: Path) -> None:
    from edgecore.converters.convert import write

    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match="cannot write"):
        write(tmp_path / "file" / "model.tflite", b"x")
