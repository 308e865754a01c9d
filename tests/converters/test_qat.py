"""Fine-tuning simulates what the int8 network computes, trains through it, and hands its ranges on."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecore.artefact import Artefact
from edgecore.converters import data
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]
SPEC = Preprocessing(width=16, height=16)
FACTS = Artefact(name="tiny", classes=("blue", "red"), input=SPEC.to_json())
SHORT: dict[str, Any] = {"epochs": 1, "rate": 1e-3, "batch": 8, "seed": 4}


def network(*, softmax: bool = True, seed: int = 1) -> Any:
    """A bypass, branches, pools and a dense layer, with every fusion that the converter knows."""
    import keras
    from keras import layers

    from edgecore.converters.zoo.blocks import conv_bn, depthwise_bn, fire_bn

    keras.utils.set_random_seed(seed)
    inputs = keras.Input((16, 16, 3), name="image")
    x = conv_bn(inputs, 8, 3, stride=2, name="stem")
    x = layers.Add(name="sum")([x, depthwise_bn(x, activation=None, name="deep")])
    x = layers.ReLU(name="sum_relu")(x)
    x = layers.MaxPooling2D(2, name="pool")(fire_bn(x, 4, 6, name="fire"))
    x = layers.Dropout(0.5, name="drop")(layers.GlobalAveragePooling2D(name="average")(x))
    x = layers.Dense(2, name="classifier")(x)
    return keras.Model(inputs, layers.Softmax(name="scores")(x) if softmax else x, name="tiny")


@pytest.fixture(scope="module")
def source(colours: Path) -> data.Source:
    return data.open_source(colours / "train")


@pytest.fixture(scope="module")
def inputs(source: data.Source) -> np.ndarray:
    from edgecore.converters.calibration import Calibration

    return np.stack(list(Calibration(source.balanced(40), SPEC)))


@pytest.fixture(scope="module")
def model(inputs: np.ndarray) -> Any:
    return randomised(network(), inputs)


def randomised(model: Any, inputs: np.ndarray) -> Any:
    """The model with statistics of `inputs`, and a classifier that does not blow rounding errors up."""
    from edgecore.converters.samples import randomise

    kernel, bias = model.get_layer("classifier").get_weights()
    randomise(model, inputs)
    model.get_layer("classifier").set_weights([kernel, bias])
    return model


@pytest.fixture(scope="module")
def tuned(model: Any, source: data.Source) -> Any:
    from edgecore.converters.qat import fine_tune

    return fine_tune(model, source, SPEC, **SHORT)


def calibrated(model: Any, inputs: np.ndarray) -> Any:
    """The network that is fine-tuned, before its first step."""
    from edgecore.converters.qat.folding import fold
    from edgecore.converters.qat.ranges import Plan, insert
    from edgecore.converters.qat.training import calibrate

    folded = fold(model)
    quantised = insert(folded, Plan(folded, SPEC))
    calibrate(quantised, inputs, 8)
    return quantised


def ranges(model: Any) -> dict[str, tuple[float, float]]:
    from edgecore.converters.qat.layers import FakeQuantise

    found = [layer for layer in model.layers if isinstance(layer, FakeQuantise)]
    return {layer.name: (float(layer.below), float(layer.above)) for layer in found}


def int8_steps(flatbuffer: bytes, inputs: np.ndarray) -> tuple[np.ndarray, float, int]:
    """(stored outputs of the reference kernels as int64, output scale, output zero point)."""
    from edgecore.converters.verification.host import HostModel

    interpreter = HostModel(flatbuffer, "BUILTIN_REF")._interpreter
    (entry,), (end,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero_point = entry["quantization"]
    stored = np.clip(np.rint(inputs / scale) + zero_point, -128, 127).astype(np.int8)
    outputs = []
    for image in stored:
        interpreter.set_tensor(entry["index"], image[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(end["index"])[0].astype(np.int64))
    return np.array(outputs), *end["quantization"]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_simulation_is_the_int8_networks_arithmetic(
    seed: int, inputs: np.ndarray, source: data.Source
) -> None:
    from edgecore.converters.qat import fine_tune
    from edgecore.converters.quantise import quantise

    plain = randomised(network(softmax=False, seed=seed), inputs)
    tuned = fine_tune(plain, source, SPEC, **{**SHORT, "rate": 1e-6})
    stored, scale, zero_point = int8_steps(quantise(tuned, iter(inputs)), inputs)
    simulated = tuned.predict(inputs, verbose=0) / scale + zero_point
    np.testing.assert_allclose(simulated, np.rint(simulated), atol=1e-3)
    # Kernels round the multiplier of each sum, so that a value in a hundred is another step in each layer.
    difference = np.abs(stored - simulated)
    assert difference.max() < 2.01
    assert difference.mean() < 0.75
    assert np.ptp(stored) > 100


def test_the_converter_takes_every_range_and_no_calibration(tuned: Any, inputs: np.ndarray) -> None:
    from edgecore.converters.integer import check_integer
    from edgecore.converters.quantise import quantise
    from edgecore.converters.verification.host import PLAIN, HostModel

    flatbuffer = quantise(tuned, iter(inputs))
    assert quantise(tuned, iter(3 * inputs - 1)) == flatbuffer
    check_integer(flatbuffer)
    interpreter = HostModel(flatbuffer, PLAIN)._interpreter
    names = {entry["op_name"] for entry in interpreter._get_ops_details()}
    assert names == {
        *("CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "CONCATENATION", "MAX_POOL_2D", "MEAN"),
        *("FULLY_CONNECTED", "SOFTMAX"),
    }
    scales = [tensor["quantization"][0] for tensor in interpreter.get_tensor_details()]
    for below, above in ranges(tuned).values():
        assert min(abs(scale * 255 / (below + above) - 1) for scale in scales) < 1e-5
    (entry,), (end,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert entry["quantization"] == (pytest.approx(1 / 255), -128)
    assert end["quantization"] == (1 / 256, -128)


def test_the_engine_runs_all_of_it_to_the_references_bytes(
    tuned: Any, source: data.Source, tmp_path: Path
) -> None:
    from edgecore.converters.convert import convert, write

    path = tmp_path / "tiny.tflite"
    flatbuffer, agreement = convert(tuned, FACTS, SPEC, source, 20)
    write(path, flatbuffer)
    # The tuned network is the int8 one already: their scores differ by a step of the softmax or a few.
    assert agreement.largest_difference < 0.1
    command = [sys.executable, "-m", "edgecore.cli", "inspect", str(path), "--json"]
    facts = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert facts["golden"] == {"reproduced": True}
    assert facts["engine_nodes"] == facts["nodes"]


def test_the_same_arguments_give_the_same_weights_and_the_model_stays(
    model: Any, source: data.Source
) -> None:
    from edgecore.converters.qat import fine_tune

    before = model.get_weights()
    first, again = (fine_tune(model, source, SPEC, **SHORT).get_weights() for _ in range(2))
    other = fine_tune(model, source, SPEC, **{**SHORT, "seed": 5}).get_weights()
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert any((one != two).any() for one, two in zip(first, other, strict=True))
    for one, two in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_saved_network_is_the_same_when_loaded(tuned: Any, inputs: np.ndarray, tmp_path: Path) -> None:
    from edgecore.converters.keras_model import load

    tuned.save(tmp_path / "tuned.keras")
    loaded = load(tmp_path / "tuned.keras")
    np.testing.assert_array_equal(loaded.predict(inputs, verbose=0), tuned.predict(inputs, verbose=0))
    assert ranges(loaded) == ranges(tuned)


def test_ranges_move_only_when_they_are_learned(model: Any, source: data.Source) -> None:
    from edgecore.converters.qat import fine_tune

    start = ranges(calibrated(model, data.to_input(data.load(source.balanced(20), SPEC)[0], SPEC)))
    settings = {**SHORT, "images": 20}
    assert ranges(fine_tune(model, source, SPEC, learn_ranges=False, **settings)) == start
    learned = ranges(fine_tune(model, source, SPEC, **settings))
    assert learned["image_range"] == start["image_range"] == (0.0, 1.0)
    assert learned["scores_range"] == start["scores_range"] == (0.0, 255 / 256)
    moved = [name for name in start if learned[name] != start[name]]
    assert "stem_relu_range" in moved


def test_gradients_reach_kernels_biases_and_ranges(model: Any, inputs: np.ndarray) -> None:
    import tensorflow as tf

    from edgecore.converters.qat.layers import FakeQuantise, Simulation

    quantised = calibrated(model, inputs)
    for layer in quantised.layers:
        if isinstance(layer, FakeQuantise) and not layer.fixed:
            layer.above.assign(layer.above * 0.7)
    simulation = Simulation(quantised)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(simulation(inputs)[:, 0])
    variables = [variable for variable in simulation.trainable_variables if variable.name != "below"]
    gradients = tape.gradient(loss, [variable.value for variable in variables])
    assert len(gradients) == 6 * 2 + 7
    for variable, gradient in zip(variables, gradients, strict=True):
        assert gradient is not None, variable.path
        # A range whose input is clipped before may hold all of it: the first one cannot.
        if variable.name != "above" or variable.path.startswith("stem"):
            assert np.abs(gradient).max() > 0, variable.path


def test_kernels_are_rounded_per_channel_and_gradients_pass_through() -> None:
    import tensorflow as tf

    from edgecore.converters.qat.layers import on_grid

    kernel = np.random.default_rng(3).normal(size=(3, 3, 4, 5)).astype(np.float32)
    kernel *= 10.0 ** np.arange(-2, 3)
    kernel[..., 2] = 0
    scale = np.abs(kernel).max(axis=(0, 1, 2)) / 127
    expected = np.rint(kernel / np.where(scale, scale, 1)) * scale
    variable = tf.Variable(kernel)
    with tf.GradientTape() as tape:
        rounded = on_grid(variable, (3,))
        loss = tf.reduce_sum(rounded * rounded)
    np.testing.assert_allclose(rounded, expected, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(tape.gradient(loss, variable), 2 * rounded, rtol=1e-5)


@pytest.mark.parametrize(("below", "above"), [(0.0, 6.0), (1.3, 2.1), (0.004, 1.0), (0.7, 0.0)])
def test_a_range_is_the_grid_that_tflite_makes_of_it(below: float, above: float) -> None:
    from edgecore.converters.qat.layers import FakeQuantise

    values = np.linspace(-2 * below - 1, 2 * above + 1, 1003, dtype=np.float32)
    scale = (above + below) / 255
    zero_point = round(below / scale) - 128
    expected = (np.clip(np.floor(values / scale + 0.5) + zero_point, -128, 127) - zero_point) * scale
    found = np.asarray(FakeQuantise(below, above)(values))
    near_a_tie = np.abs(values / scale % 1 - 0.5) < 1e-3
    np.testing.assert_allclose(found[~near_a_tie], expected[~near_a_tie], atol=1e-5)
    assert 0.0 in FakeQuantise(below, above)(np.zeros(1, np.float32))


def test_folding_keeps_the_answers(inputs: np.ndarray) -> None:
    import keras
    from keras import layers

    from edgecore.converters.qat.folding import fold

    keras.utils.set_random_seed(2)
    image = keras.Input((16, 16, 3))
    x = layers.BatchNormalization(scale=False, name="first")(image)
    x = layers.Conv2D(6, 3, name="biased")(x)
    x = layers.BatchNormalization(center=False)(x)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False)(x)
    x = layers.BatchNormalization()(layers.Dropout(0.2)(x))
    x = layers.Activation("silu")(x)
    x = layers.BatchNormalization(name="after_activation")(x)
    x = layers.Conv2DTranspose(5, 3, strides=2)(x)
    x = layers.Activation("hard_sigmoid")(layers.BatchNormalization()(x))
    shared = layers.Conv2D(5, 1, activation="relu")
    x = layers.Concatenate()([shared(x), shared(x[:, ::-1])])
    x = layers.BatchNormalization()(layers.Dense(4)(layers.Flatten()(x)))
    model = keras.Model(image, layers.Dense(2, activation="softmax")(layers.Activation("tanh")(x)))
    random = np.random.default_rng(1)
    for variable in model.weights:
        low = 0.5 if "variance" in variable.path or "gamma" in variable.path else -0.5
        variable.assign(random.uniform(low, 1.0, variable.shape))
    folded = fold(model)
    kinds = {type(layer).__name__ for layer in folded.layers}
    assert not kinds & {"BatchNormalization", "Dropout"}
    assert type(folded.get_layer("after_activation")) is layers.DepthwiseConv2D
    expected = model.predict(inputs, verbose=0)
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(folded.predict(inputs, verbose=0), expected, atol=1e-4)


def test_what_is_not_simulated_is_named_and_left_to_calibration(
    source: data.Source, inputs: np.ndarray
) -> None:
    import keras
    from keras import layers

    from edgecore.converters.convert import check_integer
    from edgecore.converters.qat import fine_tune
    from edgecore.converters.quantise import quantise
    from edgecore.converters.zoo.special import ChannelNorm

    image = keras.Input((16, 16, 3))
    x = ChannelNorm(name="own_norm")(layers.Conv2D(4, 3, strides=4, name="patches")(image))
    model = keras.Model(image, layers.Dense(2, activation="softmax")(layers.Flatten()(x)))
    lines: list[str] = []
    tuned = fine_tune(model, source, SPEC, notify=lines.append, **SHORT)
    assert "own_norm" in lines[0]
    assert "patches" not in lines[0]
    assert not ranges(tuned)
    assert (tuned.get_layer("patches").kernel != model.get_layer("patches").kernel).numpy().any()
    check_integer(quantise(tuned, iter(inputs)))


def test_branches_that_are_joined_share_a_range(tuned: Any) -> None:
    names = ranges(tuned)
    assert len([name for name in names if name.startswith("fire_expand") or "concat" in name]) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs above 0, got 0"),
        ({"rate": math.inf}, "rate above 0"),
        ({"rate": -1.0}, "rate above 0"),
        ({"batch": 0}, "batch above 0"),
        ({"batch": 81}, "do not fill a batch of 81"),
        ({"images": 0}, "images above 0"),
        ({"rate": 1e38, "epochs": 2}, "diverged in epoch"),
    ],
)
def test_arguments_out_of_range_are_refused(
    model: Any, source: data.Source, changes: dict[str, Any], message: str
) -> None:
    from edgecore.converters.qat import fine_tune

    with pytest.raises(UserError, match=message):
        fine_tune(model, source, SPEC, **{**SHORT, **changes})


def test_models_that_cannot_be_tuned_are_refused(model: Any, tuned: Any, source: data.Source) -> None:
    import keras
    from keras import layers

    from edgecore.converters.qat import fine_tune

    def refused(network: Any, message: str, spec: Preprocessing = SPEC) -> None:
        with pytest.raises(UserError, match=message):
            fine_tune(network, source, spec, **SHORT)

    image = keras.Input((16, 16, 3))
    pooled = layers.GlobalAveragePooling2D()(image)
    refused(tuned, "fake-quantised already")
    refused(keras.Model(image, layers.Softmax()(pooled[:, :2])), "nothing to quantise|no convolution")
    refused(keras.Model(image, layers.Dense(3)(pooled)), r"gives \(3,\), the data has 2 classes")
    refused(keras.Model(image, layers.Conv2D(2, 1)(image)), "the data has 2 classes")
    refused(keras.Model(image, layers.Dense(2, activation="sigmoid")(pooled)), "softmax or logits")
    refused(keras.Model(image, [layers.Dense(2)(pooled), pooled]), "1 inputs and 2 outputs")
    refused(model, r"takes \(16, 16, 3\), the preprocessing makes \(20, 16, 3\)", Preprocessing(16, 20))
