"""eval and table from the outside: what they write, and what each mistake gets."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from commands import complaint, heeding_ctrl_c

from edgecore import cli
from edgecore.model import bundled_model, load


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One picture of noise for each class of the bundled model."""
    random = np.random.default_rng(1)
    for name in load(threads=1).labels:
        (tmp_path / "data" / name).mkdir(parents=True)
        picture = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        assert cv2.imwrite(str(tmp_path / "data" / name / "0.png"), picture)
    return tmp_path / "data"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file with the bundled model."""
    return Path(shutil.copy(bundled_model(), tmp_path / "model.tflite"))


def test_eval_says_everything_as_json(data: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["eval", str(model), "--data", str(data), "--seconds", "0.01", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["data"] == str(data)
    assert [run["name"] for run in found["runs"]] == ["interpreter", "engine"]
    assert found["runs"][1]["report"]["images"] == 10
    assert found["runs"][1]["milliseconds"] > 0


def test_eval_prints_the_tables_and_draws_the_matrix(
    data: Path,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    need_module: Callable[[str], None],
) -> None:
    need_module("matplotlib")
    words = ["eval", str(model), "--data", str(data), "--seconds", "0", "--confusion"]
    assert cli.main([*words, "--png", str(tmp_path / "matrix.png")]) == 0
    out = capsys.readouterr().out
    assert "int8, engine" in out
    assert sum(line.startswith("airplane ") for line in out.splitlines()) == 2
    assert cv2.imread(str(tmp_path / "matrix.png")) is not None


def test_a_table_goes_on_where_it_stopped(
    data: Path,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    need_module: Callable[[str], None],
) -> None:
    need_module("matplotlib")
    other = Path(shutil.copy(model, tmp_path / "other.tflite"))
    other.write_bytes(b"broken")
    out = tmp_path / "out"
    words = [
        "table",
        f"first={model}",
        str(other),
        "--data",
        str(data),
        "--seconds",
        "0.01",
        "--out",
        str(out),
    ]
    assert "the 1 before it are kept" in complaint(capsys, *words)
    (row,) = (out / "rows").iterdir()
    kept = json.loads(row.read_text())
    shutil.copy(model, other)
    assert cli.main(words) == 0
    assert json.loads(row.read_text()) == kept
    assert sorted(path.name for path in out.iterdir()) == [
        "rows",
        "table.csv",
        "table.md",
        "table.png",
        "table.svg",
    ]
    assert (out / "table.md").read_text().count("\n| first |") == 1
    assert "\n| other |" in (out / "table.md").read_text()
    assert (out / "table.csv").read_text().splitlines()[1].startswith("first,")


def test_mistakes_get_one_line(
    data: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path / "nowhere"
    table = ("--data", data, "--out", tmp_path / "out")
    assert "there is no model" in complaint(capsys, "table", model, nowhere, *table)
    assert "required" in complaint(capsys, "table", *table)
    assert "would be called 'model'" in complaint(capsys, "table", model, model, *table)
    assert "no data at" in complaint(capsys, "table", model, "--data", nowhere, "--out", tmp_path / "out")
    assert "cannot make the folder" in complaint(capsys, "table", model, "--data", data, "--out", model)
    assert "--seconds -1" in complaint(capsys, "eval", model, "--data", data, "--seconds", "-1")
    assert "--seconds nan" in complaint(capsys, "eval", model, "--data", data, "--seconds", "nan")
    assert "no place for a picture" in complaint(capsys, "eval", model, "--data", data, "--png", "x.tiff")
    assert "label file" in complaint(capsys, "eval", model, "--data", data, "--labels", nowhere)
    unfinished = tmp_path / "run"
    unfinished.mkdir()
    (unfinished / "state.npz").write_bytes(b"")
    assert "not finished" in complaint(capsys, "eval", unfinished, "--data", data)
    (unfinished / "folds.csv").write_text("fold,accuracy\n1,0.5\n")
    assert "holds a cross-validation" in complaint(capsys, "eval", unfinished, "--data", data)
    shutil.rmtree(data / "cat")
    assert "10 classes, the data 9" in complaint(capsys, "eval", model, "--data", data, "--seconds", "0")
    for image in data.glob("*/*"):
        image.write_bytes(b"no image")
    (data / "cat").mkdir()
    (data / "cat" / "0.png").write_bytes(b"no image")
    assert "can be used" in complaint(capsys, "eval", model, "--data", data, "--seconds", "0")


def test_a_stopped_evaluation_leaves_no_process(data: Path, model: Path) -> None:
    command = [sys.executable, "-P", "-m", "edgecore.cli", "eval", str(model), "--data", str(data)]
    process = subprocess.Popen(
        [*command, "--seconds", "600"], stderr=subprocess.PIPE, text=True, preexec_fn=heeding_ctrl_c
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None and not children.read_text():
        time.sleep(0.02)
    (worker,) = children.read_text().split()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "edgecore: interrupted\n"
    assert not Path(f"/proc/{worker}").exists()
