"""benchmarks/preprocess: a short run, in both forms; the paths that are compared give one picture."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgecore.benchmarks import preprocess


def test_every_path_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert preprocess.main(["--rounds", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert len(rows) == len(preprocess.SIZES) * len(preprocess.ORDERS) * (2 + len(preprocess.FILTERS))
    for row in rows:
        assert 0 < row["min_ms"] <= row["median_ms"]
        assert row["times_edgecore"] > 0
        assert row["path"] != "edgecore" or row["times_edgecore"] == 1


def test_the_table_names_machine_and_paths(capsys: pytest.CaptureFixture[str]) -> None:
    assert preprocess.main(["--rounds", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("to 224x224 int8 RGB on one core; ")
    assert sum("1280x720  NV12    cv2 INTER_AREA + numpy" in line for line in lines) == 1


@pytest.mark.parametrize("order", preprocess.ORDERS)
def test_the_paths_do_the_same(order: str) -> None:
    """Within what the two filters differ in; a wrong channel or layout would be far off."""
    frame = preprocess.frame_of(640, 480, order)
    ours, theirs = (np.empty((224, 224, 3), np.int8) for _ in range(2))
    preprocess.Preprocessor(preprocess.Preprocessing(224, 224), np.int8, 1 / 255, -128)(
        frame, ours, order if order != "GREY" else "BGR"
    )
    preprocess.with_opencv(frame, order, preprocess.FILTERS["INTER_AREA"], theirs)
    assert np.abs(ours.astype(int) - theirs).mean() < 3


def test_no_rounds_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert preprocess.main(["--rounds", "0"]) == 2
    assert capsys.readouterr().err.startswith("edgecore: --rounds")
