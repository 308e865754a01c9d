"""Layers stay in float where they are told to or allowed to, and are named where they are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecore.errors import UserError

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]


@pytest.fixture(scope="module")
def network() -> Any:
    import keras
    from keras import layers

    from edgecore.converters.formats import KerasNetwork
    from edgecore.converters.zoo.special import LocalResponseNorm

    keras.utils.set_random_seed(5)
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, use_bias=False, name="first")(image)
    x = layers.BatchNormalization(name="first_norm")(x)
    x = layers.ReLU(name="first_relu")(x)
    x = LocalResponseNorm(name="response")(x)
    x = layers.Conv2D(8, 3, name="second")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    scores = layers.Softmax(name="scores")(layers.Dense(2, name="classifier")(x))
    return KerasNetwork(keras.Model(image, scores, name="net"))


def pixels() -> np.ndarray:
    return np.random.default_rng(0).random((4, 8, 8, 3)).astype(np.float32)


def float_layers(network: Any, flatbuffer: bytes) -> set[str]:
    from edgecore.converters.integer import float_operations

    return {network.layers_of(operation.tensor)[0] for operation in float_operations(flatbuffer)}


def test_a_layer_without_int8_form_is_named_with_a_way_out(network: Any) -> None:
    from edgecore.converters.integer import check_integer
    from edgecore.converters.quantise import quantise

    flatbuffer = quantise(network, pixels())
    assert float_layers(network, flatbuffer) == {"response"}
    message = (
        r"no int8 form of layer response \(SQUARE, POW\); put a batch norm .* alexnet_bn .*--allow-float"
    )
    with pytest.raises(UserError, match=message):
        check_integer(flatbuffer, network)


@pytest.mark.parametrize("layers", [["second"], ["first", "scores"], ["first_norm"]])
def test_named_layers_stay_in_float_and_the_rest_does_not(network: Any, layers: list[str]) -> None:
    from edgecore.converters.integer import check_integer, tensors_of
    from edgecore.converters.quantise import quantise, to_float

    kept = tensors_of(network, to_float(network), layers)
    flatbuffer = quantise(network, pixels(), kept)
    with pytest.raises(UserError, match=r"of layer response \(SQUARE, POW\); put"):  # and of no other
        check_integer(flatbuffer, network, kept)
    found = float_layers(network, flatbuffer)
    assert found == {"response"} | {"first" if layer == "first_norm" else layer for layer in layers}


def test_a_layer_that_is_not_there_is_refused(network: Any) -> None:
    from edgecore.converters.integer import tensors_of
    from edgecore.converters.quantise import to_float

    with pytest.raises(UserError, match="net has no layer third"):
        tensors_of(network, to_float(network), ["third"])


def test_naming_nothing_is_the_usual_conversion(network: Any) -> None:
    from edgecore.converters.quantise import quantise

    assert quantise(network, pixels()) == quantise(network, list(pixels()), set())


def test_the_engine_leaves_the_float_layers_to_the_interpreter(network: Any, tmp_path: Path) -> None:
    import json
    import subprocess
    import sys

    from edgecore.converters.quantise import quantise

    path = tmp_path / "mixed.tflite"
    path.write_bytes(quantise(network, pixels()))
    command = [sys.executable, "-m", "edgecore.cli", "inspect", str(path), "--json"]
    facts = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    left = {layer["operator"] for layer in facts["layers"] if layer["runs"] == "interpreter"}
    assert {"SQUARE", "POW"} <= left
    assert not {"CONV_2D", "FULLY_CONNECTED", "SOFTMAX", "MEAN"} & left
