"""A step of learning: what it minimises, what it leaves alone, and that its batch norms are Keras's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecore.converters import zoo
from edgecore.converters.recipes import Training

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]

CLASSES = 3


def learner(settings: Training, weights: tuple[float, ...] = (1, 1, 1)) -> Any:
    """A linear classifier of 2x2 grey images that starts with scores of 1/3 each."""
    import keras

    from edgecore.converters.training.learning import Learner

    inputs = keras.Input((2, 2, 1))
    scores = keras.layers.Dense(CLASSES, "softmax", kernel_initializer="zeros", name="scores")(
        keras.layers.Flatten()(inputs)
    )
    return Learner(keras.Model(inputs, scores), settings, np.array(weights, np.float32))


def batch(*classes: int) -> tuple[Any, Any]:
    """An image of ones for each class, and the one-hot classes."""
    return np.ones((len(classes), 2, 2, 1), np.float32), np.eye(CLASSES, dtype=np.float32)[list(classes)]


def test_sgd_steps_against_the_gradient_with_momentum() -> None:
    settings = Training(rate=0.1, momentum=0.5, nesterov=False, weight_decay=0.0)
    job = learner(settings)
    loss, hits = job.learn(*batch(1, 1), 0.1)
    assert (loss, hits) == (pytest.approx(np.log(3)), 0)
    bias = job.model.get_layer("scores").bias
    first = -0.1 * np.array([1 / 3, -2 / 3, 1 / 3])
    np.testing.assert_allclose(bias, first, rtol=1e-5)
    job.learn(*batch(1, 1), 0.0)  # only what the momentum carries on
    np.testing.assert_allclose(bias, 1.5 * first, rtol=1e-5)


def test_class_weights_scale_the_loss_also_of_blended_labels() -> None:
    job = learner(Training(weight_decay=0.0), (1, 4, 1))
    images, truth = batch(0, 1)
    assert job.learn(images, truth, 0.0)[0] == pytest.approx(np.log(3) * (1 + 4) / 2)
    assert job.learn(images, np.array([[0.5, 0.5, 0]] * 2, np.float32), 0.0)[0] == pytest.approx(
        np.log(3) * 2.5
    )


def test_judging_changes_nothing_and_sums_the_losses() -> None:
    job = learner(Training(), (1, 4, 1))
    before = [np.array(value) for value in job.variables]
    scores, loss = job.judge(*batch(0, 1, 2))
    np.testing.assert_allclose(scores, 1 / 3, rtol=1e-5)
    assert loss == pytest.approx(3 * np.log(3))
    for value, old in zip(job.variables, before, strict=True):
        np.testing.assert_array_equal(value, old)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_weight_decay_takes_from_kernels_alone(optimizer: str) -> None:
    import keras

    settings = Training(optimizer=optimizer, weight_decay=0.5, momentum=0.0)
    job = learner(settings)
    layer = job.model.get_layer("scores")
    layer.kernel.assign(np.ones(layer.kernel.shape))
    layer.bias.assign(np.ones(CLASSES))
    # Zero images give kernels no gradient, and labels equal to the scores none to the bias.
    images = np.zeros((2, 2, 2, 1), np.float32)
    job.learn(images, np.full((2, CLASSES), 1 / 3, np.float32), 0.1)
    np.testing.assert_allclose(layer.kernel, 0.95, rtol=1e-4)
    np.testing.assert_allclose(layer.bias, 1.0, rtol=1e-4)
    kind = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam, "adamw": keras.optimizers.Adam}
    assert type(job.optimizer) is kind[optimizer]


def test_dropout_is_drawn_anew_and_its_state_is_among_the_variables() -> None:
    import keras

    from edgecore.converters.training.learning import Learner

    inputs = keras.Input((2, 2, 1))
    x = keras.layers.Flatten()(keras.layers.Dropout(0.5)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(CLASSES, "softmax")(x))
    job = Learner(model, Training(), np.ones(CLASSES, np.float32))
    before = [np.array(value) for value in job.variables]
    images, truth = batch(*[0, 1, 2] * 8)
    first, second = job.learn(images, truth, 0.0)[0], job.learn(images, truth, 0.0)[0]
    assert first != second
    for variable, value in zip(job.variables, before, strict=True):
        variable.assign(value)
    assert job.learn(images, truth, 0.0)[0] == first


def test_the_fused_batch_norm_trains_as_keras_does() -> None:
    import keras

    from edgecore.converters.fused_norm import FusedBatchNormalization, with_fused_norms

    keras.utils.set_random_seed(3)
    plain = zoo.build("res_squeezenet_compact", 2, stem=8, width=8)
    fused = with_fused_norms(plain)
    assert sum(isinstance(layer, FusedBatchNormalization) for layer in fused.layers) > 20
    random = np.random.default_rng(0)
    x = random.random((8, 32, 32, 3)).astype(np.float32)
    y = np.eye(2, dtype=np.float32)[random.integers(0, 2, 8)]
    for model in (plain, fused):
        model.compile(
            optimizer=keras.optimizers.SGD(0.01), loss="categorical_crossentropy", jit_compile=False
        )
        model.train_on_batch(x, y)
    for expected, weight in zip(plain.get_weights(), fused.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=2e-2, atol=2e-4)
