"""A small network that tells red from blue without training, in float and in int8."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecore import artefact
from edgecore.artefact import Artefact
from edgecore.converters import data
from edgecore.preprocess import Preprocessing

SPEC = Preprocessing(width=32, height=32)
CLASSES = ("blue", "red")


@dataclass
class Network:
    """A Keras model and the inputs (n, 32, 32, 3) that calibrate it; not to be changed."""

    keras: Any
    inputs: Any

    def copy(self) -> Network:
        """One to be changed."""
        import keras

        model = keras.models.clone_model(self.keras)
        model.set_weights(self.keras.get_weights())
        return Network(model, self.inputs)

    @cached_property
    def whole(self) -> bytes:
        from edgecore.converters.quantise import to_float

        return to_float(self.keras)

    @cached_property
    def int8(self) -> bytes:
        from edgecore.converters.quantise import quantise

        return quantise(self.keras, iter(self.inputs))

    def write(self, path: Path) -> Path:
        """The int8 .tflite with its tail."""
        path.write_bytes(artefact.append(self.int8, Artefact("tiny", CLASSES, SPEC.to_json())))
        return path


@pytest.fixture(scope="session")
def network(colours: Path, tensorflow: None) -> Network:
    import keras
    from keras import layers

    from edgecore.converters.convert import calibration_inputs

    keras.utils.set_random_seed(3)
    x = image = keras.Input((32, 32, 3), name="image")
    for number, width in enumerate((8, 12, 8), 1):
        x = layers.Conv2D(width, 3, 2, "same", activation="relu", name=f"conv{number}")(x)
    x = layers.Concatenate(name="both")([x, layers.Conv2D(8, 1, activation="relu", name="side")(x)])
    x = layers.GlobalAveragePooling2D(name="average")(x)
    model = keras.Model(image, layers.Dense(2, activation="softmax", name="classifier")(x), name="tiny")
    inputs = calibration_inputs(data.open_source(colours / "train"), SPEC, 40)
    # The nearest class mean over random features is a classifier.
    features = keras.Model(model.input, model.get_layer("average").output).predict_on_batch(inputs)
    means = features.reshape(2, 20, -1).mean(axis=1)
    factor = 8 / ((means[0] - means[1]) ** 2).sum()
    model.get_layer("classifier").set_weights([means.T * factor, -(means**2).sum(axis=1) * factor / 2])
    return Network(model, np.asarray(inputs))
