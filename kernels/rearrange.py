"""Operators that move elements and change none, on numpy arrays. Otherwise as `operators`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from edgecore.kernels.layers import MOST_EXTENT
from edgecore.kernels.network import Network, RunOptions
from edgecore.kernels.tensors import QTensor, activation_tensor, integer

RANKS = (1, 2, 3, 4, 5, 6)


def transpose(x: QTensor, order: Sequence[int], **options: Unpack[RunOptions]) -> QTensor:
    """The same elements with the dimensions in another order.

    Args:
        x: of rank 1 to 6.
        order: for each dimension of the result, the one of x; negative ones count from the end.

    Returns:
        x's shape in that order, quantised as x.
    """
    activation_tensor(x, "x", RANKS)
    rank = x.data.ndim
    axes = [axis % rank for axis in _integers(order, "order", rank, -rank, rank - 1)]
    if len(set(axes)) != rank:
        raise ValueError(f"order: {tuple(order)} does not name each of {rank} dimensions once")
    network = Network()
    value = network.input(x, "x")
    shape = tuple(x.shape[axis] for axis in axes)
    return network.run(network.node("transpose", [value.number], shape, x.quantization, axes=axes), options)


def strided_slice(
    x: QTensor,
    begin: Sequence[int],
    size: Sequence[int],
    step: Sequence[int] | None = None,
    **options: Unpack[RunOptions],
) -> QTensor:
    """Every step-th element of each dimension.

    Args:
        x: of rank 1 to 6.
        begin: the first element, for each dimension.
        size: how many elements.
        step: from one to the next, negative for backwards; None takes neighbours.

    Returns:
        a tensor of shape `size`, quantised as x.
    """
    activation_tensor(x, "x", RANKS)
    rank = x.data.ndim
    firsts = _integers(begin, "begin", rank, 0, MOST_EXTENT)
    sizes = _integers(size, "size", rank, 1, MOST_EXTENT)
    steps = [1] * rank if step is None else _integers(step, "step", rank, -MOST_EXTENT, MOST_EXTENT)
    for n, first, count, stride in zip(x.shape, firsts, sizes, steps, strict=True):
        if first >= n:
            raise ValueError(f"begin: {first} is behind the end of {n} elements")
        if not 0 <= first + (count - 1) * stride < n:
            raise ValueError(f"size: {count} elements from {first} by {stride} are not inside {n}")
    network = Network()
    value = network.input(x, "x")
    y = network.node(
        "strided_slice", [value.number], tuple(sizes), x.quantization, begin=firsts, size=sizes, step=steps
    )
    return network.run(y, options)


def _integers(values: Sequence[int], name: str, count: int, low: int, high: int) -> list[int]:
    try:
        numbers = [integer(value, name, low, high) for value in values]
    except TypeError:
        raise ValueError(f"{name}: {values!r} is not a sequence of integers") from None
    if len(numbers) != count:
        raise ValueError(f"{name}: {len(numbers)} integers for {count} dimensions")
    return numbers
