"""Hypothesis strategies for what the engine fuses, for what only looks like it, and for random graphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from .cases import ACTIVATIONS, CHANNELS, PADDINGS, Case, quants
from .network import Network, Quant
from .runtime import random_inputs

SIZES = st.integers(1, 21)
FEW = st.sampled_from([1, 2, 3, 4, 8, 12, 16, 17, 32, 33])
RELU = st.sampled_from(["RELU", "RELU6", "NONE"])

# Builds a network and returns its text and the steps that its fused plan must hold.
Describe = Callable[[st.DrawFn, Network], tuple[str, tuple[str, ...]]]


@st.composite
def blocks(draw: st.DrawFn, describe: Describe) -> Case:
    net = Network(seed=draw(st.integers(0, 2**16)))
    text, steps = describe(draw, net)
    model = net.build()
    inputs = random_inputs(model, draw(st.integers(0, 2**16)), extreme=draw(st.booleans()))
    return Case(
        text, model, inputs, draw(st.sampled_from([(1, 2), (4,), (3,), (1,)])), (True, False), steps=steps
    )


def fire(
    net: Network,
    x: int,
    squeeze: int,
    expand1: int,
    expand3: int,
    activation: str = "RELU",
    leaky: bool = False,
) -> int:
    """SqueezeNet's fire module; `leaky` puts a LEAKY_RELU behind each convolution."""

    def after(y: int) -> int:
        return net.unary("LEAKY_RELU", y, net.quants[y], alpha=0.1) if leaky else y

    act = "NONE" if leaky else activation
    s = after(net.conv2d(x, squeeze, activation=act))
    left = after(net.conv2d(s, expand1, activation=act))
    right = after(net.conv2d(s, expand3, (3, 3), activation=act, out=net.quants[left]))
    return net.concatenation([left, right])


def _fire(draw: st.DrawFn, net: Network) -> tuple[str, tuple[str, ...]]:
    shape = (1, draw(SIZES), draw(SIZES), draw(CHANNELS))
    sizes, activation, leaky = (draw(FEW), draw(FEW), draw(FEW)), draw(RELU), draw(st.booleans())
    x = net.input(shape)
    net.output(fire(net, x, *sizes, activation, leaky))
    return f"fire {shape} {sizes} {activation} {leaky=}", ("fire",)


def _fire_bypass(draw: st.DrawFn, net: Network) -> tuple[str, tuple[str, ...]]:
    size, sizes = (draw(SIZES), draw(SIZES)), (draw(FEW), draw(FEW), draw(FEW))
    projected, leaky = draw(st.booleans()), draw(st.booleans())
    channels = sizes[1] + sizes[2]
    x = net.input((1, *size, draw(CHANNELS) if projected else channels))
    y = fire(net, x, *sizes, "RELU", leaky)
    other = net.conv2d(x, channels) if projected else x
    a, b = (y, other) if draw(st.booleans()) else (other, y)
    net.output(net.binary("ADD", a, b, draw(RELU)))
    return f"fire bypass {size} {sizes} {projected=} {leaky=}", ("fire_bypass",)


def _residual(draw: st.DrawFn, net: Network) -> tuple[str, tuple[str, ...]]:
    """A ResNet block: two 3x3 convolutions and the sum with the input, plain or projected."""
    height, width, depth = draw(SIZES), draw(SIZES), draw(CHANNELS)
    projected = draw(st.booleans())
    channels = draw(CHANNELS) if projected else depth
    stride = (draw(st.integers(1, 2)),) * 2 if projected else (1, 1)
    x = net.input((1, height, width, depth))
    y = net.conv2d(x, channels, (3, 3), stride, activation="RELU")
    y = net.conv2d(y, channels, (3, 3))
    other = net.conv2d(x, channels, (1, 1), stride) if projected else x
    a, b = (y, other) if draw(st.booleans()) else (other, y)
    separate = draw(st.booleans())
    total = net.binary("ADD", a, b, "NONE" if separate else "RELU")
    net.output(net.unary("RELU", total, net.quants[total]) if separate else total)
    name = "residual_projection" if projected else "residual_add"
    return f"{name} ({height}, {width}) {depth}->{channels} {stride=} {separate=}", (name,)


def _bottleneck(draw: st.DrawFn, net: Network) -> tuple[str, tuple[str, ...]]:
    """MobileNetV2's inverted residual."""
    height, width, depth, wide = draw(SIZES), draw(SIZES), draw(FEW), draw(CHANNELS)
    x = net.input((1, height, width, depth))
    y = net.depthwise_conv2d(net.conv2d(x, wide, activation="RELU6"), activation="RELU6")
    net.output(net.binary("ADD", x, net.conv2d(y, depth)))
    return f"inverted residual ({height}, {width}) {depth}->{wide}", ("residual_add",)


def _multi_scale(draw: st.DrawFn, net: Network) -> tuple[str, tuple[str, ...]]:
    side = draw(st.integers(2, 15))
    height, width = draw(st.sampled_from([(side, side), (side, side + 1), (side + 3, side)]))
    depth = draw(CHANNELS)
    windows = draw(st.lists(st.integers(1, min(height, width)), min_size=2, max_size=5))
    x = net.input((1, height, width, depth))
    if draw(st.booleans()):
        x = net.conv2d(x, depth, activation="RELU")
    flat = []
    for window in windows:
        y = x if window == 1 else net.pool(x, "MAX_POOL_2D", (window, window))
        _, h, w, c = net.shape(y)
        flat.append(net.reshape(y, (1, h * w * c)))
    joined = net.concatenation(flat, axis=1)
    net.output(net.fully_connected(joined, 5) if draw(st.booleans()) else joined)
    return f"multi-scale max pool ({height}, {width}, {depth}) {windows}", ("multi_scale_max_pool",)


def _activation(draw: st.DrawFn, net: Network) -> tuple[str, tuple[str, ...]]:
    shape, depthwise = (1, draw(SIZES), draw(SIZES), draw(CHANNELS)), draw(st.booleans())
    kind = draw(st.sampled_from(["LEAKY_RELU", "RELU", "RELU6", "HARD_SWISH", "LOGISTIC", "QUANTIZE"]))
    stride = draw(st.sampled_from([(1, 1), (2, 2), (1, 3)]))
    x = net.input(shape)
    y = (
        net.depthwise_conv2d(x, 1, (3, 3), stride)
        if depthwise
        else net.conv2d(x, draw(CHANNELS), (3, 3), stride)
    )
    options: dict[str, Any] = {"alpha": 0.2} if kind == "LEAKY_RELU" else {}
    net.output(net.unary(kind, y, **options))
    name = "depthwise_conv_activation" if depthwise else "conv_activation"
    return f"{name} {shape} {kind} {stride=}", (name,)


def _pad(draw: st.DrawFn, net: Network) -> tuple[str, tuple[str, ...]]:
    """PAD before a window, which may be folded, and before things where it may not."""
    shape = (1, draw(st.integers(3, 15)), draw(st.integers(3, 15)), draw(CHANNELS))
    few = st.tuples(st.integers(0, 3), st.integers(0, 3))
    low = draw(st.booleans())
    x = net.input(shape, Quant(0.05, -128 if low else draw(st.integers(-128, 127))))
    if draw(st.booleans()):
        x = net.conv2d(x, shape[3], activation=draw(RELU), out=net.quants[x])
    padded = net.pad(x, [(0, 0), draw(few), draw(few), (0, 0)])
    users = draw(
        st.lists(st.sampled_from(["conv", "depthwise", "max", "average", "relu"]), min_size=1, max_size=2)
    )
    stride = draw(st.sampled_from([(1, 1), (2, 2)]))
    for user in users:
        if user == "conv":
            net.output(net.conv2d(padded, 8, (3, 3), stride, padding=draw(PADDINGS)))
        elif user == "depthwise":
            net.output(net.depthwise_conv2d(padded, 1, (3, 3), stride, padding=draw(PADDINGS)))
        elif user == "relu":
            net.output(net.unary("RELU", padded))
        else:
            kind = "MAX_POOL_2D" if user == "max" else "AVERAGE_POOL_2D"
            net.output(net.pool(padded, kind, (3, 3), stride, draw(PADDINGS)))
    return f"pad {shape} {net.quants[x]} then {users} {stride=}", ()


def _dense(draw: st.DrawFn, net: Network) -> tuple[str, tuple[str, ...]]:
    """Concatenations of concatenations, some of whose parts are also read elsewhere or are outputs."""
    x = net.input((1, draw(SIZES), draw(SIZES), draw(FEW)))
    quant = net.quants[x]
    whole = x
    layers = draw(st.integers(1, 4))
    for _ in range(layers):
        y = net.conv2d(
            whole, draw(FEW), draw(st.sampled_from([(1, 1), (3, 3)])), activation="RELU", out=quant
        )
        parts = [whole, y] if draw(st.booleans()) else [y, whole]
        if draw(st.integers(0, 3)) == 0:
            parts.append(y)
        if draw(st.integers(0, 3)) == 0:
            net.output(y)
        if draw(st.integers(0, 4)) == 0:
            parts.append(net.pool(y, "MAX_POOL_2D", (3, 3), (1, 1), "SAME"))
        whole = net.concatenation(parts)
    net.output(whole)
    return f"dense {net.shape(x)} -> {net.shape(whole)} in {layers} layers", ()


def _swish(draw: st.DrawFn, net: Network) -> tuple[str, tuple[str, ...]]:
    """A convolution's output times its own logistic, which a near miss lets others read."""
    x = net.input((1, draw(SIZES), draw(SIZES), draw(CHANNELS)))
    y = net.conv2d(x, draw(CHANNELS))
    gate = net.unary("LOGISTIC", y)
    pair = (y, gate) if draw(st.booleans()) else (gate, y)
    ratio, point = draw(st.sampled_from([1.0, 0.5, 0.03, 3.0])), draw(st.sampled_from([-128, -100, 0, 127]))
    product = net.binary("MUL", *pair, draw(ACTIVATIONS), Quant(net.quants[y].scale * ratio, point))
    net.output(product)
    seen = draw(st.sampled_from(["no", "no", "gate", "map"]))
    if seen != "no":
        net.output(gate if seen == "gate" else y)
    wanted = {"no": "conv_activation", "gate": "mul", "map": "swish"}[seen]
    return f"swish {net.shape(y)} {ratio=} {point=} {seen=}", (wanted,)


def _affine(draw: st.DrawFn, net: Network) -> tuple[str, tuple[str, ...]]:
    """Batch normalisation behind a map that no convolution made: its product, then its sum, by constants."""
    shape = (1, draw(SIZES), draw(SIZES), draw(st.integers(1, 70)))
    x = net.input(shape, draw(quants(1e-3, 2.0)))
    constants, scale = [], net.quants[x].scale
    for kind in ("MUL", "ADD"):
        dims = draw(st.sampled_from([(1, 1, 1, shape[3]), (shape[3],), (1,), ()]))
        quant = draw(quants(1e-3, 2.0))
        if kind == "ADD":  # mostly near the product's
            quant = Quant(scale * draw(st.sampled_from([1.0, 0.5, 0.013, 3.7])), quant.zero_point)
        other = net.quantised_constant(dims, quant)
        scale = scale * quant.scale * 90 if kind == "MUL" else max(scale, quant.scale)
        scale *= draw(st.sampled_from([1.0, 1.5, 0.1, 0.731]))
        pair = (x, other) if draw(st.booleans()) else (other, x)
        x = net.binary(kind, *pair, draw(ACTIVATIONS), Quant(scale, draw(quants()).zero_point))
        constants.append(f"{dims} {net.quants[other]} {net.quants[x]}")
        if kind == "MUL" and draw(st.integers(0, 4)) == 0:
            net.output(x)  # a near miss: the product is wanted
    net.output(x)
    return f"affine channel {shape} {' then '.join(constants)}", ()


def _graph(draw: st.DrawFn, net: Network) -> tuple[str, tuple[str, ...]]:
    """A random graph of maps that all have one size, with random outputs; shrinks to few operators."""
    quant = net.random_quant()
    depth = draw(st.sampled_from([4, 8, 16, 5]))
    pool = [net.input((1, draw(st.integers(1, 12)), draw(st.integers(1, 12)), depth), quant)]
    used: set[int] = set()
    names = []

    def pick(channels: int | None = None) -> int:
        fitting = [t for t in pool if channels is None or net.shape(t)[3] == channels]
        t = draw(st.sampled_from(fitting))
        used.add(t)
        return t

    for _ in range(draw(st.integers(1, 12))):
        kind = draw(
            st.sampled_from(
                [
                    "conv1",
                    "conv3",
                    "depthwise",
                    "add",
                    "add",
                    "concat",
                    "concat",
                    "unary",
                    "max",
                    "average",
                    "mul",
                    "pad",
                ]
            )
        )
        names.append(kind)
        x = pick()
        if kind in ("conv1", "conv3"):
            k = (1, 1) if kind == "conv1" else (3, 3)
            y = net.conv2d(x, draw(st.sampled_from([depth, 7])), k, activation=draw(ACTIVATIONS), out=quant)
        elif kind == "depthwise":
            y = net.depthwise_conv2d(x, activation=draw(RELU), out=quant)
        elif kind in ("add", "mul"):
            y = net.binary(kind.upper(), x, pick(net.shape(x)[3]), draw(RELU), quant)
        elif kind == "concat":
            y = net.concatenation([x, *(pick() for _ in range(draw(st.integers(1, 3))))])
        elif kind == "unary":
            y = net.unary(draw(st.sampled_from(["LEAKY_RELU", "RELU", "HARD_SWISH"])), x, quant)
        elif kind == "pad":
            y = net.conv2d(
                net.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)]), depth, (3, 3), padding="VALID", out=quant
            )
        else:
            y = net.pool(x, "MAX_POOL_2D" if kind == "max" else "AVERAGE_POOL_2D", (3, 3), (1, 1), "SAME")
        pool.append(y)
        if net.shape(y)[3] > 150:
            break
    made = pool[1:]
    net.output(*(t for t in made if t not in used or draw(st.integers(0, 4)) == 0))
    return f"graph of {net.shape(pool[0])}: {' '.join(names)}", ()


BLOCKS: dict[str, st.SearchStrategy[Case]] = {
    name: blocks(describe)
    for name, describe in {
        "fire": _fire,
        "fire_bypass": _fire_bypass,
        "residual": _residual,
        "inverted_residual": _bottleneck,
        "multi_scale_max_pool": _multi_scale,
        "conv_activation": _activation,
        "pad": _pad,
        "swish": _swish,
        "affine_channel": _affine,
        "dense": _dense,
        "graph": _graph,
    }.items()
}
