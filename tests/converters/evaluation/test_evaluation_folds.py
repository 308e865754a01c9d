"""The sums of a cross-validation are those of Table II of the SPP-COVID-Net paper."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgecore.converters.evaluation import folds
from edgecore.converters.evaluation.table import CrossValidated, folds_markdown
from edgecore.errors import UserError

TABLE = "fold,images,epoch,accuracy,miou\n"


@pytest.mark.parametrize(
    ("accuracies", "mean", "variance", "deviation"),
    [
        ((0.912, 0.869, 0.916, 0.931, 0.885), "0.903", "0.000626", "0.0250"),  # MobileNet V1
        ((0.952, 0.948, 0.957, 0.959, 0.497), "0.862", "0.0419", "0.205"),  # SqueezeNet
        ((0.957, 0.940, 0.947, 0.947, 0.909), "0.940", "0.000335", "0.0183"),  # DarkCovidNet
        ((0.957, 0.943, 0.943, 0.950, 0.938), "0.946", "0.0000531", "0.00729"),  # SPP-COVID-Net
    ],
)
def test_the_papers_rows(
    tmp_path: Path, accuracies: tuple[float, ...], mean: str, variance: str, deviation: str
) -> None:
    path = tmp_path / "folds.csv"
    rows = "".join(f"{number},100,6,{value},0.8\n" for number, value in enumerate(accuracies, 1))
    path.write_text(TABLE + rows + "mean,,,0.1,\nvariance,,,0.2,\nstandard deviation,,,0.3,\n")
    found = folds.read(path)
    assert found.accuracies == accuracies
    # The paper rounded its folds to three digits before it printed them, and not before it summed them.
    assert found.mean == pytest.approx(float(mean), abs=6e-4)
    assert found.spread is not None
    assert found.spread[0] == pytest.approx(float(variance), rel=0.04)
    assert found.spread[1] == pytest.approx(float(deviation), rel=0.02)


def test_one_fold_has_no_variance_and_rows_of_fewer_folds_are_filled_up(tmp_path: Path) -> None:
    rows = [
        CrossValidated("a", 1000, folds.Folds((0.5, 0.7))),
        CrossValidated("b", None, folds.Folds((0.5,))),
    ]
    assert folds_markdown(rows).splitlines()[2:] == [
        "| a | 1,000 | 0.5000 | 0.7000 | 0.6000 | 0.02 | 0.141 |",
        "| b | - | 0.5000 | - | 0.5000 | - | - |",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TABLE, "no finished fold"),
        ("a,b\n1,2\n", "columns fold and accuracy"),
        (TABLE + "1,2,3,high,5\n", "columns fold and accuracy"),
        (TABLE + "1\n", "columns fold and accuracy"),
        ("", "no finished fold"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "folds.csv").write_text(text)
    with pytest.raises(UserError, match=words):
        folds.read(tmp_path / "folds.csv")
