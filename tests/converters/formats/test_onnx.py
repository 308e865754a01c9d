"""ONNX files give in Keras what ONNX's own reference gives, whatever the order of axes inside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecore.errors import UserError

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]
onnx_files = pytest.importorskip("onnx_files", reason="the Python package onnx is not installed")
Graph = onnx_files.Graph


def images(graph: Any, count: int = 3) -> np.ndarray:
    shape = [int(side) if isinstance(side, int) else 8 for side in graph.shape[1:]]
    return np.random.default_rng(1).normal(size=(count, *shape)).astype(np.float32)


def check(graph: Any, path: Path, **options: Any) -> Any:
    """The network of the file, after its answers were compared with the reference's."""
    from edgecore.converters.formats import open_network

    file = graph.save(path / "net.onnx", **options)
    given = images(graph)
    network = open_network(file)
    found = network.predict(given.transpose(0, 2, 3, 1))
    np.testing.assert_allclose(found, onnx_files.answers(file, given), rtol=1e-4, atol=1e-5)
    return network


def test_a_residual_network_keeps_layer_names_and_needs_no_transposition(tmp_path: Path) -> None:
    from edgecore.converters.quantise import to_float
    from edgecore.tflite.model_file import read_model_file

    graph = Graph()
    graph.conv(3, 6, pads=[1, 1, 1, 1], strides=[2, 2])
    short = graph.add("Relu")
    graph.conv(6, 6, pads=[1, 1, 1, 1])
    graph.add("BatchNormalization", graph.last, *(graph.constant(values) for values in np.eye(4, 6) + 0.5))
    graph.add("Add", short, graph.last)
    graph.add("Relu")
    graph.head(6)
    network = check(graph, tmp_path)
    assert network.logits
    assert network.name == "net"
    assert "block_Conv_0" in {layer.name for layer in network.model.layers}
    kinds = [operator.name for operator in read_model_file(to_float(network)).main.operators]
    assert kinds == ["PAD", "CONV_2D", "CONV_2D", "ADD", "MEAN", "FULLY_CONNECTED"]


def test_a_dense_layer_on_a_flattened_map_gets_its_rows_in_another_order(tmp_path: Path) -> None:
    from edgecore.converters.quantise import to_float
    from edgecore.tflite.model_file import read_model_file

    graph = Graph()
    graph.conv(3, 5, pads=[1, 1, 1, 1])
    graph.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    graph.add("Flatten")
    graph.add("Gemm", graph.last, graph.weights(7, 80), graph.weights(7), transB=1)
    graph.add("Relu")
    graph.add("MatMul", graph.last, graph.weights(7, 4))
    graph.add("Add", graph.last, graph.weights(4))
    graph.add("Softmax", axis=1)
    network = check(graph, tmp_path)
    assert not network.logits
    kinds = [operator.name for operator in read_model_file(to_float(network)).main.operators]
    assert "TRANSPOSE" not in kinds


def shuffle(graph: Any) -> None:
    graph.conv(3, 6, 1)
    first = graph.add("Split", graph.last, axis=1, outputs=2)
    second = graph.nodes[-1].output[1]
    graph.add("Concat", second, first, axis=1)
    graph.add("Reshape", graph.last, graph.integers(1, 2, 3, 8, 8))
    graph.add("Transpose", perm=[0, 2, 1, 3, 4])
    graph.add("Reshape", graph.last, graph.integers(1, -1, 8, 8))
    graph.add("Slice", graph.last, graph.integers(1), graph.integers(5), graph.integers(1))
    graph.conv(4, 5)
    graph.head(5)


def excite(graph: Any) -> None:
    wide = graph.conv(3, 6, 1)
    graph.add("GlobalAveragePool")
    graph.conv(6, 2, 1)
    graph.add("Relu")
    graph.conv(2, 6, 1)
    gain = graph.add("HardSigmoid", alpha=1 / 6)
    graph.add("Mul", gain, wide)
    graph.add("HardSwish")
    graph.head(6)


def norm_last(graph: Any) -> None:
    graph.conv(3, 6, 2, strides=[2, 2])
    short = graph.last
    graph.add("Transpose", perm=[0, 2, 3, 1])
    graph.add("LayerNormalization", graph.last, graph.weights(6), graph.weights(6), axis=-1, epsilon=1e-6)
    graph.add("MatMul", graph.last, graph.weights(6, 12))
    x = graph.add("Add", graph.weights(12), graph.last)
    graph.add("Div", x, graph.constant(2**0.5))
    graph.add("Erf")
    graph.add("Add", graph.last, graph.constant(1))
    graph.add("Mul", x, graph.last)
    graph.add("Mul", graph.last, graph.constant(0.5))
    graph.add("MatMul", graph.last, graph.weights(12, 6))
    graph.add("Transpose", perm=[0, 3, 1, 2])
    graph.add("Mul", graph.weights(6, 1, 1), graph.last)
    graph.add("Add", graph.last, short)
    graph.add("ReduceMean", axes=[2, 3], keepdims=0)
    graph.add("Gemm", graph.last, graph.weights(6, 4), graph.weights(4), alpha=0.5, beta=2.0)


def gelu_of_half(graph: Any) -> None:
    x = graph.conv(3, 4, 1)
    graph.add("Mul", graph.constant(0.5**0.5), x)
    graph.add("Erf")
    gain = graph.add("Add", graph.constant(1), graph.last)
    graph.add("Mul", x, graph.constant(0.5))
    graph.add("Mul", gain, graph.last)
    graph.head(4)


@pytest.mark.parametrize("build", [norm_last, gelu_of_half], ids=lambda build: build.__name__)
def test_a_gelu_in_pieces_becomes_one_that_tflite_has(build: Callable[[Any], None], tmp_path: Path) -> None:
    from edgecore.converters.integer import check_integer
    from edgecore.converters.quantise import quantise
    from edgecore.tflite.model_file import read_model_file

    graph = Graph()
    build(graph)
    network = check(graph, tmp_path, output=("n", 4))
    flatbuffer = quantise(network, images(graph).transpose(0, 2, 3, 1))
    check_integer(flatbuffer, network)
    assert "GELU" in {operator.name for operator in read_model_file(flatbuffer).main.operators}


def pad_last(graph: Any) -> None:
    """A border, and two channels of zeros, where TensorFlow's exporter keeps the channels last."""
    graph.conv(3, 4, 1)
    graph.add("Transpose", perm=[0, 2, 3, 1])
    graph.add("Pad", graph.last, graph.integers(0, 1, 2, 0, 0, 3, 0, 0))
    graph.add("Pad", graph.last, graph.integers(0, 0, 0, 0, 0, 0, 0, 2))
    graph.add("Relu")  # TensorFlow on a CPU may take such a pad for one of a convolution's borders
    graph.add("Transpose", perm=[0, 3, 1, 2])
    graph.conv(6, 5, 3)
    graph.head(5)


def open_reshape(graph: Any) -> None:
    """The flattening that PyTorch writes for a batch of any size."""
    graph.shape[0] = "batch"
    x = graph.conv(3, 4)
    graph.add("Shape")
    graph.add("Gather", graph.last, graph.constant(0, np.int64), axis=0)
    graph.add("Unsqueeze", graph.last, graph.integers(0))
    shape = graph.add("Concat", graph.last, graph.integers(-1), axis=0)
    graph.add("Reshape", x, shape)
    graph.add("Gemm", graph.last, graph.weights(144, 4))


def depthwise(graph: Any) -> None:
    graph.conv(3, 6, 3, group=3, pads=[1, 1, 1, 1], strides=[2, 2])
    graph.add("Clip", graph.last, graph.constant(0), graph.constant(6))
    graph.conv(6, 6, 3, group=2, dilations=[2, 2], pads=[2, 2, 2, 2])
    graph.add("LeakyRelu", alpha=0.2)
    graph.add("PRelu", graph.last, graph.weights(6, 1, 1))
    graph.add("Sigmoid")
    graph.head(6)


def pools(graph: Any) -> None:
    """Borders that hold the largest value, odd ends, and averages with and without their border."""
    x = graph.conv(3, 4, 1)
    parts = [graph.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])]
    parts.append(
        graph.add(
            "AveragePool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1
        )
    )
    positive = graph.add("Relu", x)
    parts.append(graph.add("MaxPool", positive, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1))
    parts.append(graph.add("MaxPool", positive, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1))
    graph.add("AveragePool", x, kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
    parts.append(graph.add("AveragePool", graph.last, kernel_shape=[2, 2], strides=[2, 2]))
    graph.add("Concat", *parts, axis=1)
    graph.head(20)


def arithmetic(graph: Any) -> None:
    x = graph.conv(3, 4, 1)
    graph.add("Sub", graph.constant(1), x)
    graph.add("Abs")
    graph.add("Add", graph.last, graph.constant(0.5))
    root = graph.add("Sqrt")
    graph.add("Pow", x, graph.constant(2))
    graph.add("Div", graph.last, root)
    graph.add("Tanh")
    graph.add("Pad", graph.last, graph.integers(0, 0, 1, 0, 0, 0, 0, 2))
    graph.add("Clip", graph.last, graph.constant(-0.5), graph.constant(0.25))
    graph.add("Elu")
    mean = graph.add("ReduceMean", graph.last, axes=[1], keepdims=1)
    graph.add("Sub", graph.nodes[-2].output[0], mean)
    graph.add("GlobalMaxPool")
    graph.add("Squeeze", graph.last, graph.integers(2, 3))
    graph.add("Identity")
    graph.add("Gemm", graph.last, graph.weights(4, 4))


@pytest.mark.parametrize(
    "build",
    [shuffle, excite, norm_last, pad_last, open_reshape, depthwise, pools, arithmetic],
    ids=lambda build: build.__name__,
)
def test_answers_are_the_references(build: Callable[[Any], None], tmp_path: Path) -> None:
    graph = Graph()
    build(graph)
    check(graph, tmp_path, output=("n", 4))


def test_local_response_norm_sums_over_neighbouring_channels(tmp_path: Path) -> None:
    """Against the definition: the reference of onnx 1.23 sums over other channels than onnxruntime does."""
    from edgecore.converters.formats import open_network

    graph = Graph(size=1)
    graph.shape[1] = 3
    graph.add("LRN", size=3, alpha=0.3, beta=0.6, bias=1.5)
    graph.add("Flatten")
    given = 3 * np.random.default_rng(1).normal(size=(2, 1, 1, 3)).astype(np.float32)
    squares = np.pad(given**2, ((0, 0), (0, 0), (0, 0), (1, 1)))
    near = squares[..., :-2] + squares[..., 1:-1] + squares[..., 2:]
    found = open_network(graph.save(tmp_path / "net.onnx", output=(1, 3))).predict(given)
    np.testing.assert_allclose(found, (given / (1.5 + 0.1 * near) ** 0.6)[:, 0, 0], rtol=1e-5)


def test_an_odd_image_and_channels_last_are_taken_too(tmp_path: Path) -> None:
    graph = Graph(size=9)
    graph.conv(3, 4, auto_pad="SAME_LOWER", strides=[2, 2])
    graph.add("Relu")
    graph.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    graph.head(4)
    check(graph, tmp_path)
    from edgecore.converters.formats import open_network

    last = Graph(seed=3)
    last.shape = [1, 8, 8, 3]
    last.add("Transpose", perm=[0, 3, 1, 2])
    last.conv(3, 4)
    last.head(4)
    path = last.save(tmp_path / "last.onnx")
    given = np.random.default_rng(1).normal(size=(3, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(
        open_network(path).predict(given), onnx_files.answers(path, given), rtol=1e-4, atol=1e-5
    )


def test_an_open_size_has_to_be_given(tmp_path: Path) -> None:
    from edgecore.converters.formats import open_network

    graph = Graph()
    graph.shape = ["n", 3, "h", "w"]
    graph.conv(3, 4)
    graph.head(4)
    path = graph.save(tmp_path / "net.onnx", output=("n", 4))
    with pytest.raises(UserError, match=r"size of its input open: \(n, 3, n, n\); give --size HxW"):
        open_network(path)
    assert open_network(path, (10, 12)).input_shape == (10, 12, 3)


def unknown(graph: Any) -> None:
    graph.add("Sinh")
    graph.head(3)


def quantised(graph: Any) -> None:
    graph.add("QuantizeLinear", graph.last, graph.constant(0.1), graph.constant(0, np.int8))
    graph.add("DequantizeLinear", graph.last, graph.constant(0.1), graph.constant(0, np.int8))
    graph.head(3)


def batch_of_four(graph: Any) -> None:
    graph.shape[0] = 4
    graph.head(3)


def four_channels(graph: Any) -> None:
    graph.shape[1] = 4
    graph.head(4)


def reversed_axis(graph: Any) -> None:
    bounds = (graph.integers(-1), graph.integers(-9), graph.integers(2), graph.integers(-1))
    graph.add("Slice", graph.last, *bounds)
    graph.head(3)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (unknown, r"the Sinh '/block/Sinh_0' has no translation of ONNX's Sinh; export"),
        (quantised, "is quantised already; give the float network"),
        (batch_of_four, "takes batches of 4; export it with an open batch"),
        (four_channels, r"takes \(1, 4, 8, 8\), not one batch of images"),
        (reversed_axis, "the Slice '/block/Slice_0' cuts the batch or runs backwards"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_cannot_be_translated_is_named(
    build: Callable[[Any], None], message: str, tmp_path: Path
) -> None:
    from edgecore.converters.formats import open_network

    graph = Graph()
    build(graph)
    path = graph.save(tmp_path / "net.onnx", output=("n", 4))
    with pytest.raises(UserError, match=message):
        open_network(path)


def test_a_damaged_file_and_several_outputs_are_refused(tmp_path: Path) -> None:
    import onnx

    from edgecore.converters.formats import open_network

    (tmp_path / "bad.onnx").write_bytes(b"\x08\x07garbage")
    with pytest.raises(UserError, match="does not load as an ONNX model"):
        open_network(tmp_path / "bad.onnx")
    graph = Graph()
    graph.head(3)
    model = onnx.load(graph.save(tmp_path / "net.onnx"))
    model.graph.output.append(onnx.helper.make_tensor_value_info("flatten_1_0", 1, [1, 3]))
    onnx.save(model, tmp_path / "two.onnx")
    with pytest.raises(UserError, match="1 inputs and 2 outputs"):
        open_network(tmp_path / "two.onnx")
