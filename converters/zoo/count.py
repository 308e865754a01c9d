"""What a network costs, counted before it has any weights.

python -m edgecore.converters.zoo.count [NAME ...] > figures.csv
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import keras
from keras import layers

from edgecore.converters import zoo
from edgecore.converters.zoo.figures import Figures
from edgecore.converters.zoo.special import TableConv2D

CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D, TableConv2D)
WEIGHTED = (*CONVOLUTIONS, layers.Conv2DTranspose, layers.Dense)


def sketch(make: Callable[[], keras.Model]) -> keras.Model:
    """The model that `make` builds, without memory for its weights: only its layers and shapes are good.

    Keras keeps a list of variables that await their values, in the thread that made them, and would fill
    them all with the next layer that is built there. So this thread is one of its own, and ends here.
    """

    def build() -> keras.Model:
        with keras.StatelessScope(initialize_variables=False):
            return make()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(build).result()


def figures(model: keras.Model) -> Figures:
    """All of the model's figures; it may be a sketch."""
    as_float, as_int8 = file_bytes(model)
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    return Figures(model.count_params(), trainable, multiply_adds(model), as_float, as_int8)


def multiply_adds(model: keras.Model) -> int:
    """Multiplications with a weight in all convolutions and dense layers, for one image."""
    return sum(of_layer(layer) for layer in model.layers)


def of_layer(layer: keras.layers.Layer) -> int:
    """The layer's multiplications with a weight, as papers count them: those with padding too.

    0 where the size of the map is left open.
    """
    if isinstance(layer, layers.Dense):
        return math.prod(layer.kernel.shape)
    if isinstance(layer, layers.Conv2DTranspose):
        _, height, width, _ = layer.input.shape
    elif isinstance(layer, CONVOLUTIONS):
        _, height, width, _ = layer.output.shape
    else:
        return 0
    return 0 if None in (height, width) else math.prod(layer.kernel.shape) * height * width


# What a .tflite file holds per layer beside weights: its operator, and tensors with names and shapes.
LAYER_BYTES = 450


def file_bytes(model: keras.Model) -> tuple[int, int]:
    """About the bytes of the .tflite files, (float, int8), to a few percent.

    A batch norm behind a convolution becomes part of its weights; elsewhere it is a gain and an offset.
    Int8 has one byte per weight, and for each output channel four of bias and, except for dense layers, two
    times twelve of quantisation.
    """
    as_float = as_int8 = 0
    for layer in model.layers:
        as_float, as_int8 = as_float + LAYER_BYTES, as_int8 + LAYER_BYTES
        if isinstance(layer, WEIGHTED):
            weights, channels = math.prod(layer.kernel.shape), layer.output.shape[-1]
            as_float += 4 * (weights + channels)
            as_int8 += weights + (4 if isinstance(layer, layers.Dense) else 28) * channels
        elif isinstance(layer, layers.BatchNormalization) and _folds(layer):
            as_float, as_int8 = as_float - LAYER_BYTES, as_int8 - LAYER_BYTES
        else:
            vectors = 2 if isinstance(layer, layers.BatchNormalization) else len(layer.weights)
            size = vectors * layer.output.shape[-1] if layer.weights else 0
            as_float, as_int8 = as_float + 4 * size, as_int8 + size
    return as_float, as_int8


def _folds(norm: keras.layers.Layer) -> bool:
    producer = norm.input._keras_history.operation
    return isinstance(producer, WEIGHTED) and len(producer._outbound_nodes) == 1


def main(names: list[str]) -> int:
    """Prints figures.csv: one line for each of `names`, all by default."""
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["name", *Figures._fields])
    for name in names or zoo.names():
        model = sketch(partial(zoo.build, name))
        table.writerow([name, *figures(model)])
    return 0


if __name__ == "__main__":
    from edgecore.converters.host import require_tensorflow

    require_tensorflow()
    raise SystemExit(main(sys.argv[1:]))
