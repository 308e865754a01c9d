"""The part of a frame that the model sees."""

from __future__ import annotations

import pytest

from edgecore.errors import UserError
from edgecore.live.region import Region


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("160,0,320,480", (160, 0, 320, 480)),
        ("25%,0,50%,100%", (160, 0, 320, 480)),
        ("0, 0, 0.01%, 1", (0, 0, 1, 1)),
        ("0%,0%,100%,100%", (0, 0, 640, 480)),
    ],
)
def test_box(text: str, box: tuple[int, int, int, int]) -> None:
    assert Region.parse(text).box(640, 480) == box


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "1,2,3,4,5", "0,0,0,4", "0,0,4,0%", "a,0,4,4", "-1,0,4,4", "0.5,0,1,1"]
)
def test_refused(text: str) -> None:
    with pytest.raises(UserError, match="is not X,Y,WIDTH,HEIGHT"):
        Region.parse(text)


@pytest.mark.parametrize("text", ["0,0,641,480", "600,0,41,1", "50%,0,51%,100%"])
def test_out_of_the_frame(text: str) -> None:
    with pytest.raises(UserError, match="reaches out of a frame of 640x480"):
        Region.parse(text).box(640, 480)
