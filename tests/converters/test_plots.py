"""The pictures of a run: whole PNGs that show what they are given."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgecore.converters import plots
from edgecore.converters.evaluate import Report

pytestmark = pytest.mark.usefixtures("matplotlib")


@pytest.fixture
def matplotlib(need_module: object) -> None:
    """Ends a test where matplotlib is missing."""
    need_module("matplotlib")  # type: ignore[operator]


def rows(count: int) -> list[dict[str, float]]:
    """A training that gets better and then forgets a little."""
    return [
        {
            "epoch": epoch,
            "loss": 2 * math.exp(-epoch / 8) + 0.1,
            "accuracy": 1 - 0.8 * math.exp(-epoch / 8),
            "val_loss": 1.9 * math.exp(-epoch / 8) + 0.4 + (epoch / 60) ** 2,
            "val_accuracy": 0.85 - 0.6 * math.exp(-epoch / 8) - (epoch / 150) ** 2,
            "rate": 0.001 * (1 + math.cos(math.pi * (epoch - 1) / count)) / 2,
        }
        for epoch in range(1, count + 1)
    ]


def shown(path: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path))
    assert picture is not None
    return np.asarray(picture, np.uint8)


def pixels_of(picture: NDArray[np.uint8], colour: str) -> int:
    """How many pixels have that colour."""
    wanted = np.array([int(colour[at : at + 2], 16) for at in (5, 3, 1)])
    return int((np.abs(picture.astype(int) - wanted).max(axis=2) < 8).sum())


@pytest.mark.parametrize("count", [1, 3, 100])
def test_curves_of_any_number_of_epochs(tmp_path: Path, count: int) -> None:
    plots.curves(rows(count), tmp_path / "curves.png")
    picture = shown(tmp_path / "curves.png")
    assert picture.shape == (442, 1300, 3)
    for colour in (plots.TRAINING, plots.VALIDATION, plots.RATE):
        assert pixels_of(picture, colour) > 20


def test_a_loss_that_is_no_number_leaves_a_gap(tmp_path: Path) -> None:
    epochs = rows(5)
    epochs[2]["val_loss"] = math.nan
    plots.curves(epochs, tmp_path / "curves.png")
    assert shown(tmp_path / "curves.png").size


@pytest.mark.parametrize("count", [2, 9, 60])
def test_a_confusion_matrix_is_dark_on_the_diagonal(tmp_path: Path, count: int) -> None:
    matrix = np.eye(count, dtype=np.int64) * 90 + 1
    report = Report(tuple(f"class number {number}" for number in range(count)), matrix)
    plots.confusion(report, tmp_path / "confusion.png")
    picture = shown(tmp_path / "confusion.png")
    assert max(picture.shape) <= 3300
    dark = (picture.max(axis=2) < 140) & (picture[..., 0] > picture[..., 2] + 40)
    assert dark.any()


def test_class_names_are_drawn_as_they_are_and_without_a_warning(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    names = ("price in $", r"$\frac$", "寿司")
    plots.confusion(Report(names, np.eye(3, dtype=np.int64)), tmp_path / "confusion.png")
    assert shown(tmp_path / "confusion.png").size
    assert not recwarn.list
