"""A Keras model becomes a full-integer .tflite: weights per channel, int8 in and out, batch fixed at 1."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import keras
import numpy as np
import tensorflow as tf

from edgecore.converters.host import quiet
from edgecore.errors import UserError


def quantise(model: keras.Model, calibration: Iterable[np.ndarray]) -> bytes:
    """The flatbuffer of `model` in int8.

    `calibration` yields float32 inputs of shape (height, width, channels) as the device's preprocessing
    makes them; their extremes become the quantisation ranges. Raises UserError if the converter gives
    up on an operation; one that it leaves in float is found by `convert.check_integer`.
    """
    return _convert(model, lambda: ([sample[None]] for sample in calibration))


def to_float(model: keras.Model) -> bytes:
    """The flatbuffer of `model` in float32, batch fixed at 1: what the quantised one is compared with."""
    return _convert(model, None)


def _convert(model: keras.Model, representative: Callable[[], Iterator[list[np.ndarray]]] | None) -> bytes:
    # A fixed batch lets the converter fold every shape computation away: no SHAPE, STRIDED_SLICE or PACK.
    inputs = keras.Input(batch_shape=(1, *model.input_shape[1:]), name="image")
    fixed = keras.models.clone_model(model, input_tensors=inputs)
    fixed.set_weights(model.get_weights())
    converter = tf.lite.TFLiteConverter.from_keras_model(fixed)
    if representative is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        # Per-channel scales of dense layers are young in TFLite: older runtimes refuse them.
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
    try:
        with quiet():
            return converter.convert()
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(f"TensorFlow cannot convert {model.name} to int8: {lines[0]}") from error
