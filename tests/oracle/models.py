"""Small whole networks of every family that the engine knows, the same on every machine.

Weights come from a seeded generator and scales from exactly rounded arithmetic, so neither TensorFlow nor a
file is needed and another architecture can run the very same models.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from .blocks import fire
from .network import Network
from .rearrange import shuffle, split, strided_slice, transpose
from .runtime import Array


def squeezenet() -> Network:
    """Stem, pools between fires, one plain and one projected bypass, a convolution as classifier."""
    net = Network(seed=11)
    y = net.conv2d(net.input((1, 47, 45, 3)), 24, (3, 3), (2, 2), padding="VALID", activation="RELU")
    y = fire(net, net.pool(y, "MAX_POOL_2D", (3, 3), (2, 2)), 8, 16, 16)
    y = net.binary("ADD", y, fire(net, y, 8, 16, 16), "RELU")
    y = net.pool(y, "MAX_POOL_2D", (3, 3), (2, 2), "SAME")
    y = net.binary("ADD", net.conv2d(y, 48), fire(net, y, 12, 20, 28))
    y = net.conv2d(y, 10, activation="RELU")
    net.output(net.softmax(net.mean(y)))
    return net


def resnet() -> Network:
    """PAD before the stem, identity and projection blocks, a fully connected classifier."""
    net = Network(seed=12)
    y = net.pad(net.input((1, 33, 31, 3)), [(0, 0), (3, 3), (3, 3), (0, 0)])
    y = net.conv2d(y, 16, (7, 7), (2, 2), padding="VALID", activation="RELU")
    y = net.pool(net.pad(y, [(0, 0), (1, 1), (1, 1), (0, 0)]), "MAX_POOL_2D", (3, 3), (2, 2))
    for channels, stride in ((16, 1), (32, 2), (48, 2)):
        inner = net.conv2d(y, channels, (3, 3), (stride, stride), activation="RELU")
        inner = net.conv2d(inner, channels, (3, 3))
        skip = y if stride == 1 else net.conv2d(y, channels, (1, 1), (stride, stride))
        y = net.binary("ADD", inner, skip, "RELU")
    net.output(net.softmax(net.fully_connected(net.mean(y), 10)))
    return net


def mobilenet_v1() -> Network:
    net = Network(seed=13)
    y = net.conv2d(net.input((1, 40, 40, 3)), 8, (3, 3), (2, 2), activation="RELU6")
    for channels, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1)):
        y = net.depthwise_conv2d(y, 1, (3, 3), (stride, stride), activation="RELU6")
        y = net.conv2d(y, channels, activation="RELU6")
    y = net.pool(y, "AVERAGE_POOL_2D", (5, 5), (5, 5))
    net.output(net.softmax(net.fully_connected(net.reshape(y, (1, 64)), 2)))
    return net


def mobilenet_v2() -> Network:
    net = Network(seed=14)
    y = net.conv2d(net.input((1, 35, 37, 3)), 16, (3, 3), (2, 2), activation="RELU6")
    for channels, stride in ((16, 1), (24, 2), (24, 1), (40, 2), (40, 1)):
        wide = net.conv2d(y, net.shape(y)[3] * 6, activation="RELU6")
        wide = net.depthwise_conv2d(wide, 1, (3, 3), (stride, stride), activation="RELU6")
        narrow = net.conv2d(wide, channels)
        y = net.binary("ADD", y, narrow) if net.shape(y) == net.shape(narrow) else narrow
    net.output(net.fully_connected(net.mean(net.conv2d(y, 64, activation="RELU6")), 12))
    return net


def spp() -> Network:
    """Leaky convolutions, a map pooled at several scales, and a dense head."""
    net = Network(seed=15)
    y = net.input((1, 64, 64, 3))
    for channels in (8, 16, 24, 32):
        y = net.conv2d(y, channels, (3, 3))
        y = net.pool(net.unary("LEAKY_RELU", y, net.quants[y], alpha=0.1), "MAX_POOL_2D", (2, 2), (2, 2))
    y = net.unary("LEAKY_RELU", net.conv2d(y, 12), alpha=0.1)
    flat = [net.reshape(y, (1, 192))]
    for window in (2, 3, 4):
        pooled = net.pool(y, "MAX_POOL_2D", (window, window))
        flat.append(net.reshape(pooled, (1, 12 * (5 - window) ** 2)))
    y = net.fully_connected(net.concatenation(flat, axis=1), 24, activation="RELU")
    net.output(net.unary("LOGISTIC", net.fully_connected(y, 3)))
    return net


def attention() -> Network:
    """Squeeze-and-excitation, hard swish, dense concatenations and an average pool."""
    net = Network(seed=16)
    y = net.unary("HARD_SWISH", net.conv2d(net.input((1, 29, 27, 3)), 16, (3, 3), (2, 2)))
    gate = net.conv2d(net.mean(y, keep_dims=True), 8, activation="RELU")
    y = net.binary("MUL", y, net.unary("LOGISTIC", net.conv2d(gate, 16)))
    for _ in range(3):
        new = net.conv2d(
            net.conv2d(y, 24, activation="RELU"), 8, (3, 3), activation="RELU", out=net.quants[y]
        )
        y = net.concatenation([y, new])
    y = net.pool(y, "AVERAGE_POOL_2D", (3, 3), (2, 2), "SAME")
    net.output(net.unary("QUANTIZE", net.depthwise_conv2d(y, 2, (5, 5), (2, 2), activation="RELU")))
    return net


def shufflenet() -> Network:
    """Grouped convolutions with a shuffle between; halves that are split, joined and shuffled."""
    net = Network(seed=17)
    y = net.conv2d(net.input((1, 33, 31, 3)), 24, (3, 3), (2, 2), activation="RELU")
    inner = shuffle(net, net.conv2d(y, 12, activation="RELU", groups=3), 3)
    inner = net.conv2d(net.depthwise_conv2d(inner), 24, groups=3)
    y = net.binary("ADD", y, inner, "RELU")
    for _ in range(2):
        left, right = split(net, y, 2)
        right = net.depthwise_conv2d(net.conv2d(right, 12, activation="RELU"))
        right = net.conv2d(right, 12, activation="RELU", out=net.quants[left])
        y = shuffle(net, net.concatenation([left, right]), 2)
    middle = strided_slice(net, y, [0, 2, 3], [0, 0, 12], [1, 2, 3], begin_mask=1, end_mask=3)
    net.output(net.softmax(net.fully_connected(net.mean(y), 10)), transpose(net, middle, (0, 3, 1, 2)))
    return net


def unet() -> Network:
    """Down and up again by transposed convolutions and resizes, joined with what was there before."""
    net = Network(seed=18)
    x = net.input((1, 32, 24, 3))
    first = net.conv2d(x, 16, (3, 3), activation="RELU")
    second = net.conv2d(net.pool(first, "MAX_POOL_2D", (2, 2), (2, 2)), 24, (3, 3), activation="RELU")
    y = net.conv2d(net.pool(second, "MAX_POOL_2D", (2, 2), (2, 2)), 32, (3, 3), activation="RELU")
    y = net.transpose_conv(y, 24, (2, 2), (2, 2), out=net.quants[second])
    y = net.conv2d(net.concatenation([y, second]), 16, (3, 3), activation="RELU", out=net.quants[first])
    y = net.resize(y, "RESIZE_BILINEAR", (32, 24), half_pixel_centers=True)
    y = net.conv2d(net.concatenation([y, first]), 5, activation="NONE")
    y = net.transpose_conv(net.unary("TANH", y), 4, (3, 3), (2, 2), "VALID")
    net.output(net.resize(y, "RESIZE_NEAREST_NEIGHBOR", (33, 25), align_corners=True))
    return net


def uint8_mobilenet() -> Network:
    """As Coral has it: asymmetric weights, and a segmentation's upsampling in float."""
    net = Network(19, "uint8")
    y = net.conv2d(net.input((1, 37, 35, 3)), 16, (3, 3), (2, 2), activation="RELU6", per_channel=False)
    for point, stride in ((96, 1), (151, 2), (0, 1)):
        net.weight_point = point
        wide = net.conv2d(y, 40, activation="RELU6", per_channel=False)
        wide = net.depthwise_conv2d(wide, 1, (3, 3), (stride, stride), activation="RELU6", per_channel=False)
        narrow = net.conv2d(wide, 16, per_channel=False)
        y = net.binary("ADD", y, narrow) if stride == 1 else narrow
    up = net.resize(net.conv2d(y, 7, per_channel=False), "RESIZE_BILINEAR", (37, 35), align_corners=True)
    pooled = net.pool(y, "AVERAGE_POOL_2D", (10, 9))
    net.output(net.softmax(net.fully_connected(pooled, 12)), up)
    return net


def small_model(seed: int = 1, middle: str | None = None) -> bytes:
    """A stem, a fire module and a classifier; `middle` is an operator between the first two."""
    net = Network(seed=seed)
    y = net.conv2d(net.input((1, 19, 17, 3)), 16, (3, 3), (2, 2), activation="RELU")
    if middle:
        y = net.unary(middle, y)
    net.output(net.softmax(net.fully_connected(net.mean(fire(net, y, 8, 16, 16)), 10)))
    return net.build()


MODELS: dict[str, Callable[[], Network]] = {
    each.__name__: each
    for each in (
        squeezenet,
        resnet,
        mobilenet_v1,
        mobilenet_v2,
        spp,
        attention,
        shufflenet,
        unet,
        uint8_mobilenet,
    )
}


def digest(arrays: list[Array]) -> str:
    """sha256 of shapes, types and bytes."""
    state = hashlib.sha256()
    for array in arrays:
        state.update(f"{array.dtype} {array.shape}".encode())
        state.update(array.tobytes())
    return state.hexdigest()
