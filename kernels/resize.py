"""Resizes of maps on numpy arrays. Otherwise as `operators`."""

from __future__ import annotations

from typing import Unpack

from edgecore.kernels.layers import MOST_EXTENT, Pair
from edgecore.kernels.network import Network, RunOptions
from edgecore.kernels.tensors import QTensor, activation_tensor, integer


def resize_nearest_neighbor(
    x: QTensor,
    size: Pair,
    *,
    align_corners: bool = False,
    half_pixel_centers: bool = False,
    **options: Unpack[RunOptions],
) -> QTensor:
    """Copies of the nearest pixels.

    Args:
        x: (1, height, width, channels).
        size: (height, width) of the result.
        align_corners: the outermost pixels' centres lie on each other.
        half_pixel_centers: centres lie at halves, as most image libraries have it; not with `align_corners`.

    Returns:
        (1, *size, channels), quantised as x.
    """
    return _resize("resize_nearest_neighbor", x, size, align_corners, half_pixel_centers, options)


def resize_bilinear(
    x: QTensor,
    size: Pair,
    *,
    align_corners: bool = False,
    half_pixel_centers: bool = False,
    **options: Unpack[RunOptions],
) -> QTensor:
    """Means of the four pixels around, weighted in steps of 1/1024. Otherwise as the nearest neighbour."""
    return _resize("resize_bilinear", x, size, align_corners, half_pixel_centers, options)


def _resize(
    kind: str, x: QTensor, size: Pair, align_corners: bool, half_pixel_centers: bool, options: RunOptions
) -> QTensor:
    activation_tensor(x, "x", (4,))
    try:
        height, width = size
    except (TypeError, ValueError):
        raise ValueError(f"size: {size!r} is not (height, width)") from None
    rows, columns = integer(height, "size", 1, MOST_EXTENT), integer(width, "size", 1, MOST_EXTENT)
    if align_corners and half_pixel_centers:
        raise ValueError("half_pixel_centers: not together with align_corners")
    network = Network()
    value = network.input(x, "x")
    y = network.node(
        kind,
        [value.number],
        (1, rows, columns, x.shape[3]),
        x.quantization,
        align_corners=align_corners,
        half_pixel_centers=half_pixel_centers,
    )
    return network.run(y, options)
