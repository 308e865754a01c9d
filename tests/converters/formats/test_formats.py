"""Keras files and SavedModel folders open as the same thing; what is no classifier of images is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecore.errors import UserError

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]


def small(size: int | None = 8, activation: str = "linear") -> Any:
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    image = keras.Input((size, size, 3))
    x = layers.Conv2D(4, 3, activation="relu", name="stem")(image)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(image, layers.Dense(2, activation=activation, name="classifier")(x), name="small")


def pixels(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).random((count, 8, 8, 3)).astype(np.float32)


def write(model: Any, folder: Path, form: str) -> Path:
    folder.mkdir(exist_ok=True)
    if form == "saved_model":
        model.export(folder / "small", verbose=False)
        return folder / "small"
    path = folder / f"small.{form}"
    model.save(path)
    return path


@pytest.mark.parametrize("form", ["keras", "h5", "saved_model"])
def test_every_format_gives_the_same_answers_float_and_int8(form: str, tmp_path: Path) -> None:
    from edgecore.converters.formats import open_network
    from edgecore.converters.quantise import quantise, to_float
    from edgecore.converters.verification.host import PLAIN, HostModel

    model = small()
    network = open_network(write(model, tmp_path, form))
    assert (network.name, network.input_shape, network.classes) == ("small", (8, 8, 3), 2)
    assert network.logits
    expected = model.predict(pixels(), verbose=0)
    np.testing.assert_allclose(network.predict(pixels()), expected, atol=1e-6)
    interpreter = HostModel(to_float(network), PLAIN)._interpreter
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels()[:1])
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(found, expected[:1], atol=1e-5)
    assert quantise(network, pixels()) == quantise(network, pixels())


@pytest.mark.parametrize("form", ["keras", "saved_model"])
@pytest.mark.parametrize("activation", ["linear", "softmax"])
def test_the_softmax_comes_and_goes(form: str, activation: str, tmp_path: Path) -> None:
    from edgecore.converters.formats import open_network

    model = small(activation=activation)
    network = open_network(write(model, tmp_path, form))
    sums = small().predict(pixels(), verbose=0)
    shares = np.exp(sums) / np.exp(sums).sum(axis=1, keepdims=True)
    assert network.logits == (activation == "linear")
    for kind, expected in (("logits", sums), ("softmax", shares)):
        changed = network.with_output(kind)
        assert changed.logits == (kind == "logits")
        assert (changed is network) == (changed.logits == network.logits)
        np.testing.assert_allclose(changed.predict(pixels()), expected, atol=1e-6)


def test_a_softmax_layer_of_its_own_is_dropped_too() -> None:
    import keras
    from keras import layers

    from edgecore.converters.formats import KerasNetwork

    model = small()
    for end in (layers.Softmax(name="scores"), layers.Activation("softmax")):
        network = KerasNetwork(keras.Model(model.input, end(model.output), name="small"))
        assert not network.logits
        bare = network.with_output("logits")
        assert bare.model.layers[-1].name == "classifier"
        np.testing.assert_allclose(bare.predict(pixels()), model.predict(pixels(), verbose=0), atol=1e-6)


@pytest.mark.parametrize("form", ["keras", "saved_model"])
def test_an_open_size_has_to_be_given(form: str, tmp_path: Path) -> None:
    from edgecore.converters.formats import open_network

    path = write(small(None), tmp_path, form)
    with pytest.raises(UserError, match=r"leaves the size of its input open: .* give --size HxW"):
        open_network(path)
    network = open_network(path, (8, 8))
    assert network.input_shape == (8, 8, 3)
    np.testing.assert_allclose(network.predict(pixels()), small().predict(pixels(), verbose=0), atol=1e-6)
    with pytest.raises(UserError, match="takes 8x8 images, not 9x9"):
        open_network(write(small(8), tmp_path / "fixed", form), (9, 9))


def test_a_network_that_cannot_have_another_size_says_so(tmp_path: Path) -> None:
    import keras
    from keras import layers

    from edgecore.converters.formats import open_network

    image = keras.Input((None, None, 3))
    tokens = layers.Reshape((16, 12))(image)
    model = keras.Model(image, layers.Dense(2)(layers.GlobalAveragePooling1D()(tokens)), name="fixed")
    with pytest.raises(UserError, match="cannot be built for an input of 9x9"):
        open_network(write(model, tmp_path, "keras"), (9, 9))


def several(outputs: bool) -> Any:
    import keras
    from keras import layers

    one, two = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    if outputs:
        flat = layers.Flatten()(one)
        return keras.Model(one, [layers.Dense(2)(flat), layers.Dense(3)(flat)])
    return keras.Model([one, two], layers.Dense(2)(layers.Flatten()(layers.Add()([one, two]))))


@pytest.mark.parametrize("form", ["keras", "saved_model"])
@pytest.mark.parametrize(
    ("outputs", "text"), [(True, "1 inputs and 2 outputs"), (False, "2 inputs and 1 outp")]
)
def test_several_inputs_or_outputs_are_refused(form: str, outputs: bool, text: str, tmp_path: Path) -> None:
    from edgecore.converters.formats import open_network

    with pytest.raises(UserError, match=text):
        open_network(write(several(outputs), tmp_path, form))


def shaped(shape: tuple[int, ...], pooled: bool = True) -> Any:
    import keras
    from keras import layers

    data = keras.Input(shape)
    return keras.Model(data, layers.Dense(2)(layers.Flatten()(data) if pooled else data))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: shaped((12,)), r"takes \(n, 12\), not one batch of images"),
        (lambda: shaped((8, 8, 4)), r"no input of 1 or 3 channels at the end: \(n, 8, 8, 4\)"),
        (lambda: shaped((8, 8, 3), pooled=False), r"gives \(n, 8, 8, 2\), not one score per class"),
    ],
)
def test_other_networks_are_refused(model: Any, message: str) -> None:
    from edgecore.converters.formats import KerasNetwork

    with pytest.raises(UserError, match=message):
        KerasNetwork(model())


def test_files_that_are_no_networks_are_refused(tmp_path: Path) -> None:
    from edgecore.converters.formats import open_network

    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "saved_model.pb").write_bytes(b"no")
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.keras").write_bytes(b"no")
    (tmp_path / "net.pt").write_bytes(b"no")
    for name, message in (
        ("missing.keras", "there is no model"),
        ("broken", "does not load as a SavedModel"),
        ("empty", r"folder without saved_model\.pb"),
        ("bad.keras", "does not load as a Keras model"),
        ("net.pt", r"in no format that can be converted; give a \.keras"),
    ):
        with pytest.raises(UserError, match=message):
            open_network(tmp_path / name)


def test_layers_are_known_by_the_tensors_of_the_converted_graph() -> None:
    from edgecore.converters.formats import KerasNetwork
    from edgecore.converters.quantise import to_float
    from edgecore.tflite.model_file import read_model_file

    network = KerasNetwork(small(activation="softmax"))
    graph = read_model_file(to_float(network)).main
    found = [network.layers_of(graph.tensors[operator.outputs[0]].name) for operator in graph.operators]
    assert found == [["stem"], ["average"], ["classifier"], ["classifier"]]
