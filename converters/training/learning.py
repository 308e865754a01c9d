"""One step of learning and one of judging, each compiled once, and the optimizer that a recipe names."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from edgecore.converters.recipes.settings import Training

UNDECAYED = ["gamma", "beta", "bias"]

Images = NDArray[np.float32]
OneHot = NDArray[np.float32]


def optimizer_of(settings: Training) -> keras.optimizers.Optimizer:
    """SGD with momentum, or Adam, each with decoupled weight decay (arXiv:1711.05101) of the kernels."""
    decay = settings.weight_decay or None
    if settings.optimizer == "sgd":
        return keras.optimizers.SGD(
            settings.rate, momentum=settings.momentum, nesterov=settings.nesterov, weight_decay=decay
        )
    return keras.optimizers.Adam(settings.rate, weight_decay=decay)


class Learner:
    """A network with its optimizer; `variables` is all that a step changes.

    Args:
        model: images (batch, height, width, channels) in, softmax scores (batch, classes) out.
        class_weights: (classes,), what the loss of an image counts.
    """

    def __init__(self, model: keras.Model, settings: Training, class_weights: NDArray[np.float32]) -> None:
        self.model = model
        self.optimizer = optimizer_of(settings)
        self.optimizer.build(model.trainable_variables)
        if self.optimizer.weight_decay is not None:
            self.optimizer.exclude_from_weight_decay(var_names=UNDECAYED)
        self._loss = keras.losses.CategoricalCrossentropy(
            label_smoothing=settings.label_smoothing, reduction="none"
        )
        self._class_weights = tf.constant(class_weights)
        images = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)
        truth = tf.TensorSpec((None, model.output_shape[-1]), tf.float32)
        self._learn = tf.function(self._step, input_signature=[images, truth])
        self._judge = tf.function(self._scores, input_signature=[images, truth])

    @property
    def variables(self) -> list[Any]:
        """Weights, random states and the optimizer's variables, in a fixed order."""
        return [*self.model.variables, *self.optimizer.variables]

    def learn(self, images: Images, truth: OneHot, rate: float) -> tuple[float, int]:
        """One step at that rate: (mean loss, images recognised) before it."""
        self.optimizer.learning_rate = rate
        loss, hits = self._learn(images, truth)
        return float(loss), int(hits)

    def judge(self, images: Images, truth: OneHot) -> tuple[NDArray[np.float32], float]:
        """(scores (batch, classes), sum of the losses); nothing is changed."""
        scores, loss = self._judge(images, truth)
        return np.asarray(scores), float(loss)

    def _step(self, images: Any, truth: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            scores = self.model(images, training=True)
            weights = tf.linalg.matvec(truth, self._class_weights)
            loss = tf.reduce_mean(self._loss(truth, scores) * weights)
            whole = tf.add_n([loss, *self.model.losses])
        variables = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(whole, variables), variables)
        return whole, _hits(truth, scores)

    def _scores(self, images: Any, truth: Any) -> tuple[Any, Any]:
        scores = self.model(images, training=False)
        return scores, tf.reduce_sum(self._loss(truth, scores))


def _hits(truth: Any, scores: Any) -> Any:
    return tf.math.count_nonzero(tf.argmax(truth, axis=1) == tf.argmax(scores, axis=1))
