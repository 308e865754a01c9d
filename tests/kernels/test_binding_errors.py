"""Wrong arguments of the operators on arrays: ValueError that names the argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import edgecore.kernels as k
from edgecore.kernels import Convolution, DepthwiseConvolution, QTensor, Quantization

Q = Quantization(0.1, 3)
PER_CHANNEL = Quantization((0.1, 0.2), 0)
NAN, INF = float("nan"), float("inf")


def ints(*shape: int, dtype: Any = np.int8) -> np.ndarray:
    return np.ones(shape, dtype)


def tensor(*shape: int, quantization: Quantization = Q, dtype: Any = np.int8) -> QTensor:
    return QTensor(ints(*shape, dtype=dtype), quantization)


def kernel(*shape: int, zero_point: int = 0, scale: Any = 0.1) -> QTensor:
    return tensor(*shape, quantization=Quantization(scale, zero_point))


X = tensor(1, 6, 7, 4)
W = kernel(5, 3, 3, 4)
CONV = Convolution(W, Q)
SQUEEZE = Convolution(kernel(4, 1, 1, 4), Q)
WIDE = Convolution(kernel(10, 1, 1, 4), Q)


@pytest.mark.parametrize(
    "scale", [NAN, INF, -INF, 0.0, -0.1, 1e-60, 1e60, "x", None, (), (0.1, NAN), (0.1, 0.0), [[0.1]]]
)
def test_scales(scale: Any) -> None:
    with pytest.raises(ValueError, match=r"^scale:"):
        Quantization(scale, 0)


@pytest.mark.parametrize("zero_point", [-129, 256, 0.5, None, "0", True, 2**70])
def test_zero_points(zero_point: Any) -> None:
    with pytest.raises(ValueError, match=r"^zero_point:"):
        Quantization(0.1, zero_point)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_zero_points_fit_the_type(dtype: Any) -> None:
    with pytest.raises(ValueError, match=r"^zero_point:"):
        QTensor(ints(3, dtype=dtype), Quantization(0.1, -1 if dtype is np.uint8 else 128))


@pytest.mark.parametrize(
    "data",
    [
        [1, 2],
        None,
        ints(3, dtype=np.float32),
        ints(3, dtype=np.int16),
        ints(0),
        ints(1, 0, 4),
        ints(1, 6, 8, 4)[:, :, ::2],
        np.asfortranarray(ints(1, 6, 7, 4)),
        ints(1, 6, 7, 4)[..., ::-1],
    ],
)
def test_data(data: Any) -> None:
    with pytest.raises(ValueError, match=r"^data:"):
        QTensor(data, Q)


def test_quantization_is_one() -> None:
    with pytest.raises(ValueError, match=r"^quantization:"):
        QTensor(ints(3), (0.1, 3))  # type: ignore[arg-type]


def test_read_only_inputs_are_fine() -> None:
    data = ints(1, 6, 7, 4)
    data.flags.writeable = False
    assert k.conv2d(QTensor(data, Q), W, Q).shape == (1, 6, 7, 5)


ONE_INPUT: dict[str, Callable[[Any], QTensor]] = {
    "conv2d": lambda x: k.conv2d(x, W, Q),
    "depthwise_conv2d": lambda x: k.depthwise_conv2d(x, kernel(1, 3, 3, 4), Q),
    "transpose_conv2d": lambda x: k.transpose_conv2d(x, W, Q, stride=2),
    "fully_connected": lambda x: k.fully_connected(x, kernel(5, 168), Q),
    "max_pool2d": lambda x: k.max_pool2d(x, 2),
    "average_pool2d": lambda x: k.average_pool2d(x, 2),
    "mean": lambda x: k.mean(x),
    "pad": lambda x: k.pad(x, [(0, 0)] * 4),
    "resize_nearest_neighbor": lambda x: k.resize_nearest_neighbor(x, (12, 14)),
    "resize_bilinear": lambda x: k.resize_bilinear(x, (3, 9)),
    "softmax": lambda x: k.softmax(x),
    "relu": lambda x: k.relu(x),
    "relu6": lambda x: k.relu6(x, Q),
    "leaky_relu": lambda x: k.leaky_relu(x, 0.1),
    "logistic": lambda x: k.logistic(x),
    "tanh": lambda x: k.tanh(x),
    "hard_swish": lambda x: k.hard_swish(x),
    "requantize": lambda x: k.requantize(x, Q),
    "fire_block": lambda x: k.fire_block(x, Convolution(kernel(4, 1, 1, 4), Q), CONV, CONV),
    "residual_add": lambda x: k.residual_add(x, CONV, tensor(1, 6, 7, 5), Q),
    "multi_scale_max_pool": lambda x: k.multi_scale_max_pool(x, (1, 2)),
}


@pytest.mark.parametrize("name", ONE_INPUT)
def test_inputs(name: str) -> None:
    call = ONE_INPUT[name]
    assert isinstance(call(X), QTensor)
    wrong: list[Any] = [None, ints(1, 6, 7, 4), tensor(2, 6, 7, 4), tensor(1, 1, 1, 6, 7, 4)]
    wrong.append(QTensor(ints(1, 6, 7, 4), PER_CHANNEL))
    if name != "requantize":
        wrong.append(tensor(1, 6, 7, 4, dtype=np.uint8))
    for x in wrong:
        with pytest.raises(ValueError, match=r"^x:"):
            call(x)


@pytest.mark.parametrize(
    "name",
    ["conv2d", "depthwise_conv2d", "max_pool2d", "fire_block", "multi_scale_max_pool", "transpose_conv2d"],
)
def test_maps_have_four_dimensions(name: str) -> None:
    with pytest.raises(ValueError, match=r"^x:"):
        ONE_INPUT[name](tensor(1, 42, 4))


BAD_CALLS: list[tuple[str, Callable[[], Any]]] = [
    ("weights", lambda: k.conv2d(X, kernel(5, 3, 3, 3), Q)),
    ("weights", lambda: k.conv2d(X, kernel(5, 36), Q)),
    ("weights", lambda: k.conv2d(X, kernel(5, 3, 3, 4, zero_point=1), Q)),
    ("weights", lambda: k.conv2d(X, kernel(5, 3, 3, 4, scale=(0.1, 0.2)), Q)),
    ("weights", lambda: k.conv2d(X, tensor(5, 3, 3, 4, quantization=Quantization(1, 0), dtype=np.uint8), Q)),
    ("weights", lambda: k.conv2d(X, ints(5, 3, 3, 4), Q)),  # type: ignore[arg-type]
    ("weights", lambda: k.depthwise_conv2d(X, kernel(2, 3, 3, 4), Q)),
    ("weights", lambda: k.depthwise_conv2d(X, kernel(1, 3, 3, 6), Q)),
    ("weights", lambda: k.fully_connected(X, kernel(5, 167), Q)),
    ("weights", lambda: k.fully_connected(X, kernel(5, 2, 84), Q)),
    ("weights", lambda: k.transpose_conv2d(X, kernel(5, 3, 3, 3), Q)),
    ("weights", lambda: k.transpose_conv2d(X, kernel(5, 36), Q)),
    ("stride", lambda: k.transpose_conv2d(X, W, Q, stride=17)),
    ("padding", lambda: k.transpose_conv2d(X, W, Q, padding=(1, 1, 1, 1))),  # type: ignore[arg-type]
    ("activation", lambda: k.transpose_conv2d(X, W, Q, activation="tanh")),
    ("bias", lambda: k.conv2d(X, W, Q, ints(4, dtype=np.int32))),
    ("bias", lambda: k.conv2d(X, W, Q, ints(5, dtype=np.int64))),
    ("bias", lambda: k.conv2d(X, W, Q, ints(10, dtype=np.int32)[::2])),
    ("bias", lambda: k.conv2d(X, W, Q, [1, 2, 3, 4, 5])),  # type: ignore[arg-type]
    ("bias", lambda: k.conv2d(X, W, Q, ints(5, dtype=">i4"))),
    ("bias", lambda: k.fully_connected(X, kernel(5, 168), Q, ints(1, 5, dtype=np.int32))),
    ("output", lambda: k.conv2d(X, W, PER_CHANNEL)),
    ("output", lambda: k.conv2d(X, W, 0.1)),  # type: ignore[arg-type]
    ("output", lambda: k.conv2d(X, W, Quantization(0.1, 200))),
    ("output", lambda: k.relu(X, PER_CHANNEL)),
    ("output", lambda: k.requantize(X, Quantization(0.1, 200))),
    ("output", lambda: k.add(X, X, None)),  # type: ignore[arg-type]
    ("stride", lambda: k.conv2d(X, W, Q, stride=0)),
    ("stride", lambda: k.conv2d(X, W, Q, stride=(1, 2, 3))),  # type: ignore[arg-type]
    ("stride", lambda: k.conv2d(X, W, Q, stride=1.5)),  # type: ignore[arg-type]
    ("stride", lambda: k.max_pool2d(X, 2, stride=-1)),
    ("dilation", lambda: k.conv2d(X, W, Q, dilation=(1, 0))),
    ("dilation", lambda: k.conv2d(X, W, Q, dilation=2**40)),
    ("padding", lambda: k.conv2d(X, W, Q, padding="full")),
    ("padding", lambda: k.conv2d(X, W, Q, padding=(1, 1))),
    ("padding", lambda: k.conv2d(X, W, Q, padding=(3, 0, 0, 0))),
    ("padding", lambda: k.conv2d(X, W, Q, padding=(0, -1, 0, 0))),
    ("padding", lambda: k.max_pool2d(X, 2, padding=(2, 0, 0, 0))),
    ("padding", lambda: k.max_pool2d(X, 2, padding=None)),  # type: ignore[arg-type]
    ("activation", lambda: k.conv2d(X, W, Q, activation="tanh")),
    ("activation", lambda: k.conv2d(X, W, Q, activation=None)),  # type: ignore[arg-type]
    ("activation", lambda: k.max_pool2d(X, 2, activation="RELU")),
    ("activation", lambda: k.add(X, X, Q, activation="")),
    ("x", lambda: k.conv2d(X, kernel(5, 7, 7, 4), Q, padding="valid")),
    ("x", lambda: k.max_pool2d(X, 8)),
    ("window", lambda: k.max_pool2d(X, 0)),
    ("window", lambda: k.average_pool2d(X, "2")),  # type: ignore[arg-type]
    ("axes", lambda: k.mean(X, (4,))),
    ("axes", lambda: k.mean(X, ())),
    ("axes", lambda: k.mean(X, 1)),  # type: ignore[arg-type]
    ("axes", lambda: k.mean(X, (0, 1, 2, 3))),
    ("a", lambda: k.add(None, X, Q)),  # type: ignore[arg-type]
    ("b", lambda: k.mul(X, tensor(1, 6, 7, 3), Q)),
    ("b", lambda: k.add(X, tensor(1, 6, 7, 4, dtype=np.uint8), Q)),
    ("tensors", lambda: k.concatenate([])),
    ("tensors", lambda: k.concatenate(3)),  # type: ignore[arg-type]
    (r"tensors\[1\]", lambda: k.concatenate([X, tensor(1, 6, 8, 4)])),
    (r"tensors\[1\]", lambda: k.concatenate([X, tensor(1, 6, 7, 4, quantization=Quantization(0.1, 4))])),
    (r"tensors\[1\]", lambda: k.concatenate([X, None])),  # type: ignore[list-item]
    ("axis", lambda: k.concatenate([X, X], 0)),
    ("axis", lambda: k.concatenate([X, X], 4)),
    ("axis", lambda: k.concatenate([X, X], 1.0)),  # type: ignore[arg-type]
    ("paddings", lambda: k.pad(X, [(0, 0)] * 3)),
    ("paddings", lambda: k.pad(X, [(1, 0)] * 4)),
    ("paddings", lambda: k.pad(X, [(0, 0), (0, -1), (0, 0), (0, 0)])),
    ("paddings", lambda: k.pad(X, 1)),  # type: ignore[arg-type]
    ("paddings", lambda: k.pad(X, [1, 2, 3, 4])),  # type: ignore[list-item]
    ("size", lambda: k.resize_bilinear(X, 3)),  # type: ignore[arg-type]
    ("size", lambda: k.resize_bilinear(X, (3, 4, 5))),  # type: ignore[arg-type]
    ("size", lambda: k.resize_nearest_neighbor(X, (3, 0))),
    ("size", lambda: k.resize_nearest_neighbor(X, (3, 1.5))),  # type: ignore[arg-type]
    ("half_pixel_centers", lambda: k.resize_bilinear(X, (3, 4), align_corners=True, half_pixel_centers=True)),
    ("order", lambda: k.transpose(X, (0, 1, 2))),
    ("order", lambda: k.transpose(X, (0, 1, 2, 2))),
    ("order", lambda: k.transpose(X, (0, 1, 2, 4))),
    ("order", lambda: k.transpose(X, 3)),  # type: ignore[arg-type]
    ("x", lambda: k.transpose(tensor(2, 4), (1, 0))),
    ("begin", lambda: k.strided_slice(X, (0, 6, 0, 0), (1, 1, 1, 1))),
    ("begin", lambda: k.strided_slice(X, (0, -1, 0, 0), (1, 1, 1, 1))),
    ("size", lambda: k.strided_slice(X, (0, 3, 0, 0), (1, 4, 1, 1))),
    ("size", lambda: k.strided_slice(X, (0, 3, 0, 0), (1, 1, 1))),
    ("size", lambda: k.strided_slice(X, (0, 1, 0, 0), (1, 3, 1, 1), (1, -1, 1, 1))),
    ("step", lambda: k.strided_slice(X, (0, 0, 0, 0), (1, 1, 1, 1), 2)),  # type: ignore[arg-type]
    ("beta", lambda: k.softmax(X, beta=NAN)),
    ("beta", lambda: k.softmax(X, beta=-1.0)),
    ("x", lambda: k.softmax(tensor(1, 4096))),
    ("alpha", lambda: k.leaky_relu(X, INF)),
    ("alpha", lambda: k.leaky_relu(X, -0.1)),
    ("alpha", lambda: k.leaky_relu(X, None)),  # type: ignore[arg-type]
    ("dtype", lambda: k.requantize(X, Q, dtype="int16")),
    ("threads", lambda: k.relu(X, threads=-1)),
    ("threads", lambda: k.relu(X, threads=1.5)),  # type: ignore[arg-type]
    ("isa", lambda: k.relu(X, isa=3)),  # type: ignore[arg-type]
    ("windows", lambda: k.multi_scale_max_pool(X, (1,))),
    ("windows", lambda: k.multi_scale_max_pool(X, (1,) * 9)),
    ("windows", lambda: k.multi_scale_max_pool(X, (1, 7))),
    ("windows", lambda: k.multi_scale_max_pool(X, (0, 1))),
    ("windows", lambda: k.multi_scale_max_pool(X, 2)),  # type: ignore[arg-type]
    ("squeeze", lambda: k.fire_block(X, None, CONV, CONV)),  # type: ignore[arg-type]
    ("squeeze", lambda: k.fire_block(tensor(1, 6, 7, 3), CONV, CONV, CONV)),
    ("expand1x1", lambda: k.fire_block(X, CONV, CONV, CONV)),
    ("expand3x3", lambda: k.fire_block(X, SQUEEZE, CONV, Convolution(W, Quantization(0.2, 3)))),
    ("expand3x3", lambda: k.fire_block(X, SQUEEZE, CONV, Convolution(W, Q, padding="valid"))),
    ("bypass", lambda: k.fire_block(X, SQUEEZE, CONV, CONV, bypass=Q)),
    ("bypass", lambda: k.fire_block(X, SQUEEZE, CONV, CONV, projection=CONV)),
    ("bypass", lambda: k.fire_block(X, SQUEEZE, CONV, CONV, activation="relu")),
    ("bypass", lambda: k.fire_block(X, SQUEEZE, CONV, CONV, bypass=PER_CHANNEL, projection=WIDE)),
    ("projection", lambda: k.fire_block(X, SQUEEZE, CONV, CONV, bypass=Q, projection=CONV)),
    ("projection", lambda: k.fire_block(X, SQUEEZE, CONV, CONV, bypass=Q, projection=3)),  # type: ignore[arg-type]
    ("activation", lambda: k.fire_block(X, SQUEEZE, CONV, CONV, bypass=Q, projection=WIDE, activation="x")),
    ("layer", lambda: k.residual_add(X, W, X, Q)),  # type: ignore[arg-type]
    ("layer", lambda: k.residual_add(tensor(1, 6, 7, 3), CONV, X, Q)),
    ("shortcut", lambda: k.residual_add(X, CONV, X, Q)),
    ("shortcut", lambda: k.residual_add(X, CONV, None, Q)),  # type: ignore[arg-type]
    ("projection", lambda: k.residual_add(X, CONV, X, Q, projection=SQUEEZE)),
    ("projection", lambda: k.residual_add(X, CONV, tensor(1, 6, 7, 3), Q, projection=SQUEEZE)),
    ("output", lambda: k.residual_add(X, CONV, tensor(1, 6, 7, 5), PER_CHANNEL)),
    ("weights", lambda: DepthwiseConvolution(W, Q)),
]


@pytest.mark.parametrize("index", range(len(BAD_CALLS)))
def test_arguments(index: int) -> None:
    name, call = BAD_CALLS[index]
    with pytest.raises(ValueError, match=rf"^{name}:"):
        call()


def test_unknown_tiers_are_listed() -> None:
    with pytest.raises(ValueError, match="scalar"):
        k.relu(X, isa="sse9")


def test_scales_too_far_apart() -> None:
    with pytest.raises(ValueError, match="too far apart"):
        k.relu(tensor(1, 4, quantization=Quantization(1e30, 0)), Quantization(1e-30, 0))
