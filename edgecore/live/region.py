"""The part of a frame that the model sees."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgecore.errors import UserError

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Region:
    """A box in a frame, `x, y, width, height`; each in pixels, or a part of the frame's width or height.

    Attributes:
        sides: of each: (value, whether it is a part, 0 to 1, of the frame's side).
    """

    sides: tuple[tuple[float, bool], ...]

    @classmethod
    def parse(cls, text: str) -> Region:
        """From a text such as 160,0,320,480 or 25%,0,50%,100%. Raises UserError when it is none."""
        sides: list[tuple[float, bool]] = []
        for part in text.split(","):
            match = re.fullmatch(r"\s*([0-9]{1,6}(?:\.[0-9]+)?)(%?)\s*", part)
            if match is None or (not match[2] and "." in match[1]):
                raise UserError(f"the region {text!r} is not X,Y,WIDTH,HEIGHT in pixels or percent")
            sides.append((float(match[1]) / 100, True) if match[2] else (float(match[1]), False))
        if len(sides) != 4 or 0 in (sides[2][0], sides[3][0]):
            raise UserError(f"the region {text!r} is not X,Y,WIDTH,HEIGHT in pixels or percent")
        return cls(tuple(sides))

    def box(self, width: int, height: int) -> Box:
        """The region in a frame of this size, in pixels.

        Raises UserError when it reaches out of the frame.
        """
        whole = (width, height, width, height)
        x, y, columns, rows = (
            round(value * side) if part else int(value)
            for (value, part), side in zip(self.sides, whole, strict=True)
        )
        columns, rows = max(columns, 1), max(rows, 1)
        if x + columns > width or y + rows > height:
            raise UserError(
                f"the region {x},{y},{columns},{rows} reaches out of a frame of {width}x{height}; "
                "give a smaller one, or percent"
            )
        return x, y, columns, rows
