"""Mean, variance and standard deviation as the SPP-COVID-Net paper counts them, and their table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgecore.converters.training import folds

# Table II of the paper: accuracies of the five folds, then mean, variance and standard deviation as printed.
TABLE_II = {
    "MobileNet V1": ((0.912, 0.869, 0.916, 0.931, 0.885), 0.903, 0.000626, 0.0250),
    "MobileNet V3 Large": ((0.895, 0.911, 0.892, 0.935, 0.490), 0.824, 0.0353, 0.188),
    "SqueezeNet": ((0.952, 0.948, 0.957, 0.959, 0.497), 0.862, 0.0419, 0.205),
    "DarkCOVID-Net": ((0.957, 0.940, 0.947, 0.947, 0.909), 0.940, 0.000335, 0.0183),
    "SPP-COVID-Net": ((0.957, 0.943, 0.943, 0.950, 0.938), 0.946, 0.0000531, 0.00729),
}


@pytest.mark.parametrize("name", TABLE_II)
def test_the_papers_figures_come_out(name: str) -> None:
    accuracies, mean, variance, deviation = TABLE_II[name]
    found = folds.summary(list(accuracies))
    # The paper's fold accuracies have three digits.
    assert found == pytest.approx((mean, variance, deviation), rel=0.04)


def test_a_population_variance_would_not_give_them() -> None:
    accuracies, _, variance, _ = TABLE_II["SPP-COVID-Net"]
    assert folds.summary(list(accuracies))[1] * 4 / 5 != pytest.approx(variance, rel=0.04)


def test_only_finished_folds_count(tmp_path: Path) -> None:
    for number, accuracy in ((1, 0.9), (3, 0.8)):
        folder = folds.folder_of(tmp_path, number)
        folder.mkdir()
        report = {"epoch": 5, "images": 20, "accuracy": accuracy, "miou": 0.5}
        (folder / "report.json").write_text(json.dumps(report))
    folds.folder_of(tmp_path, 2).mkdir()
    found = [folds.result_of(tmp_path, number) for number in (1, 2, 3)]
    assert [fold and fold.accuracy for fold in found] == [0.9, None, 0.8]
    results = folds.results(tmp_path, 3)
    assert [fold.number for fold in results] == [1, 3]
    folds.write_table(tmp_path / "folds.csv", results)
    assert (tmp_path / "folds.csv").read_text().splitlines()[:4] == [
        "fold,images,epoch,accuracy,miou",
        "1,20,5,0.9,0.5",
        "3,20,5,0.8,0.5",
        "mean,,,0.8500000000000001,",
    ]
    assert (
        folds.as_text(results, "net").splitlines()[-1]
        == "| net | 0.9000 | 0.8000 | 0.8500 | 0.005 | 0.0707 |"
    )
    assert "mean" not in folds.as_text(results[:1], "net")
