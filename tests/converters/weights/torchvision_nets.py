"""torchvision's networks as it defines them: random state dicts, and ONNX graphs that compute with them.

Written after torchvision's own definitions, layer by layer, and run by onnxruntime as (n, channels, height,
width): so that nothing here shares a layout, a padding or a name with the zoo.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

COUNTED = ("running_mean", "running_var", "num_batches_tracked")


class Network:
    """A graph under construction: `state` is its state dict, `parameters` the published kind of count."""

    def __init__(self, size: int, seed: int = 1) -> None:
        self.random = np.random.default_rng(seed)
        self.size = size
        self.state: dict[str, NDArray[Any]] = {}
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    @property
    def parameters(self) -> int:
        return sum(array.size for name, array in self.state.items() if not name.endswith(COUNTED))

    def op(self, kind: str, *inputs: str, node: str = "", **attributes: Any) -> str:
        out = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], name=node, **attributes))
        return out

    def array(self, name: str, shape: Sequence[int], scale: float, offset: float = 0.0) -> str:
        drawn = self.random.standard_normal(shape, np.float32) * np.float32(scale) + np.float32(offset)
        self.state[name] = drawn
        return name

    def constant(self, values: Any, kind: Any = np.int64) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def conv(
        self,
        x: str,
        name: str,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
        groups: int = 1,
        bias: bool = False,
    ) -> str:
        high, wide = (kernel, kernel) if isinstance(kernel, int) else kernel
        down, right = (padding, padding) if isinstance(padding, int) else padding
        fan_in = inputs // groups * high * wide
        names = [self.array(f"{name}.weight", (outputs, inputs // groups, high, wide), (2 / fan_in) ** 0.5)]
        if bias:
            names.append(self.array(f"{name}.bias", (outputs,), 0.1))
        return self.op("Conv", x, *names, group=groups, strides=[stride] * 2, pads=[down, right, down, right])

    def bn(self, x: str, name: str, channels: int, epsilon: float = 1e-5) -> str:
        # Small variances make an error in epsilon visible.
        self.array(f"{name}.weight", (channels,), 0.1, 0.3)
        self.array(f"{name}.bias", (channels,), 0.1)
        self.array(f"{name}.running_mean", (channels,), 0.1)
        self.state[f"{name}.running_var"] = self.random.uniform(0.02, 0.5, channels).astype(np.float32)
        parts = [f"{name}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
        self.state[f"{name}.num_batches_tracked"] = np.array(7, np.int64)
        return self.op("BatchNormalization", x, *parts, epsilon=epsilon)

    def linear(self, x: str, name: str, inputs: int, outputs: int) -> str:
        weight = self.array(f"{name}.weight", (outputs, inputs), inputs**-0.5)
        return self.op("Gemm", x, weight, self.array(f"{name}.bias", (outputs,), 0.1), transB=1)

    def relu(self, x: str) -> str:
        return self.op("Relu", x)

    def relu6(self, x: str) -> str:
        return self.op("Clip", x, self.constant(0, np.float32), self.constant(6, np.float32))

    def silu(self, x: str) -> str:
        return self.op("Mul", x, self.op("Sigmoid", x))

    def hard_swish(self, x: str) -> str:
        return self.op("HardSwish", x)

    def max_pool(self, x: str, window: int, stride: int, *, padding: int = 0, ceil: bool = False) -> str:
        return self.op(
            "MaxPool",
            x,
            kernel_shape=[window] * 2,
            strides=[stride] * 2,
            pads=[padding] * 4,
            ceil_mode=int(ceil),
        )

    def average(self, x: str) -> str:
        return self.op("Flatten", self.op("GlobalAveragePool", x))

    def model(self, scores: str) -> onnx.ModelProto:
        weights = [
            numpy_helper.from_array(array, name)
            for name, array in self.state.items()
            if not name.endswith(COUNTED[2])
        ]
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, self.size, self.size])
        output = helper.make_tensor_value_info("scores", TensorProto.FLOAT, None)
        nodes = [*self.nodes, helper.make_node("Softmax", [scores], ["scores"], axis=1)]
        graph = helper.make_graph(nodes, "network", [image], [output], weights + self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def run(model: onnx.ModelProto, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores (1, classes) for an image (1, height, width, 3)."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    scores: NDArray[np.float32] = session.run(None, {"image": image.transpose(0, 3, 1, 2)})[0]
    return scores


def squeezenet(net: Network, version: str) -> str:
    kernel, first, layout = (7, 96, "fffpffffpf") if version == "1.0" else (3, 64, "ffpffpffff")
    sizes = iter([(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)])
    x = net.relu(net.conv("image", "features.0", 3, first, kernel, stride=2, bias=True))
    x = net.max_pool(x, 3, 2, ceil=True)
    channels = first
    for number, letter in enumerate(layout, start=3):
        if letter == "p":
            x = net.max_pool(x, 3, 2, ceil=True)
            continue
        squeeze, expand = next(sizes)
        name = f"features.{number}"
        narrow = net.relu(net.conv(x, f"{name}.squeeze", channels, squeeze, 1, bias=True))
        one = net.relu(net.conv(narrow, f"{name}.expand1x1", squeeze, expand, 1, bias=True))
        three = net.relu(net.conv(narrow, f"{name}.expand3x3", squeeze, expand, 3, padding=1, bias=True))
        x, channels = net.op("Concat", one, three, axis=1), 2 * expand
    x = net.relu(net.conv(x, "classifier.1", 512, 1000, 1, bias=True))
    return net.average(x)


def vgg16(net: Network, hidden: int) -> str:
    x, channels, number = "image", 3, 0
    for filters in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
        if filters:
            x = net.relu(net.conv(x, f"features.{number}", channels, filters, 3, padding=1, bias=True))
            channels, number = filters, number + 2
        else:
            x, number = net.max_pool(x, 2, 2), number + 1
    x = net.relu(net.linear(net.op("Flatten", x), "classifier.0", 512 * (net.size // 32) ** 2, hidden))
    x = net.relu(net.linear(x, "classifier.3", hidden, hidden))
    return net.linear(x, "classifier.6", hidden, 1000)


def resnet(net: Network, repeats: Sequence[int], deep: bool, groups: int = 1, group_width: int = 64) -> str:
    x = net.relu(net.bn(net.conv("image", "conv1", 3, 64, 7, stride=2, padding=3), "bn1", 64))
    x, channels = net.max_pool(x, 3, 2, padding=1), 64
    for stage, (filters, count) in enumerate(zip((64, 128, 256, 512), repeats, strict=True), start=1):
        out = 4 * filters if deep else filters
        inner = filters * group_width // 64 * groups
        for block in range(count):
            stride = 2 if stage > 1 and block == 0 else 1
            name = f"layer{stage}.{block}"
            if deep:
                y = net.relu(net.bn(net.conv(x, f"{name}.conv1", channels, inner, 1), f"{name}.bn1", inner))
                y = net.conv(y, f"{name}.conv2", inner, inner, 3, stride=stride, padding=1, groups=groups)
                y = net.relu(net.bn(y, f"{name}.bn2", inner))
                y = net.bn(net.conv(y, f"{name}.conv3", inner, out, 1), f"{name}.bn3", out)
            else:
                y = net.conv(x, f"{name}.conv1", channels, out, 3, stride=stride, padding=1)
                y = net.relu(net.bn(y, f"{name}.bn1", out))
                y = net.bn(net.conv(y, f"{name}.conv2", out, out, 3, padding=1), f"{name}.bn2", out)
            if stride == 2 or channels != out:
                x = net.conv(x, f"{name}.downsample.0", channels, out, 1, stride=stride)
                x = net.bn(x, f"{name}.downsample.1", out)
            x, channels = net.relu(net.op("Add", y, x)), out
    return net.linear(net.average(x), "fc", channels, 1000)


def densenet121(net: Network, dot: str = "") -> str:
    x = net.conv("image", "features.conv0", 3, 64, 7, stride=2, padding=3)
    x = net.max_pool(net.relu(net.bn(x, "features.norm0", 64)), 3, 2, padding=1)
    channels = 64
    for block, count in enumerate((6, 12, 24, 16), start=1):
        for layer in range(1, count + 1):
            name = f"features.denseblock{block}.denselayer{layer}"
            y = net.relu(net.bn(x, f"{name}.norm{dot}1", channels))
            y = net.conv(y, f"{name}.conv{dot}1", channels, 128, 1)
            y = net.relu(net.bn(y, f"{name}.norm{dot}2", 128))
            y = net.conv(y, f"{name}.conv{dot}2", 128, 32, 3, padding=1)
            x, channels = net.op("Concat", x, y, axis=1), channels + 32
        if block < 4:
            name = f"features.transition{block}"
            x = net.relu(net.bn(x, f"{name}.norm", channels))
            x, channels = net.conv(x, f"{name}.conv", channels, channels // 2, 1), channels // 2
            x = net.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    return net.linear(
        net.average(net.relu(net.bn(x, "features.norm5", channels))), "classifier", channels, 1000
    )


def basic(
    net: Network,
    x: str,
    name: str,
    inputs: int,
    outputs: int,
    kernel: int | tuple[int, int],
    *,
    stride: int = 1,
    padding: int | tuple[int, int] = 0,
) -> str:
    """The block of GoogLeNet and Inception: conv, bn, ReLU."""
    x = net.conv(x, f"{name}.conv", inputs, outputs, kernel, stride=stride, padding=padding)
    return net.relu(net.bn(x, f"{name}.bn", outputs, 1e-3))


def googlenet(net: Network) -> str:
    modules = {
        "3a": (64, 96, 128, 16, 32, 32),
        "3b": (128, 128, 192, 32, 96, 64),
        "4a": (192, 96, 208, 16, 48, 64),
        "4b": (160, 112, 224, 24, 64, 64),
        "4c": (128, 128, 256, 24, 64, 64),
        "4d": (112, 144, 288, 32, 64, 64),
        "4e": (256, 160, 320, 32, 128, 128),
        "5a": (256, 160, 320, 32, 128, 128),
        "5b": (384, 192, 384, 48, 128, 128),
    }
    x = net.max_pool(basic(net, "image", "conv1", 3, 64, 7, stride=2, padding=3), 3, 2, ceil=True)
    x = basic(net, basic(net, x, "conv2", 64, 64, 1), "conv3", 64, 192, 3, padding=1)
    x, channels = net.max_pool(x, 3, 2, ceil=True), 192
    for key, (one, red3, three, red5, five, pool) in modules.items():
        if key in ("4a", "5a"):
            x = net.max_pool(x, 3 if key == "4a" else 2, 2, ceil=True)
        name = f"inception{key}"
        branches = [basic(net, x, f"{name}.branch1", channels, one, 1)]
        for branch, narrow, wide in ((2, red3, three), (3, red5, five)):
            y = basic(net, x, f"{name}.branch{branch}.0", channels, narrow, 1)
            branches.append(basic(net, y, f"{name}.branch{branch}.1", narrow, wide, 3, padding=1))
        y = net.max_pool(x, 3, 1, padding=1)
        branches.append(basic(net, y, f"{name}.branch4.1", channels, pool, 1))
        x, channels = net.op("Concat", *branches, axis=1), one + three + five + pool
    return net.linear(net.average(x), "fc", 1024, 1000)


def inception_v3(net: Network) -> str:
    Steps = Sequence[tuple[str, int, int | tuple[int, int], int | tuple[int, int], int]]

    def chain(x: str, name: str, inputs: int, steps: Steps) -> str:
        for part, outputs, kernel, padding, stride in steps:
            x = basic(net, x, f"{name}.branch{part}", inputs, outputs, kernel, padding=padding, stride=stride)
            inputs = outputs
        return x

    def pooled(x: str) -> str:
        return net.op(
            "AveragePool", x, kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4, count_include_pad=1
        )

    row, column = ((1, 7), (0, 3), 1), ((7, 1), (3, 0), 1)
    x = basic(net, "image", "Conv2d_1a_3x3", 3, 32, 3, stride=2)
    x = basic(net, x, "Conv2d_2a_3x3", 32, 32, 3)
    x = net.max_pool(basic(net, x, "Conv2d_2b_3x3", 32, 64, 3, padding=1), 3, 2)
    x = basic(net, x, "Conv2d_3b_1x1", 64, 80, 1)
    x = net.max_pool(basic(net, x, "Conv2d_4a_3x3", 80, 192, 3), 3, 2)
    channels = 192
    for letter, pool in (("b", 32), ("c", 64), ("d", 64)):
        name = f"Mixed_5{letter}"
        double = [("3x3dbl_1", 64, 1, 0, 1), ("3x3dbl_2", 96, 3, 1, 1), ("3x3dbl_3", 96, 3, 1, 1)]
        parts = [
            chain(x, name, channels, [("1x1", 64, 1, 0, 1)]),
            chain(x, name, channels, [("5x5_1", 48, 1, 0, 1), ("5x5_2", 64, 5, 2, 1)]),
            chain(x, name, channels, double),
            chain(pooled(x), name, channels, [("_pool", pool, 1, 0, 1)]),
        ]
        x, channels = net.op("Concat", *parts, axis=1), 224 + pool
    double = [("3x3dbl_1", 64, 1, 0, 1), ("3x3dbl_2", 96, 3, 1, 1), ("3x3dbl_3", 96, 3, 0, 2)]
    parts = [
        chain(x, "Mixed_6a", channels, [("3x3", 384, 3, 0, 2)]),
        chain(x, "Mixed_6a", channels, double),
        net.max_pool(x, 3, 2),
    ]
    x = net.op("Concat", *parts, axis=1)
    for letter, c in (("b", 128), ("c", 160), ("d", 160), ("e", 192)):
        name = f"Mixed_6{letter}"
        seven: Steps = [("7x7_1", c, 1, 0, 1), ("7x7_2", c, *row), ("7x7_3", 192, *column)]
        twice: Steps = [
            ("7x7dbl_1", c, 1, 0, 1),
            ("7x7dbl_2", c, *column),
            ("7x7dbl_3", c, *row),
            ("7x7dbl_4", c, *column),
            ("7x7dbl_5", 192, *row),
        ]
        parts = [
            chain(x, name, 768, [("1x1", 192, 1, 0, 1)]),
            chain(x, name, 768, seven),
            chain(x, name, 768, twice),
            chain(pooled(x), name, 768, [("_pool", 192, 1, 0, 1)]),
        ]
        x = net.op("Concat", *parts, axis=1)
    last: Steps = [
        ("7x7x3_1", 192, 1, 0, 1),
        ("7x7x3_2", 192, *row),
        ("7x7x3_3", 192, *column),
        ("7x7x3_4", 192, 3, 0, 2),
    ]
    parts = [
        chain(x, "Mixed_7a", 768, [("3x3_1", 192, 1, 0, 1), ("3x3_2", 320, 3, 0, 2)]),
        chain(x, "Mixed_7a", 768, last),
        net.max_pool(x, 3, 2),
    ]
    x, channels = net.op("Concat", *parts, axis=1), 1280
    for letter in "bc":
        name = f"Mixed_7{letter}"
        single = chain(x, name, channels, [("3x3_1", 384, 1, 0, 1)])
        deep = chain(x, name, channels, [("3x3dbl_1", 448, 1, 0, 1), ("3x3dbl_2", 384, 3, 1, 1)])
        parts = [
            chain(x, name, channels, [("1x1", 320, 1, 0, 1)]),
            chain(single, name, 384, [("3x3_2a", 384, (1, 3), (0, 1), 1)]),
            chain(single, name, 384, [("3x3_2b", 384, (3, 1), (1, 0), 1)]),
            chain(deep, name, 384, [("3x3dbl_3a", 384, (1, 3), (0, 1), 1)]),
            chain(deep, name, 384, [("3x3dbl_3b", 384, (3, 1), (1, 0), 1)]),
            chain(pooled(x), name, channels, [("_pool", 192, 1, 0, 1)]),
        ]
        x, channels = net.op("Concat", *parts, axis=1), 2048
    return net.linear(net.average(x), "fc", 2048, 1000)


Activation = Callable[[str], str]


def conv_norm(
    net: Network,
    x: str,
    name: str,
    inputs: int,
    outputs: int,
    kernel: int,
    activation: Activation | None,
    *,
    stride: int = 1,
    groups: int = 1,
    epsilon: float = 1e-5,
) -> str:
    """The pair that the mobile networks are lists of: <name>.0 and <name>.1."""
    x = net.conv(x, f"{name}.0", inputs, outputs, kernel, stride=stride, padding=kernel // 2, groups=groups)
    x = net.bn(x, f"{name}.1", outputs, epsilon)
    return activation(x) if activation else x


def mobilenet_v2(net: Network) -> str:
    settings = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2)]
    x, channels, number = conv_norm(net, "image", "features.0", 3, 32, 3, net.relu6, stride=2), 32, 1
    for ratio, filters, count, first in [*settings, (6, 320, 1, 1)]:
        for block in range(count):
            stride, name, y, step = first if block == 0 else 1, f"features.{number}.conv", x, 0
            hidden = channels * ratio
            if ratio != 1:
                y, step = conv_norm(net, y, f"{name}.0", channels, hidden, 1, net.relu6), 1
            y = conv_norm(
                net, y, f"{name}.{step}", hidden, hidden, 3, net.relu6, stride=stride, groups=hidden
            )
            y = net.conv(y, f"{name}.{step + 1}", hidden, filters, 1)
            y = net.bn(y, f"{name}.{step + 2}", filters)
            x = net.op("Add", x, y) if stride == 1 and channels == filters else y
            channels, number = filters, number + 1
    x = conv_norm(net, x, "features.18", 320, 1280, 1, net.relu6)
    return net.linear(net.average(x), "classifier.1", 1280, 1000)


def excite(
    net: Network, x: str, name: str, channels: int, narrow: int, activation: Activation, gate: Activation
) -> str:
    y = net.op("GlobalAveragePool", x)
    y = activation(net.conv(y, f"{name}.fc1", channels, narrow, 1, bias=True))
    return net.op("Mul", x, gate(net.conv(y, f"{name}.fc2", narrow, channels, 1, bias=True)))


def mobilenet_v3_small(net: Network) -> str:
    settings = [
        (3, 16, 16, True, False, 2),
        (3, 72, 24, False, False, 2),
        (3, 88, 24, False, False, 1),
        (5, 96, 40, True, True, 2),
        (5, 240, 40, True, True, 1),
        (5, 240, 40, True, True, 1),
        (5, 120, 48, True, True, 1),
        (5, 144, 48, True, True, 1),
        (5, 288, 96, True, True, 2),
        (5, 576, 96, True, True, 1),
        (5, 576, 96, True, True, 1),
    ]
    narrow = {16: 8, 96: 24, 240: 64, 120: 32, 144: 40, 288: 72, 576: 144}

    def gate(x: str) -> str:
        return net.op("HardSigmoid", x, alpha=1 / 6, beta=0.5)

    x = conv_norm(net, "image", "features.0", 3, 16, 3, net.hard_swish, stride=2, epsilon=1e-3)
    channels = 16
    for number, (kernel, hidden, filters, squeeze, swish, stride) in enumerate(settings, start=1):
        activation, name, y, step = net.hard_swish if swish else net.relu, f"features.{number}.block", x, 0
        if hidden != channels:
            y, step = conv_norm(net, y, f"{name}.0", channels, hidden, 1, activation, epsilon=1e-3), 1
        y = conv_norm(
            net,
            y,
            f"{name}.{step}",
            hidden,
            hidden,
            kernel,
            activation,
            stride=stride,
            groups=hidden,
            epsilon=1e-3,
        )
        if squeeze:
            step += 1
            y = excite(net, y, f"{name}.{step}", hidden, narrow[hidden], net.relu, gate)
        y = conv_norm(net, y, f"{name}.{step + 1}", hidden, filters, 1, None, epsilon=1e-3)
        x = net.op("Add", x, y) if stride == 1 and channels == filters else y
        channels = filters
    x = conv_norm(net, x, "features.12", 96, 576, 1, net.hard_swish, epsilon=1e-3)
    x = net.hard_swish(net.linear(net.average(x), "classifier.0", 576, 1024))
    return net.linear(x, "classifier.3", 1024, 1000)


def efficientnet_b0(net: Network) -> str:
    settings = [
        (1, 3, 1, 16, 1),
        (6, 3, 2, 24, 2),
        (6, 5, 2, 40, 2),
        (6, 3, 2, 80, 3),
        (6, 5, 1, 112, 3),
        (6, 5, 2, 192, 4),
        (6, 3, 1, 320, 1),
    ]

    def gate(x: str) -> str:
        return net.op("Sigmoid", x)

    x, channels = conv_norm(net, "image", "features.0", 3, 32, 3, net.silu, stride=2), 32
    for stage, (ratio, kernel, first, filters, count) in enumerate(settings, start=1):
        for block in range(count):
            stride, name, y, step = first if block == 0 else 1, f"features.{stage}.{block}.block", x, 0
            hidden = channels * ratio
            if ratio > 1:
                y, step = conv_norm(net, y, f"{name}.0", channels, hidden, 1, net.silu), 1
            y = conv_norm(
                net, y, f"{name}.{step}", hidden, hidden, kernel, net.silu, stride=stride, groups=hidden
            )
            y = excite(net, y, f"{name}.{step + 1}", hidden, channels // 4, net.silu, gate)
            y = conv_norm(net, y, f"{name}.{step + 2}", hidden, filters, 1, None)
            x = net.op("Add", x, y) if stride == 1 and channels == filters else y
            channels = filters
    x = conv_norm(net, x, "features.8", 320, 1280, 1, net.silu)
    return net.linear(net.average(x), "classifier.1", 1280, 1000)


def shufflenet_v2(net: Network) -> str:
    def halves(x: str, name: str, start: int, sizes: tuple[int, int], side: int, stride: int) -> str:
        """1x1, depthwise, 1x1 of branch 2, or without the first of branch 1."""
        inputs, half = sizes
        if start:
            x = net.relu(net.bn(net.conv(x, f"{name}.0", inputs, half, 1), f"{name}.1", half))
            inputs = half
        x = net.conv(x, f"{name}.{start}", inputs, inputs, 3, stride=stride, padding=1, groups=inputs)
        x = net.bn(x, f"{name}.{start + 1}", inputs)
        x = net.conv(x, f"{name}.{start + 2}", inputs, half, 1)
        return net.relu(net.bn(x, f"{name}.{start + 3}", half))

    x = net.relu(net.bn(net.conv("image", "conv1.0", 3, 24, 3, stride=2, padding=1), "conv1.1", 24))
    x, channels, side = net.max_pool(x, 3, 2, padding=1), 24, net.size // 4
    for stage, (filters, count) in enumerate(((116, 4), (232, 8), (464, 4)), start=2):
        half, side = filters // 2, side // 2
        for unit in range(count):
            name = f"stage{stage}.{unit}"
            if unit == 0:
                left = halves(x, f"{name}.branch1", 0, (channels, half), side, 2)
                right = halves(x, f"{name}.branch2", 3, (channels, half), side, 2)
            else:
                cuts = [net.constant([place]) for place in (0, half, filters)]
                axis = net.constant([1])
                left = net.op("Slice", x, cuts[0], cuts[1], axis)
                right = net.op("Slice", x, cuts[1], cuts[2], axis)
                right = halves(right, f"{name}.branch2", 3, (half, half), side, 1)
            x = net.op("Concat", left, right, axis=1)
            x = net.op("Reshape", x, net.constant([1, 2, half, side, side]))
            x = net.op("Transpose", x, perm=[0, 2, 1, 3, 4])
            x, channels = net.op("Reshape", x, net.constant([1, filters, side, side])), filters
    x = net.relu(net.bn(net.conv(x, "conv5.0", 464, 1024, 1), "conv5.1", 1024))
    return net.linear(net.average(x), "fc", 1024, 1000)


def convnext_tiny(net: Network) -> str:
    def norm(x: str, name: str, channels: int) -> str:
        """Over the last axis."""
        scale = net.array(f"{name}.weight", (channels,), 0.1, 1.0)
        return net.op(
            "LayerNormalization", x, scale, net.array(f"{name}.bias", (channels,), 0.1), epsilon=1e-6
        )

    def norm_maps(x: str, name: str, channels: int) -> str:
        x = norm(net.op("Transpose", x, perm=[0, 2, 3, 1]), name, channels)
        return net.op("Transpose", x, perm=[0, 3, 1, 2])

    def dense(x: str, name: str, inputs: int, outputs: int) -> str:
        weight = net.array(f"{name}.weight", (outputs, inputs), inputs**-0.5)
        x = net.op("MatMul", x, net.op("Transpose", weight, perm=[1, 0]))
        return net.op("Add", x, net.array(f"{name}.bias", (outputs,), 0.1))

    def gelu(x: str) -> str:
        root = net.op("Erf", net.op("Mul", x, net.constant(0.5**0.5, np.float32)))
        twice = net.op("Add", root, net.constant(1.0, np.float32))
        return net.op("Mul", net.op("Mul", x, twice), net.constant(0.5, np.float32))

    sizes = (96, 192, 384, 768)
    x = norm_maps(net.conv("image", "features.0.0", 3, 96, 4, stride=4, bias=True), "features.0.1", 96)
    for stage, (channels, count) in enumerate(zip(sizes, (3, 3, 9, 3), strict=True)):
        if stage:
            name = f"features.{2 * stage}"
            x = norm_maps(x, f"{name}.0", sizes[stage - 1])
            x = net.conv(x, f"{name}.1", sizes[stage - 1], channels, 2, stride=2, bias=True)
        for block in range(count):
            name = f"features.{2 * stage + 1}.{block}"
            y = net.conv(x, f"{name}.block.0", channels, channels, 7, padding=3, groups=channels, bias=True)
            y = norm(net.op("Transpose", y, perm=[0, 2, 3, 1]), f"{name}.block.2", channels)
            y = gelu(dense(y, f"{name}.block.3", channels, 4 * channels))
            y = net.op("Transpose", dense(y, f"{name}.block.5", 4 * channels, channels), perm=[0, 3, 1, 2])
            y = net.op("Mul", net.array(f"{name}.layer_scale", (channels, 1, 1), 0.3), y)
            x = net.op("Add", x, y)
    x = norm_maps(net.op("GlobalAveragePool", x), "classifier.0", 768)
    return net.linear(net.op("Flatten", x), "classifier.2", 768, 1000)
