"""Fine-tunes a network while it computes as its int8 form will (arXiv:1712.05877, section 3)."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
import numpy as np
from numpy.typing import NDArray

from edgecore.converters.data import Augmentation, Batches, Source, load, to_input
from edgecore.converters.qat.folding import fold
from edgecore.converters.qat.layers import FakeQuantise, Simulation, kernels, on_grid
from edgecore.converters.qat.ranges import Plan, insert, kind
from edgecore.converters.zoo.graph import steps
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing

PLAIN = Augmentation()


def fine_tune(
    model: keras.Model,
    source: Source,
    spec: Preprocessing,
    *,
    epochs: int,
    rate: float,
    batch: int,
    seed: int,
    augment: Augmentation = PLAIN,
    images: int = 300,
    learn_ranges: bool = True,
    notify: Callable[[str], None] = lambda line: None,
) -> keras.Model:
    """A network for `quantise`, trained for `epochs` on what int8 makes of its weights and activations.

    `model` is a classifier, a graph of layers that ends in a softmax or in logits, and stays as it is. Batch
    norms are folded with the statistics that they have. `images` of `source`, balanced over classes, give
    the activations' first ranges; training moves them, unless `learn_ranges` is off. Adam starts at `rate`
    and falls to 0 after a cosine. Classes of `source` must be in the order of the model's outputs.

    The result has its kernels on their int8 grids and its ranges in layers `FakeQuantise`, which `quantise`
    takes instead of calibrating; its answers are those of the int8 network but for the rounding of sums.
    Where the network has operations that are not simulated, which `notify` is told, the result is without
    ranges and `quantise` finds them by calibration. `notify` gets a line for each epoch as well.

    The same arguments give the same weights. Raises UserError if `model` is no such classifier, has nothing
    to quantise or is quantised already, if the images do not fit it or do not fill one batch, if an argument
    is out of range, or if training diverges.
    """
    _check(model, source, spec, epochs=epochs, rate=rate, batch=batch, images=images)
    batches = Batches(source, spec, augment, batch=batch, seed=seed)
    keras.utils.set_random_seed(seed)
    folded = fold(model)
    plan = Plan(folded, spec)
    quantised = insert(folded, plan)
    if not kernels(quantised):
        raise UserError(f"{model.name} has no convolution or dense layer to quantise; convert it as it is")
    if plan.unknown:
        notify(f"not simulated, ranges are left to calibration: {', '.join(dict.fromkeys(plan.unknown))}")
    calibrate(quantised, to_input(load(source.balanced(images), spec)[0], spec), batch)
    for layer in _ranges(quantised):
        layer.trainable = learn_ranges and not layer.fixed
    simulation = Simulation(keras.Model(quantised.input, _logits(quantised)))
    simulation.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, epochs * len(batches))),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    for epoch in range(epochs):
        simulation.reset_metrics()
        logs = {"loss": math.nan, "accuracy": math.nan}
        for x, y in batches.epoch(epoch):
            logs = simulation.train_on_batch(x, y, return_dict=True)
        loss, accuracy = float(logs["loss"]), float(logs["accuracy"])
        # Ranges clip what diverged weights give, so that the loss alone may look sound.
        if not all(np.isfinite(array).all() for array in (loss, *quantised.get_weights())):
            raise UserError(f"fine-tuning diverged in epoch {epoch + 1}; lower its rate of {rate:g}")
        notify(f"epoch {epoch + 1}/{epochs}: loss {loss:.4f}, accuracy {accuracy:.4f}")
    for kernel, channels in kernels(quantised):
        kernel.assign(on_grid(kernel, channels))
    return _without_ranges(quantised, folded) if plan.unknown else quantised


def calibrate(quantised: keras.Model, inputs: NDArray[np.float32], batch: int) -> None:
    """Sets every range that is not fixed to the extremes that the float network reaches on `inputs`."""
    for layer in _ranges(quantised):
        layer.watching = True
    for first in range(0, len(inputs), batch):
        quantised(inputs[first : first + batch])
    for layer in _ranges(quantised):
        layer.settle()


def _ranges(model: keras.Model) -> list[FakeQuantise]:
    return [layer for layer in model.layers if isinstance(layer, FakeQuantise)]


def _logits(quantised: keras.Model) -> keras.KerasTensor:
    """What the last softmax reads: a loss on rounded scores would have no gradient where one is 0."""
    makers = {id(step.outputs[0]): step for step in steps(quantised)}
    last = makers[id(quantised.outputs[0])]
    if isinstance(last.operation, FakeQuantise):
        last = makers[id(last.inputs[0])]
    return last.inputs[0] if kind(last.operation) == "softmax" else quantised.outputs[0]


def _without_ranges(quantised: keras.Model, folded: keras.Model) -> keras.Model:
    for layer in folded.layers:
        if layer.weights:
            layer.set_weights(quantised.get_layer(layer.name).get_weights())
    return folded


def _check(
    model: keras.Model,
    source: Source,
    spec: Preprocessing,
    *,
    epochs: int,
    rate: float,
    batch: int,
    images: int,
) -> None:
    for name, value in (("epochs", epochs), ("batch", batch), ("images", images), ("rate", rate)):
        if not value > 0 or not math.isfinite(value):
            raise UserError(f"quantisation-aware fine-tuning needs {name} above 0, got {value}")
    graph = steps(model)
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UserError(
            f"{model.name} has {len(model.inputs)} inputs and {len(model.outputs)} outputs, not one of each"
        )
    if kind(graph[-1].operation) == "sigmoid" or getattr(graph[-1].operation, "activation", None) is (
        keras.activations.sigmoid
    ):
        raise UserError(f"{model.name} ends in a sigmoid; fine-tuning needs a softmax or logits")
    if any(isinstance(step.operation, FakeQuantise) for step in graph):
        raise UserError(
            f"{model.name} is fake-quantised already; give the network from before its fine-tuning"
        )
    shape = (spec.height, spec.width, 1 if spec.order == "GREY" else 3)
    if model.input_shape[1:] != shape:
        raise UserError(f"{model.name} takes {model.input_shape[1:]}, the preprocessing makes {shape}")
    if len(model.output_shape) != 2 or model.output_shape[1] != len(source.classes):
        raise UserError(
            f"{model.name} gives {model.output_shape[1:]}, the data has {len(source.classes)} classes; "
            "give its own data"
        )
