"""What the networks of the zoo cost at their published sizes, for tables that need no Keras.

figures.csv is written by `python -m edgecore.converters.zoo.count`; a test holds it to the networks.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("figures.csv")


class Figures(NamedTuple):
    """Parameters in all and trainable ones, multiply-adds of one image, bytes of the .tflite files."""

    parameters: int
    trainable: int
    multiply_adds: int
    float_bytes: int
    int8_bytes: int


def table() -> dict[str, Figures]:
    """Name -> figures, of every member."""
    with TABLE.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return {row["name"]: Figures(*(int(row[field]) for field in Figures._fields)) for row in rows}
