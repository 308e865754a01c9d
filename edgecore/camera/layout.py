"""How the bytes of a frame lie, for the sources that lay them out themselves."""

from __future__ import annotations

from edgecore.camera.source import PLANAR
from edgecore.errors import UserError

MAX_PIXELS = 1 << 26  # a mistyped or forged size is refused before it takes the memory


def shape_of(order: str, width: int, height: int, source: str) -> tuple[int, ...]:
    """The shape of a dense frame's `pixels`; `order` is one of FORMATS.

    Raises UserError: an odd side in a planar format, or more than MAX_PIXELS.
    """
    if width * height > MAX_PIXELS:
        raise UserError(f"{source}: {width}x{height} is too large; give at most {MAX_PIXELS} pixels")
    if order in PLANAR:
        if width % 2 or height % 2:
            raise UserError(f"{source}: {order} of {width}x{height}; give an even width and height")
        return (height * 3 // 2, width)
    return (height, width) if order == "GREY" else (height, width, 3)
