"""Operators that move elements: as layers of a `Network`, and as hypothesis strategies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from .cases import CHANNELS, SIZES, Case, cases, quants
from .network import Network

FEW = st.integers(1, 6)


def _like(net: Network, x: int, shape: Sequence[int]) -> int:
    return net.activation(shape, net.quants[x], net.spread[x])


def transpose(net: Network, x: int, order: Sequence[int]) -> int:
    y = _like(net, x, [net.shape(x)[i] for i in order])
    net.writer.op("TRANSPOSE", [x, net.constant(order)], [y], 5 if len(order) > 4 else None)
    return y


def shuffle(net: Network, x: int, groups: int) -> int:
    """ShuffleNet's channel shuffle, as converters write it."""
    _, height, width, channels = net.shape(x)
    split = net.reshape(x, (1, height, width, groups, channels // groups))
    return net.reshape(transpose(net, split, (0, 1, 2, 4, 3)), (1, height, width, channels))


def split(net: Network, x: int, count: int, axis: int = 3) -> list[int]:
    shape = list(net.shape(x))
    shape[axis] //= count
    parts = [_like(net, x, shape) for _ in range(count)]
    net.writer.op("SPLIT", [net.constant(axis), x], parts, num_splits=count)
    return parts


def split_v(net: Network, x: int, sizes: Sequence[int], axis: int) -> list[int]:
    shape = list(net.shape(x))
    parts = []
    for size in sizes:
        shape[axis] = size
        parts.append(_like(net, x, shape))
    net.writer.op("SPLIT_V", [x, net.constant(sizes), net.constant(axis)], parts, num_splits=len(parts))
    return parts


def strided_slice(
    net: Network, x: int, begin: Sequence[int], end: Sequence[int], step: Sequence[int], **masks: int
) -> int:
    """masks: begin_mask, end_mask, shrink_axis_mask. Dims past the given ones are taken whole."""
    places: list[Any] = []
    for i, (first, last, stride) in enumerate(zip(begin, end, step, strict=True)):
        if masks.get("shrink_axis_mask", 0) >> i & 1:
            places.append(first)
            continue
        start = None if masks.get("begin_mask", 0) >> i & 1 else first
        stop = None if masks.get("end_mask", 0) >> i & 1 else last
        places.append(slice(start, stop, stride))
    y = _like(net, x, np.empty(net.shape(x))[tuple(places)].shape)
    inputs = [x, *(net.constant(values) for values in (begin, end, step))]
    net.writer.op("STRIDED_SLICE", inputs, [y], 2, **masks)
    return y


def cut(net: Network, x: int, begin: Sequence[int], size: Sequence[int]) -> int:
    """SLICE; a size of -1 takes what is left."""
    shape = [n - b if s < 0 else s for n, b, s in zip(net.shape(x), begin, size, strict=True)]
    y = _like(net, x, shape)
    net.writer.op("SLICE", [x, net.constant(begin), net.constant(size)], [y])
    return y


def _transpose(draw: st.DrawFn, net: Network) -> str:
    rank = draw(st.integers(2, 6))
    batch = draw(st.sampled_from([1, 1, 1, 3]))
    few = SIZES if rank < 5 else FEW
    shape = (batch, *(draw(few) for _ in range(rank - 2)), draw(CHANNELS))
    order = draw(st.permutations(range(rank)))
    net.output(transpose(net, net.input(shape, draw(quants())), order))
    return f"transpose {shape} {order}"


def _shuffle(draw: st.DrawFn, net: Network) -> str:
    groups = draw(st.sampled_from([2, 2, 3, 4, 8]))
    shape = (1, draw(SIZES), draw(SIZES), groups * draw(st.integers(1, 40)))
    x = net.conv2d(net.input((*shape[:3], 5), draw(quants(1e-3, 0.5))), shape[3])
    net.output(net.conv2d(shuffle(net, x, groups), 7))
    return f"shuffle {shape} {groups=}"


def _split(draw: st.DrawFn, net: Network) -> str:
    axis, count = draw(st.sampled_from([1, 2, 3, -1, 3])), draw(st.integers(1, 4))
    shape = [1, draw(SIZES), draw(SIZES), draw(CHANNELS)]
    uneven = draw(st.booleans())
    sizes = [draw(st.integers(1, 9)) for _ in range(count)]
    shape[axis] = sum(sizes) if uneven else shape[axis] * count
    x = net.input(shape, draw(quants()))
    parts = split_v(net, x, sizes, axis) if uneven else split(net, x, count, axis)
    net.output(*parts)
    return f"split {shape} {axis=} {sizes if uneven else count}"


def _slice(draw: st.DrawFn, net: Network) -> str:
    shape = (1, draw(SIZES), draw(SIZES), draw(CHANNELS))
    x = net.input(shape, draw(quants()))
    begin = [draw(st.integers(0, n - 1)) for n in shape]
    size = [
        draw(st.sampled_from([-1, n - b, *range(1, n - b + 1)])) for n, b in zip(shape, begin, strict=True)
    ]
    net.output(cut(net, x, begin, size))
    return f"slice {shape} {begin=} {size=}"


def _strided_slice(draw: st.DrawFn, net: Network) -> str:
    shape = (1, draw(SIZES), draw(SIZES), draw(CHANNELS))
    x = net.input(shape, draw(quants()))
    begin, end, step = [0], [1], [1]
    for n in shape[1 : draw(st.integers(2, 4))]:
        one, other = draw(st.integers(0, n - 1)), draw(st.integers(0, n - 1))
        stride = draw(st.sampled_from([1, 1, 2, 3, -1, -2]))
        first, last = (
            (min(one, other), max(one, other) + 1) if stride > 0 else (max(one, other), min(one, other))
        )
        if stride < 0 and first == last:
            stride, last = 1, first + 1
        begin.append(first - n if draw(st.booleans()) else first)
        end.append(last)
        step.append(stride)
    masks = {name: draw(st.integers(0, 15)) for name in ("begin_mask", "end_mask")}
    shrunk = draw(st.sampled_from([0, 0, 0, 2, 4, 6]))
    if all(step[i] > 0 for i in range(len(step)) if shrunk >> i & 1):
        masks["shrink_axis_mask"] = shrunk & (1 << len(step)) - 1
    net.output(strided_slice(net, x, begin, end, step, **masks))
    return f"strided slice {shape} {begin=} {end=} {step=} {masks}"


def _new_dims(draw: st.DrawFn, net: Network) -> str:
    shape = (1, draw(SIZES), 1, draw(CHANNELS))
    x = net.input(shape, draw(quants()))
    squeezed = _like(net, x, (1, shape[1], shape[3]))
    net.writer.op("SQUEEZE", [x], [squeezed], squeeze_dims=np.asarray([2], np.int32))
    widened = _like(net, x, (1, 1, *shape[1::2]))
    net.writer.op("EXPAND_DIMS", [squeezed, net.constant(1)], [widened])
    net.output(widened)
    return f"squeeze and expand {shape}"


def _reshape(draw: st.DrawFn, net: Network) -> str:
    sizes = draw(st.lists(FEW, min_size=1, max_size=5))
    total = math.prod(sizes)
    after = draw(st.sampled_from([(1, *sizes), tuple(sizes), (total,), (1, *sizes[::-1])]))
    x = net.input((1, *sizes), draw(quants()))
    net.output(net.reshape(x, after))
    return f"reshape {(1, *sizes)} to {after}"


REARRANGEMENTS: dict[str, st.SearchStrategy[Case]] = {
    "reshape of any rank": cases(_reshape),
    "transpose": cases(_transpose),
    "shuffle": cases(_shuffle),
    "split": cases(_split),
    "slice": cases(_slice),
    "strided_slice": cases(_strided_slice),
    "squeeze and expand_dims": cases(_new_dims),
}
