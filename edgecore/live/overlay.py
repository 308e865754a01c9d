"""The answer drawn into the picture: label, confidence, latency and rate."""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from typing import TYPE_CHECKING

from edgecore.camera.opencv import opencv
from edgecore.errors import UserError

if TYPE_CHECKING:
    import numpy as np

WHITE, LIGHT, GREY, GREEN = (255, 255, 255), (200, 200, 200), (125, 125, 125), (90, 220, 90)  # BGR
SHADE = 0.3  # of the picture's brightness is left beneath the text
LABEL, NUMBERS = 1 / 20, 1 / 30  # height of a capital letter, of the picture's shorter side
SMALLEST = 6  # pixels of a capital letter that can still be read
SPELLED = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
    | {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "–": "-", "—": "-", "’": "'"}
)


def draw(
    picture: np.ndarray,
    label: str | None,
    score: float,
    latency: float | None = None,
    rate: float | None = None,
) -> np.ndarray:
    """Draws a panel over the bottom of a picture, in place: the label, its score as a bar and a number.

    What does not fit is left out: the line with latency and rate below about 50 rows, the percentage and the
    end of the label where the picture is too narrow, and all of it below about 20.

    Args:
        picture: uint8 (height, width, 3), blue-green-red, writable; any strides.
        label: letters beyond ASCII lose their accents or become "?", as OpenCV draws no others; None: "-".
        score: of the label, 0 to 1; what lies outside is drawn as the nearest end.
        latency: from capture to answer, in seconds; None: not shown.
        rate: frames a second; None: not shown.

    Returns:
        `picture`.

    Raises UserError: `picture` is no such array.
    """
    import numpy as np

    cv2 = opencv()
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.flags.writeable:
        raise UserError(
            f"the overlay got {picture.dtype} {picture.shape}; give a writable uint8 array (height, width, 3)"
        )
    height, width = picture.shape[:2]
    share = min(max(score, 0.0), 1.0) if not math.isnan(score) else 0.0
    letter, small = (max(SMALLEST, round(min(height, width) * size)) for size in (LABEL, NUMBERS))
    gap = max(1, letter // 2)
    bar = max(2, letter // 3)
    rows = letter + bar + 3 * gap
    numbers = _numbers(latency, rate) if 2 * (rows + small + gap) <= height else ""
    if numbers:
        rows += small + gap
    inside = width - 2 * gap
    if rows > height or inside < 2 * letter:
        return picture

    panel = cv2.convertScaleAbs(np.ascontiguousarray(picture[height - rows :]), alpha=SHADE)
    percent = f"{share:.0%}"
    free = inside - _width(percent, letter) - 2 * gap
    if free >= _width("MM..", letter):
        _write(panel, percent, (width - gap - _width(percent, letter), gap), letter, WHITE)
    else:
        free = inside
    _write(panel, _fitted(plain(label or "-"), letter, free), (gap, gap), letter, WHITE)
    top = 2 * gap + letter
    cv2.rectangle(panel, (gap, top), (gap + inside - 1, top + bar - 1), GREY, cv2.FILLED)
    if round(inside * share):
        cv2.rectangle(panel, (gap, top), (gap + round(inside * share) - 1, top + bar - 1), GREEN, cv2.FILLED)
    if numbers:
        _write(panel, _fitted(numbers, small, inside), (gap, top + bar + gap), small, LIGHT)
    picture[height - rows :] = panel
    return picture


def plain(text: str) -> str:
    """A text in printable ASCII: accents dropped, ligatures spelled out, "?" for every other letter."""
    letters = unicodedata.normalize("NFKD", text.translate(SPELLED))
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    spaced = " ".join(kept.split())
    return "".join(letter if " " <= letter <= "~" else "?" for letter in spaced)


def _numbers(latency: float | None, rate: float | None) -> str:
    found = []
    if latency is not None:
        found.append(f"{latency * 1e3:.1f} ms" if latency < 1 else f"{latency:.1f} s")
    if rate is not None:
        found.append(f"{rate:.1f} fps")
    return "   ".join(found)


def _fitted(text: str, letter: int, width: int) -> str:
    """As much of a text as fits."""
    if _width(text, letter) <= width:
        return text
    end = bisect_right(range(len(text)), width, key=lambda end: _width(text[:end] + "..", letter)) - 1
    return text[:end].rstrip() + ".." if end > 0 else ""


def _style(letter: int) -> tuple[int, float, int]:
    """(font, scale, thickness) of capitals that are `letter` pixels high."""
    cv2 = opencv()
    thickness = max(1, round(letter / 9))
    font = cv2.FONT_HERSHEY_SIMPLEX
    return font, cv2.getFontScaleFromHeight(font, letter, thickness), thickness


def _width(text: str, letter: int) -> int:
    (width, _), _ = opencv().getTextSize(text, *_style(letter))
    return int(width)


def _write(panel: np.ndarray, text: str, at: tuple[int, int], letter: int, colour: tuple[int, ...]) -> None:
    """Writes a line whose top left corner is `at`."""
    cv2 = opencv()
    font, scale, thickness = _style(letter)
    cv2.putText(panel, text, (at[0], at[1] + letter), font, scale, colour, thickness, cv2.LINE_AA)
