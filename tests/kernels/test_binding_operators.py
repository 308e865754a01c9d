"""The operators on numpy arrays against TFLite's reference kernels, over generated shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import ModelWriter, reference

import edgecore.kernels as k
from edgecore.kernels import Convolution, DepthwiseConvolution, QTensor, Quantization
from edgecore.kernels.cpu import available_isas
from edgecore.kernels.graph import Step

ACTIVATIONS = {"none": "NONE", "relu": "RELU", "relu_n1_to_1": "RELU_N1_TO_1", "relu6": "RELU6"}
OUTPUT = Quantization(0.4, -7)

quick = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 2**16)
sizes = st.integers(1, 12)
channels = st.integers(1, 21)
activations = st.sampled_from(list(ACTIVATIONS))


class Values:
    """Random arguments that use the whole range of int8."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def tensor(self, *shape: int, dtype: Any = np.int8) -> QTensor:
        limits = np.iinfo(dtype)
        data = self.rng.integers(limits.min, limits.max + 1, shape).astype(dtype)
        point = int(self.rng.integers(limits.min, limits.max + 1))
        return QTensor(data, Quantization(float(self.rng.uniform(0.01, 0.1)), point))

    def weights(self, shape: Sequence[int], axis: int = 0, per_channel: bool = True) -> QTensor:
        data = self.rng.integers(-127, 128, shape).astype(np.int8)
        count = shape[axis] if per_channel else 1
        return QTensor(data, Quantization(tuple(self.rng.uniform(0.002, 0.02, count).tolist())))

    def bias(self, count: int) -> np.ndarray:
        return self.rng.integers(-5000, 5000, count).astype(np.int32)

    def convolution(self, out: int, kernel: int, depth: int, **options: Any) -> Convolution:
        weights = self.weights((out, kernel, kernel, depth))
        return Convolution(weights, options.pop("output", OUTPUT), self.bias(out), **options)


class Reference:
    """A model of the same tensors, for TFLite's reference kernels."""

    def __init__(self) -> None:
        self.writer = ModelWriter()
        self.arrays: list[np.ndarray] = []

    def input(self, x: QTensor) -> int:
        index = self.activation(x.shape, x.quantization, x.data.dtype.name)
        self.writer.inputs.append(index)
        self.arrays.append(x.data)
        return index

    def activation(self, shape: Sequence[int], quantization: Quantization, dtype: str = "int8") -> int:
        return self.writer.tensor(shape, dtype, quantization.scales, quantization.zero_point)

    def constant(self, values: Any) -> int:
        array = np.asarray(values, np.int32)
        return self.writer.tensor(array.shape, "int32", data=array)

    def weights(self, weights: QTensor, bias: np.ndarray | None, x: Quantization, axis: int) -> list[int]:
        scales = np.asarray(weights.quantization.scales, np.float32)
        number = self.writer.tensor(weights.shape, "int8", scales, 0, axis, weights.data)
        # The reference kernels insist on a bias.
        terms = np.zeros(weights.shape[axis], np.int32) if bias is None else bias
        return [
            number,
            self.writer.tensor(terms.shape, "int32", scales * np.float32(x.scales[0]), 0, 0, terms),
        ]

    def convolve(
        self, x: int, quantization: Quantization, layer: Convolution, shape: tuple[int, ...]
    ) -> tuple[int, tuple[int, ...]]:
        """The output's number and shape."""
        (height, width), _ = layer.window.over(shape)
        depthwise = isinstance(layer, DepthwiseConvolution)
        out_shape = (1, height, width, layer.channels)
        y = self.activation(out_shape, layer.output)
        options: dict[str, Any] = {"depth_multiplier": layer.channels // shape[3]} if depthwise else {}
        self.writer.op(
            "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
            [x, *self.weights(layer.weights, layer.bias, quantization, layer.channel_axis)],
            [y],
            padding=str(layer.padding).upper(),
            stride_h=layer.window.stride[0],
            stride_w=layer.window.stride[1],
            dilation_h_factor=layer.window.dilation[0],
            dilation_w_factor=layer.window.dilation[1],
            fused_activation_function=ACTIVATIONS[layer.activation],
            **options,
        )
        return y, out_shape

    def op(self, kind: str, inputs: Sequence[int], like: QTensor, **options: Any) -> int:
        """Adds an operator whose output has the shape and quantisation of `like`."""
        y = self.activation(like.shape, like.quantization, like.data.dtype.name)
        self.writer.op(kind, inputs, [y], **options)
        return y

    def check(self, y: int, result: QTensor) -> None:
        self.writer.outputs.append(y)
        np.testing.assert_array_equal(result.data, reference(self.writer.build(), self.arrays)[0])


@given(
    seed=seeds,
    size=st.tuples(sizes, sizes),
    depth=channels,
    out=channels,
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    padding=st.sampled_from(["same", "valid"]),
    activation=activations,
    per_channel=st.booleans(),
    biased=st.booleans(),
    depthwise=st.booleans(),
    threads=st.integers(0, 3),
)
@settings(max_examples=120, deadline=None)
def test_convolutions(
    seed: int,
    size: tuple[int, int],
    depth: int,
    out: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: str,
    activation: str,
    per_channel: bool,
    biased: bool,
    depthwise: bool,
    threads: int,
) -> None:
    values = Values(seed)
    if padding == "valid":
        size = tuple(max(n, (e - 1) * d + 1) for n, e, d in zip(size, kernel, dilation, strict=True))  # type: ignore[assignment]
    x = values.tensor(1, *size, depth)
    options: dict[str, Any] = {
        "stride": stride, "padding": padding, "dilation": dilation, "activation": activation,
    }  # fmt: skip
    count = depth * (out % 3 + 1) if depthwise else out
    shape = (1, *kernel, count) if depthwise else (count, *kernel, depth)
    weights = values.weights(shape, 3 if depthwise else 0, per_channel)
    bias = values.bias(count) if biased else None
    function: Callable[..., QTensor] = k.depthwise_conv2d if depthwise else k.conv2d
    result = function(x, weights, OUTPUT, bias, **options, threads=threads)
    layer = (DepthwiseConvolution if depthwise else Convolution)(weights, OUTPUT, bias, **options)
    model = Reference()
    y, _ = model.convolve(model.input(x), x.quantization, layer, x.shape)
    model.check(y, result)


@pytest.mark.parametrize("padding", [(1, 0, 2, 1), (0, 0, 0, 0), (2, 2, 2, 2)])
def test_explicit_padding_is_that_of_a_padded_map(padding: tuple[int, int, int, int]) -> None:
    values = Values(3)
    x = values.tensor(1, 6, 7, 5)
    weights, bias = values.weights((4, 3, 3, 5)), values.bias(4)
    top, bottom, left, right = padding
    around = k.pad(x, [(0, 0), (top, bottom), (left, right), (0, 0)])
    expected = k.conv2d(around, weights, OUTPUT, bias, padding="valid")
    result = k.conv2d(x, weights, OUTPUT, bias, padding=padding)
    np.testing.assert_array_equal(result.data, expected.data)


@given(
    seed=seeds,
    size=st.tuples(sizes, sizes),
    depth=channels,
    out=channels,
    activation=activations,
    biased=st.booleans(),
)
@quick
def test_fully_connected(
    seed: int, size: tuple[int, int], depth: int, out: int, activation: str, biased: bool
) -> None:
    values = Values(seed)
    x = values.tensor(1, *size, depth)
    weights = values.weights((out, x.data.size), per_channel=False)
    bias = values.bias(out) if biased else None
    result = k.fully_connected(x, weights, OUTPUT, bias, activation=activation)
    model = Reference()
    inputs = [model.input(x), *model.weights(weights, bias, x.quantization, 0)]
    options = {"fused_activation_function": ACTIVATIONS[activation]}
    model.check(model.op("FULLY_CONNECTED", inputs, result, **options), result)


@given(
    seed=seeds,
    size=st.tuples(st.integers(3, 14), st.integers(3, 14)),
    depth=channels,
    window=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.sampled_from(["same", "valid"]),
    activation=activations,
    average=st.booleans(),
)
@quick
def test_pools(
    seed: int,
    size: tuple[int, int],
    depth: int,
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: str,
    activation: str,
    average: bool,
) -> None:
    x = Values(seed).tensor(1, *size, depth)
    function = k.average_pool2d if average else k.max_pool2d
    result = function(x, window, stride=stride, padding=padding, activation=activation)
    model = Reference()
    y = model.op(
        "AVERAGE_POOL_2D" if average else "MAX_POOL_2D",
        [model.input(x)],
        result,
        padding=padding.upper(),
        filter_height=window[0],
        filter_width=window[1],
        stride_h=stride[0],
        stride_w=stride[1],
        fused_activation_function=ACTIVATIONS[activation],
    )
    model.check(y, result)


@pytest.mark.parametrize("axes", [(1, 2), (-3, -2), (1,), (3,), (1, 2, 3)])
@pytest.mark.parametrize("keep_dims", [False, True])
@pytest.mark.parametrize("output", [None, OUTPUT])
def test_mean(axes: tuple[int, ...], keep_dims: bool, output: Quantization | None) -> None:
    x = Values(5).tensor(1, 5, 7, 6)
    result = k.mean(x, axes, output, keep_dims=keep_dims)
    model = Reference()
    inputs = [model.input(x), model.constant(axes)]
    model.check(model.op("MEAN", inputs, result, keep_dims=keep_dims), result)


@given(
    seed=seeds,
    shape=st.tuples(sizes, sizes, channels),
    broadcast=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    product=st.booleans(),
    activation=activations,
)
@quick
def test_add_and_mul(
    seed: int, shape: tuple[int, ...], broadcast: tuple[bool, ...], product: bool, activation: str
) -> None:
    values = Values(seed)
    a = values.tensor(1, *shape)
    b = values.tensor(1, *(1 if once else n for n, once in zip(shape, broadcast, strict=True)))
    result = (k.mul if product else k.add)(a, b, Quantization(0.06, 5), activation=activation)
    assert result.shape == a.shape
    model = Reference()
    inputs = [model.input(a), model.input(b)]
    options = {"fused_activation_function": ACTIVATIONS[activation]}
    model.check(model.op("MUL" if product else "ADD", inputs, result, **options), result)


@given(seed=seeds, shape=st.tuples(sizes, sizes, channels), axis=st.integers(1, 3), count=st.integers(1, 4))
@quick
def test_concatenate(seed: int, shape: tuple[int, ...], axis: int, count: int) -> None:
    values = Values(seed)
    parts = []
    for i in range(count):
        dims = [1, *shape]
        dims[axis] += i
        parts.append(QTensor(values.tensor(*dims).data, OUTPUT))
    result = k.concatenate(parts, axis - 4 if seed % 2 else axis)
    np.testing.assert_array_equal(result.data, np.concatenate([part.data for part in parts], axis))


@given(
    seed=seeds,
    shape=st.tuples(sizes, sizes, channels),
    sides=st.lists(st.integers(0, 3), min_size=6, max_size=6),
)
@quick
def test_pad(seed: int, shape: tuple[int, ...], sides: list[int]) -> None:
    x = Values(seed).tensor(1, *shape)
    paddings = [(0, 0), *zip(sides[::2], sides[1::2], strict=True)]
    expected = np.pad(x.data, paddings, constant_values=x.quantization.zero_point)
    np.testing.assert_array_equal(k.pad(x, paddings).data, expected)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("kernel", "stride"), [((2, 2), 2), ((3, 3), (2, 2)), ((4, 1), (3, 2)), ((1, 5), 1)])
def test_transpose_conv2d(padding: str, kernel: tuple[int, int], stride: int | tuple[int, int]) -> None:
    values = Values(9)
    x, weights, bias = values.tensor(1, 5, 4, 6), values.weights((9, *kernel, 6)), values.bias(9)
    result = k.transpose_conv2d(x, weights, OUTPUT, bias, stride=stride, padding=padding)
    model = Reference()
    numbers = model.weights(weights, bias, x.quantization, 0)
    inputs = [model.constant(result.shape), numbers[0], model.input(x), numbers[1]]
    high, wide = (stride, stride) if isinstance(stride, int) else stride
    options = {"stride_h": high, "stride_w": wide, "padding": padding.upper()}
    model.check(model.op("TRANSPOSE_CONV", inputs, result, **options), result)


@pytest.mark.parametrize("shape", [(1, 5, 7, 6), (1, 3, 4, 2, 24), (1, 2, 3, 2, 3, 9), (1, 40)])
def test_transpose(shape: tuple[int, ...]) -> None:
    values = Values(7)
    x = values.tensor(*shape)
    for _ in range(6):
        order = values.rng.permutation(len(shape)).tolist()
        result = k.transpose(x, [axis - len(shape) for axis in order])
        np.testing.assert_array_equal(result.data, x.data.transpose(order))


def test_strided_slice() -> None:
    x = Values(8).tensor(1, 9, 8, 30)
    result = k.strided_slice(x, (0, 7, 0, 3), (1, 4, 8, 9), (1, -2, 1, 3))
    np.testing.assert_array_equal(result.data, x.data[:, 7:0:-2, :, 3:30:3])
    np.testing.assert_array_equal(
        k.strided_slice(x, (0, 0, 2, 5), (1, 9, 3, 20)).data, x.data[:, :, 2:5, 5:25]
    )


@pytest.mark.parametrize("kind", ["RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR"])
@pytest.mark.parametrize("options", [{}, {"align_corners": True}, {"half_pixel_centers": True}])
@pytest.mark.parametrize("size", [(10, 28), (3, 4), (1, 1)])
def test_resize(kind: str, options: dict[str, bool], size: tuple[int, int]) -> None:
    x = Values(6).tensor(1, 5, 7, 6)
    function: Callable[..., QTensor] = getattr(k, kind.lower())
    result = function(x, size, **options)
    model = Reference()
    inputs = [model.input(x), model.constant(size)]
    model.check(model.op(kind, inputs, result, version=3, **options), result)


@pytest.mark.parametrize(
    ("kind", "function", "options"),
    [
        ("RELU", k.relu, {}),
        ("RELU6", k.relu6, {}),
        ("LOGISTIC", k.logistic, {}),
        ("TANH", k.tanh, {}),
        ("HARD_SWISH", k.hard_swish, {}),
        ("SOFTMAX", k.softmax, {"beta": 1.0}),
        ("SOFTMAX", k.softmax, {"beta": 0.5}),
        ("LEAKY_RELU", k.leaky_relu, {"alpha": 0.3}),
        ("LEAKY_RELU", k.leaky_relu, {"alpha": 0.0}),
    ],
)
@pytest.mark.parametrize("shape", [(1, 4, 8, 8), (1, 256)])
def test_unary(
    kind: str, function: Callable[..., QTensor], options: dict[str, float], shape: tuple[int, ...]
) -> None:
    for seed in range(8):
        x = Values(seed).tensor(*shape)
        result = function(x, **options)
        model = Reference()
        model.check(model.op(kind, [model.input(x)], result, **options), result)


@pytest.mark.parametrize("source", [np.int8, np.uint8])
@pytest.mark.parametrize("target", ["int8", "uint8"])
def test_requantize(source: type, target: str) -> None:
    for seed in range(8):
        x = Values(seed).tensor(1, 16, 16, 1, dtype=source)
        result = k.requantize(x, Quantization(0.03, 90), dtype=target)
        assert result.data.dtype.name == target
        model = Reference()
        model.check(model.op("QUANTIZE", [model.input(x)], result), result)


def fire_reference(
    x: QTensor,
    layers: Sequence[Convolution],
    bypass: Quantization | None,
    projection: Convolution | None,
    y: QTensor,
) -> None:
    model = Reference()
    start = model.input(x)
    squeeze, expand1x1, expand3x3 = layers
    squeezed, shape = model.convolve(start, x.quantization, squeeze, x.shape)
    narrow, _ = model.convolve(squeezed, squeeze.output, expand1x1, shape)
    wide, shape = model.convolve(squeezed, squeeze.output, expand3x3, shape)
    joined = model.activation((*shape[:3], expand1x1.channels + expand3x3.channels), expand1x1.output)
    model.writer.op("CONCATENATION", [narrow, wide], [joined], axis=3, fused_activation_function="NONE")
    if bypass is not None:
        if projection is not None:
            start, _ = model.convolve(start, x.quantization, projection, x.shape)
        joined = model.op("ADD", [joined, start], y, fused_activation_function="RELU")
    model.check(joined, y)


@pytest.mark.parametrize("isa", available_isas())
@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("fuse", [True, False])
@pytest.mark.parametrize("kind", ["plain", "bypass", "projection"])
def test_fire_block_is_one_step(isa: str, threads: int, fuse: bool, kind: str) -> None:
    values = Values(11)
    x = values.tensor(1, 13, 9, 24)
    middle = Quantization(0.2, -128)
    squeeze = values.convolution(7, 1, 24, output=middle, activation="relu")
    layers = [squeeze] + [values.convolution(12, kernel, 7, activation="relu") for kernel in (1, 3)]
    bypass = None if kind == "plain" else Quantization(0.45, -100)
    projection = values.convolution(24, 1, 24) if kind == "projection" else None
    steps: list[Step] = []
    y = k.fire_block(
        x, *layers, bypass=bypass, projection=projection, activation="none" if bypass is None else "relu",
        isa=isa, threads=threads, fuse=fuse, steps=steps,
    )  # fmt: skip
    if fuse:
        assert [step.name for step in steps] == ["fire" if bypass is None else "fire_bypass"]
        assert steps[0].nanoseconds > 0 and steps[0].output_shape == y.shape
        assert len(steps[0].nodes) == {"plain": 4, "bypass": 5, "projection": 6}[kind]
    else:
        assert len(steps) >= 3
    fire_reference(x, layers, bypass, projection, y)


@pytest.mark.parametrize("projected", [False, True])
@pytest.mark.parametrize("fuse", [True, False])
@pytest.mark.parametrize("isa", available_isas())
def test_residual_add_is_one_step(projected: bool, fuse: bool, isa: str) -> None:
    values = Values(12)
    x = values.tensor(1, 8, 10, 6)
    layer = values.convolution(9, 3, 6)
    shortcut = values.tensor(1, 16, 20, 4) if projected else values.tensor(1, 8, 10, 9)
    projection = values.convolution(9, 1, 4, stride=2) if projected else None
    steps: list[Step] = []
    y = k.residual_add(
        x, layer, shortcut, Quantization(0.5, 3), projection=projection, activation="relu",
        isa=isa, threads=2, fuse=fuse, steps=steps,
    )  # fmt: skip
    if fuse:
        assert [step.name for step in steps] == ["residual_projection" if projected else "residual_add"]
    model = Reference()
    first, _ = model.convolve(model.input(x), x.quantization, layer, x.shape)
    second = model.input(shortcut)
    if projection is not None:
        second, _ = model.convolve(second, shortcut.quantization, projection, shortcut.shape)
    model.check(model.op("ADD", [first, second], y, fused_activation_function="RELU"), y)


@given(
    seed=seeds,
    size=st.tuples(st.integers(4, 12), st.integers(4, 12)),
    depth=channels,
    windows=st.lists(st.integers(1, 4), min_size=2, max_size=8),
)
@quick
def test_multi_scale_max_pool(seed: int, size: tuple[int, int], depth: int, windows: list[int]) -> None:
    x = Values(seed).tensor(1, *size, depth)
    steps: list[Step] = []
    y = k.multi_scale_max_pool(x, windows, steps=steps)
    assert [step.name for step in steps] == ["multi_scale_max_pool"]
    parts = []
    for side in windows:
        views = np.lib.stride_tricks.sliding_window_view(x.data, (side, side), axis=(1, 2))  # type: ignore[call-overload]
        parts.append(views.max((-2, -1)).reshape(1, -1))
    np.testing.assert_array_equal(y.data, np.concatenate(parts, 1))
