"""Rows of models as text, Markdown, CSV and picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from edgecore.converters.evaluation import picture, table
from edgecore.converters.evaluation.evaluation import Evaluation

Found = Callable[..., Evaluation]


def int8_alone(row: Evaluation) -> Evaluation:
    return replace(row, runs=row.runs[1:])


def test_the_markdown_has_the_papers_columns_and_the_best_in_bold(found: Found) -> None:
    head, _, first, second = table.as_markdown(
        [found("one", 80, ms=4.0), found("t|wo", 90, ms=9.5, size=9e6)]
    ).splitlines()
    assert head.split(" | ")[2:] == [
        "accuracy, float",
        "accuracy, int8",
        "mIoU, float",
        "mIoU, int8",
        "ms, float",
        "ms, int8",
        "MB, float",
        "MB, int8 |",
    ]
    assert "| 0.8100 (0.7222-0.8749) | 0.8000 (0.7112-0.8666) |" in first
    assert first.endswith("| **8.000** | **4.000** | **16.00** | **4.00** |")
    assert r"t\|wo" in second
    assert "**0.9000 (0.8256-0.9448)**" in second
    assert second.endswith("| 19.0 | 9.500 | 36.00 | 9.00 |")


def test_one_row_has_nothing_to_be_better_than_and_what_is_missing_is_a_dash(found: Found) -> None:
    text = table.as_markdown([int8_alone(found("one", 80, ms=None))])
    assert "**" not in text
    assert text.splitlines()[-1] == (
        "| one | 1,234 | - | 0.8000 (0.7112-0.8666) | - | 0.4000 | - | - | - | 4.00 |"
    )


def test_the_csv_has_every_figure_and_nothing_where_there_is_none(found: Found) -> None:
    rows = [found("one", 80), int8_alone(found("two", 90))]
    first, second = csv.DictReader(io.StringIO(table.as_csv(rows)))
    assert float(first["float_accuracy"]) == 0.81
    assert float(first["float_as_the_engine"]) == 0.99
    assert float(first["int8_accuracy_low"]) == pytest.approx(0.7112, abs=5e-5)
    assert (first["interpreter_ms"], first["int8_bytes"]) == ("24.0", "4000000")
    assert (second["float_accuracy"], second["float_as_the_engine"]) == ("", "")


def test_the_explanation_says_what_was_measured_where(found: Found) -> None:
    text = table.explanation([found("one", 80)], "food", "a Pi")
    assert text.startswith("100 images of food, 2 classes. Answers by float: float 1.0; int8: engine 1.0.")
    assert "on 1 thread" in text and "on a Pi" in text
    assert "a Pi" not in table.explanation([found("one", 80, ms=None)], "food", "a Pi")


def test_the_picture_names_every_model_in_both_panels(
    found: Found, tmp_path: Path, need_module: Callable[[str], None]
) -> None:
    need_module("matplotlib")
    rows = [found("Res-SqueezeNet", 80), int8_alone(found("ResNet18", 90, ms=9, size=2e7))]
    picture.draw(rows, [tmp_path / "a.png", tmp_path / "a.svg"])
    picture.draw(rows, [tmp_path / "b.svg"])
    drawn = (tmp_path / "a.svg").read_text()
    assert drawn == (tmp_path / "b.svg").read_text()
    # matplotlib writes each text that it draws as outlines after a comment that holds it.
    for word in ("Res-SqueezeNet", "ResNet18"):
        assert drawn.count(f"<!-- {word} -->") >= 2
    for word in ("ms of one inference", "MB"):
        assert f"<!-- {word} -->" in drawn
    height, width, _ = cv2.imread(str(tmp_path / "a.png")).shape
    assert (width, height) == (1800, 720)


def test_without_latencies_there_is_one_panel(
    found: Found, tmp_path: Path, need_module: Callable[[str], None]
) -> None:
    need_module("matplotlib")
    picture.draw([found("one", 80, ms=None)], [tmp_path / "a.svg"])
    drawn = (tmp_path / "a.svg").read_text()
    assert "<!-- MB -->" in drawn
    assert "<!-- ms of one inference -->" not in drawn
