"""benchmarks/compare: a short run of the bundled model on every installed runtime; what bad input gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgecore.benchmarks import compare, models
from edgecore.benchmarks.worker import RUNTIMES, installed

SHORT = ["--threads", "1", "--rounds", "2", "--turn-ms", "1"]


def test_every_installed_runtime_takes_its_turns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.main(["--models", "bundled", *SHORT, "--out", str(tmp_path)]) == 0
    result = json.loads((tmp_path / "compare.json").read_text())
    rows = {row["runtime"]: row for row in result["rows"]}
    assert set(rows) == {runtime for runtime in RUNTIMES if installed(runtime)}
    for row in rows.values():
        assert len(row["turn_min_ms"]) == 2
        assert row["invocations"] >= 6
        assert 0 < row["min_ms"] <= row["median_ms"]
        assert row["peak_bytes"] > 2**20
    claimed, total = rows["edgecore"]["nodes"]
    assert claimed == total > 0
    assert "| bundled | 1 | " in (tmp_path / "compare.md").read_text()
    assert "| bundled | 1 | " in capsys.readouterr().out


def test_unknown_model_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.main(["--models", "alexnet", *SHORT]) == 2
    assert "unknown model alexnet; choose from squeezenet_v1.1" in capsys.readouterr().err


@pytest.mark.parametrize("threads", ["0", "two", ""])
def test_wrong_thread_counts_are_one_line(threads: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.main(["--threads", threads]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_publishing_needs_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert compare.main(["--models", "bundled", *SHORT, "--publish"]) == 2
    assert "in the project's own folder" in capsys.readouterr().err


def test_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--models", "resnet8", "--mlperf-tiny", str(tmp_path), *SHORT]
    assert compare.main(arguments) == 2
    assert f"{tmp_path / models.MLPERF_TINY['resnet8']} does not exist" in capsys.readouterr().err


def test_a_runtime_that_stops_is_named_with_its_last_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / models.MLPERF_TINY["resnet8"]).write_bytes(b"no model" * 20)
    arguments = ["--models", "resnet8", "--mlperf-tiny", str(tmp_path), *SHORT, "--out", str(tmp_path)]
    assert compare.main(arguments) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("edgecore: edgecore stopped with status 1: ")
