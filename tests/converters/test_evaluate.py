"""Figures that follow from a confusion matrix, checked against ones worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgecore.converters import evaluate
from edgecore.errors import UserError

CLASSES = ("a", "b", "c")
# a: 3 of 4 right; b: 2 of 2, and one a was taken for it; c: 0 of 1, taken for a.
REPORT = evaluate.report_of(CLASSES, np.array([0, 0, 0, 0, 1, 1, 2]), np.array([0, 0, 0, 1, 1, 1, 0]))


def test_the_confusion_matrix_has_a_row_per_true_class() -> None:
    np.testing.assert_array_equal(REPORT.confusion, [[3, 1, 0], [0, 2, 0], [1, 0, 0]])
    assert REPORT.images == 7


def test_accuracy_recall_and_iou_by_hand() -> None:
    assert REPORT.accuracy == pytest.approx(5 / 7)
    np.testing.assert_allclose(REPORT.recall, [3 / 4, 1, 0])
    np.testing.assert_allclose(REPORT.iou, [3 / 5, 2 / 3, 0])
    assert REPORT.miou == pytest.approx((3 / 5 + 2 / 3 + 0) / 3)


def test_a_class_that_never_occurs_has_no_figures_and_does_not_lower_the_mean() -> None:
    report = evaluate.report_of(CLASSES, np.array([0, 1]), np.array([0, 1]))
    assert np.isnan(report.recall[2])
    assert report.miou == 1.0
    assert report.to_json()["iou"][2] is None


def test_a_report_survives_json() -> None:
    back = evaluate.Report.from_json(REPORT.to_json())
    np.testing.assert_array_equal(back.confusion, REPORT.confusion)
    assert back.classes == CLASSES


def test_classes_are_matched_by_name_in_any_order() -> None:
    assert evaluate.match_classes(("c", "a", "b"), CLASSES) == [2, 0, 1]
    with pytest.raises(UserError, match="2 classes, the data 3"):
        evaluate.match_classes(("a", "b"), CLASSES)
    with pytest.raises(UserError, match="lacks the model's class 'd'"):
        evaluate.match_classes(("a", "b", "d"), CLASSES)


def test_the_texts_hold_every_class_and_the_totals() -> None:
    text = evaluate.as_text(REPORT)
    assert [line.split()[0] for line in text.splitlines()[1:4]] == list(CLASSES)
    assert "accuracy 0.7143" in text
    assert evaluate.confusion_text(REPORT).splitlines()[0].split() == ["a", "3", "1", "0"]


def test_a_failed_evaluation_in_its_own_process_says_why(tmp_path: Path) -> None:
    (tmp_path / "x.tflite").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"failed: .*no data at"):
        evaluate.evaluate_in_own_process(tmp_path / "x.tflite", tmp_path / "nowhere")
