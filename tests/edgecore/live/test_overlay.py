"""What is drawn into a picture, at every size and over every ground."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgecore.errors import UserError
from edgecore.live.overlay import GREEN, GREY, draw, plain

SIZES = [(64, 48), (96, 96), (160, 120), (640, 480), (480, 640), (1920, 1080), (3840, 2160)]


def ground(width: int, height: int, level: int) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def count(picture: np.ndarray, colour: tuple[int, ...]) -> int:
    return int((picture == colour).all(axis=2).sum())


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_white_letters_on_a_dark_panel_at_the_bottom(width: int, height: int, level: int) -> None:
    picture = ground(width, height, level)
    assert draw(picture, "cat", 0.75, 0.0123, 29.97) is picture
    changed = (picture != level).any(axis=(1, 2))
    top = int(changed.argmax())
    assert height * 0.4 < top < height * 0.9
    panel = picture[top:]
    # Beneath the letters it is dark on every ground, and a capital letter has rows enough to be read.
    assert np.median(panel) < 90
    white = (panel.min(axis=2) > 180).any(axis=1)
    assert white.sum() >= max(6, min(width, height) // 25)


@pytest.mark.parametrize(("width", "height"), SIZES[:5])
def test_the_bar_is_as_long_as_the_score(width: int, height: int) -> None:
    lengths = []
    for score in (0.0, 0.25, 0.5, 1.0):
        picture = draw(ground(width, height, 0), "cat", score)
        filled, empty = count(picture, GREEN), count(picture, GREY)
        lengths.append(filled / (filled + empty))
    assert lengths == pytest.approx([0, 0.25, 0.5, 1], abs=0.02)


@pytest.mark.parametrize(("score", "share"), [(-3.0, 0), (7.0, 1), (math.nan, 0), (math.inf, 1)])
def test_scores_out_of_range(score: float, share: int) -> None:
    assert (draw(ground(320, 240, 9), "cat", score) == draw(ground(320, 240, 9), "cat", share)).all()


@pytest.mark.parametrize("width", [64, 320, 1280])
def test_each_part_shows(width: int) -> None:
    height = width * 3 // 4
    pictures = [
        draw(ground(width, height, 40), "cat", 0.5),
        draw(ground(width, height, 40), "dog", 0.5),
        draw(ground(width, height, 40), None, 0.5),
        draw(ground(width, height, 40), "cat", 0.6),
    ]
    if height > 60:
        pictures += [
            draw(ground(width, height, 40), "cat", 0.5, latency=0.01),
            draw(ground(width, height, 40), "cat", 0.5, rate=30.0),
            draw(ground(width, height, 40), "cat", 0.5, latency=0.01, rate=30.0),
        ]
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)


@pytest.mark.parametrize("label", ["W" * 5000, "i" * 5000, "a b " * 1000])
def test_long_labels_end_before_the_percentage(label: str) -> None:
    long, none = draw(ground(640, 480, 0), label, 0.5), draw(ground(640, 480, 0), " ", 0.5)
    right = slice(560, None)
    assert (long[:, right] == none[:, right]).all()
    assert (long != none).any()


@given(
    width=st.integers(0, 200),
    height=st.integers(0, 200),
    label=st.none() | st.text(max_size=60),
    score=st.floats(),
    latency=st.none() | st.floats(),
    rate=st.none() | st.floats(),
)
@settings(max_examples=60, deadline=None)
def test_nothing_raises(
    width: int, height: int, label: str | None, score: float, latency: float | None, rate: float | None
) -> None:
    picture = ground(width, height, 100)
    draw(picture, label, score, latency, rate)
    assert picture.shape == (height, width, 3)


def test_any_strides_and_nothing_outside() -> None:
    expected = draw(ground(200, 150, 50), "cat", 0.5, 0.01, 30)
    whole = ground(400, 300, 50)
    draw(whole[100:250, 50:250], "cat", 0.5, 0.01, 30)
    assert (whole[100:250, 50:250] == expected).all()
    whole[100:250, 50:250] = 50
    assert (whole == 50).all()
    mirrored = ground(200, 150, 50)
    draw(mirrored[:, ::-1], "cat", 0.5, 0.01, 30)
    assert (mirrored[:, ::-1] == expected).all()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cat", "cat"),
        ("Großer Schäferhund", "Grosser Schaferhund"),
        ("crème brûlée – naïve", "creme brulee - naive"),
        ("Łódź, Ærøskøbing", "Lodz, AEroskobing"),
        ("猫 cat", "? cat"),
        ("a\tb\nc\0", "a b c?"),
        ("🐈", "?"),
        ("", ""),
    ],
)
def test_letters_that_opencv_cannot_draw(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_what_is_no_picture() -> None:
    fixed = ground(64, 48, 0)
    fixed.flags.writeable = False
    for wrong in (fixed, np.zeros((48, 64), np.uint8), np.zeros((48, 64, 3), np.float32)):
        with pytest.raises(UserError, match="give a writable uint8 array"):
            draw(wrong, "cat", 0.5)
