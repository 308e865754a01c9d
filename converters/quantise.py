"""A float network becomes a full-integer .tflite: weights per channel, int8 in and out, batch fixed at 1."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.lite.python.convert import mlir_quantize

from edgecore.converters.formats import FloatNetwork
from edgecore.converters.formats.keras_network import keras_converter
from edgecore.converters.host import quiet, reason_of
from edgecore.errors import UserError

Representative = Callable[[], Iterator[list[np.ndarray]]]


def quantise(
    model: keras.Model | FloatNetwork, calibration: Iterable[np.ndarray], keep_float: Collection[str] = ()
) -> bytes:
    """The flatbuffer of `model` in int8.

    `calibration` yields float32 inputs of shape (height, width, channels) as the device's preprocessing
    makes them; their extremes become the quantisation ranges. `keep_float` names tensors of the float
    flatbuffer: the operations that make them stay in float, between a DEQUANTIZE and a QUANTIZE.

    Raises UserError if the converter gives up on an operation; one that it leaves in float is found by
    `integer.float_operations`.
    """
    converter = _converter(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample[None]] for sample in calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    # Per-channel scales of dense layers are young in TFLite: older runtimes refuse them.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    # Only the second half of a conversion, on its own, can be told what to leave in float.
    converter._experimental_calibrate_only = bool(keep_float)
    flatbuffer = _run(converter.convert, f"TensorFlow cannot convert {model.name} to int8")
    if not keep_float:
        return flatbuffer
    return _run(
        lambda: mlir_quantize(
            flatbuffer,
            input_data_type=tf.int8,
            output_data_type=tf.int8,
            denylisted_nodes=sorted(keep_float),
            disable_per_channel_for_dense_layers=True,
        ),
        f"TensorFlow cannot leave layers of {model.name} in float",
    )


def to_float(model: keras.Model | FloatNetwork) -> bytes:
    """The flatbuffer of `model` in float32, batch fixed at 1: what the quantised one is compared with."""
    return _run(_converter(model).convert, f"TensorFlow cannot convert {model.name}")


def _converter(model: keras.Model | FloatNetwork) -> Any:
    return model.converter() if isinstance(model, FloatNetwork) else keras_converter(model)


def _run(convert: Callable[[], Any], what: str) -> bytes:
    try:
        with quiet():
            return bytes(convert())
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{what}: {reason_of(error)}") from error
