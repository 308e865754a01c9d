"""Figures that follow from a confusion matrix, checked against ones worked out by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgecore.converters import evaluate
from edgecore.converters.evaluation import text
from edgecore.errors import UserError

CLASSES = ("a", "b", "c")
# a: 3 of 4 right; b: 2 of 2, and one a was taken for it; c: 0 of 1, taken for a.
REPORT = evaluate.report_of(CLASSES, np.array([0, 0, 0, 0, 1, 1, 2]), np.array([0, 0, 0, 1, 1, 1, 0]))
WITHOUT_C = evaluate.report_of(CLASSES, np.array([0, 1]), np.array([0, 1]))


def test_the_confusion_matrix_has_a_row_per_true_class() -> None:
    np.testing.assert_array_equal(REPORT.confusion, [[3, 1, 0], [0, 2, 0], [1, 0, 0]])
    assert REPORT.images == 7


def test_accuracy_precision_recall_and_iou_by_hand() -> None:
    assert REPORT.accuracy == pytest.approx(5 / 7)
    np.testing.assert_allclose(REPORT.precision, [3 / 4, 2 / 3, np.nan])
    np.testing.assert_allclose(REPORT.recall, [3 / 4, 1, 0])
    np.testing.assert_allclose(REPORT.iou, [3 / 5, 2 / 3, 0])
    assert REPORT.miou == pytest.approx((3 / 5 + 2 / 3 + 0) / 3)


def test_a_class_that_never_occurs_has_no_figures_and_does_not_lower_the_mean() -> None:
    assert np.isnan(WITHOUT_C.recall[2])
    assert WITHOUT_C.miou == 1.0
    assert WITHOUT_C.absent == ("c",)
    assert WITHOUT_C.to_json()["iou"][2] is None


def test_no_images_at_all_give_no_figures_and_no_warning() -> None:
    nothing = evaluate.report_of(CLASSES, np.empty(0, np.int64), np.empty(0, np.int64))
    assert (nothing.images, nothing.accuracy) == (0, 0.0)
    assert np.isnan(nothing.miou)
    assert nothing.to_json()["accuracy_interval"] == [None, None]


def test_a_report_survives_json() -> None:
    back = evaluate.Report.from_json(json.loads(json.dumps(REPORT.to_json())))
    np.testing.assert_array_equal(back.confusion, REPORT.confusion)
    assert back.classes == CLASSES


def test_classes_are_matched_by_name_in_any_order() -> None:
    assert evaluate.match_classes(("c", "a", "b"), CLASSES) == [2, 0, 1]
    with pytest.raises(UserError, match="2 classes, the data 3"):
        evaluate.match_classes(("a", "b"), CLASSES)
    with pytest.raises(UserError, match="lacks the model's class 'd'"):
        evaluate.match_classes(("a", "b", "d"), CLASSES)
    with pytest.raises(UserError, match="a label twice and none for the data's class 'c'"):
        evaluate.match_classes(("a", "b", "b"), CLASSES)


def test_the_texts_hold_every_class_with_its_intervals_and_dashes_for_what_has_no_value() -> None:
    rows = [line.split() for line in text.by_class(REPORT).splitlines()[1:]]
    assert [row[0] for row in rows] == list(CLASSES)
    # Wilson's interval of 3 of 4, worked out by hand.
    assert rows[0][1:4] == ["4", "0.7500", "0.3006-0.9544"]
    assert rows[2][1:] == ["1", "-", "-", "0.0000", "0.0000-0.7935", "0.0000", "0.0000-0.7935"]
    assert text.confusion(REPORT).splitlines()[0].split() == ["a", "3", "1", "0"]
