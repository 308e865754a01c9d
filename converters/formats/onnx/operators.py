"""The table of ONNX's operators that have a translation, as far as classifiers of images use them.

Each function takes a node and gives the value of its output, or of all its outputs. Semantics:
https://onnx.ai/onnx/operators
"""

from __future__ import annotations

from keras import layers, ops

from edgecore.converters.formats.onnx import dense, elementwise, shapes, windows
from edgecore.converters.formats.onnx.node import Operator

OPERATORS: dict[str, Operator] = {
    "Abs": elementwise.function(ops.absolute),
    "Add": elementwise.binary(layers.Add, ops.add, keeps_positive=True),
    "AveragePool": windows.average_pool,
    "BatchNormalization": dense.batch_norm,
    "Cast": shapes.cast,
    "Clip": elementwise.clip,
    "Concat": shapes.concat,
    "Conv": windows.conv,
    "Div": elementwise.binary(None, ops.divide),
    "Dropout": shapes.as_it_is,
    "Elu": elementwise.activation("elu"),
    "Erf": elementwise.function(ops.erf),
    "Exp": elementwise.function(ops.exp),
    "Flatten": shapes.flatten,
    "Gelu": elementwise.gelu,
    "Gemm": dense.gemm,
    "GlobalAveragePool": windows.global_average,
    "GlobalMaxPool": windows.global_max,
    "HardSigmoid": elementwise.hard_sigmoid,
    "HardSwish": elementwise.activation("hard_silu"),
    "Identity": shapes.as_it_is,
    "LRN": dense.local_response_norm,
    "LayerNormalization": dense.layer_norm,
    "LeakyRelu": elementwise.leaky_relu,
    "MatMul": dense.matmul,
    "MaxPool": windows.max_pool,
    "Mul": elementwise.binary(layers.Multiply, ops.multiply, keeps_positive=True),
    "PRelu": elementwise.prelu,
    "Pad": windows.pad,
    "Pow": elementwise.power,
    "Reciprocal": elementwise.function(ops.reciprocal),
    "ReduceMean": shapes.reduce_mean,
    "Relu": elementwise.activation("relu", positive=True),
    "Reshape": shapes.reshape,
    "Sigmoid": elementwise.activation("sigmoid", positive=True),
    "Slice": shapes.slices,
    "Softmax": elementwise.softmax,
    "Softplus": elementwise.activation("softplus", positive=True),
    "Split": shapes.split,
    "Sqrt": elementwise.function(ops.sqrt),
    "Squeeze": shapes.squeeze,
    "Sub": elementwise.binary(layers.Subtract, ops.subtract),
    "Tanh": elementwise.activation("tanh"),
    "Transpose": shapes.transpose,
    "Unsqueeze": shapes.unsqueeze,
}
