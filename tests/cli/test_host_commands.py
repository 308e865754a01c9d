"""train, convert, eval and zoo from the outside: what mistakes get, and one whole way through."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from commands import complaint


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two classes of grey squares and white ones, sixteen images each."""
    for name, value in (("grey", 100), ("white", 255)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(16):
            image = np.full((32, 32, 3), value - number, np.uint8)
            assert cv2.imwrite(str(tmp_path / "data" / name / f"{number}.png"), image)
    return tmp_path / "data"


def test_the_zoo_is_listed_without_tensorflow() -> None:
    code = "import sys; from edgecore import cli; cli.main(['zoo']); assert 'tensorflow' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "spp_covid_net" in done.stdout


def test_missing_tensorflow_names_the_extra(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "tensorflow" else found(name, *rest)
    )
    (tmp_path / "m.keras").write_bytes(b"x")
    for words in (
        ("train", "--recipe", "cifar10", "--data", data, "--out", tmp_path / "run"),
        ("convert", tmp_path / "m.keras", "--data", data),
        ("eval", tmp_path / "m.keras", "--data", data),
        ("zoo", "resnet18"),
    ):
        assert "pip install 'edgecore[host]'" in complaint(capsys, *words)


def test_mistakes_get_one_line(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = tmp_path / "nowhere"
    assert "no recipe 'x'" in complaint(capsys, "train", "--recipe", "x", "--data", data, "--out", nowhere)
    assert "no data at" in complaint(
        capsys, "train", "--recipe", "cifar10", "--data", nowhere, "--out", nowhere
    )
    assert "there is no model" in complaint(capsys, "convert", nowhere, "--data", data)
    assert "there is no model" in complaint(capsys, "eval", nowhere, "--data", data)
    assert "no data at" in complaint(capsys, "eval", "--data", nowhere)
    assert "no model named 'x'" in complaint(capsys, "zoo", "x")
    assert "did you mean squeezenet_v1.1" in complaint(capsys, "zoo", "show", "squeezenet-1.1")
    assert "must end in .keras" in complaint(capsys, "zoo", "resnet18", "--out", "x.h5")
    (data / "empty").mkdir()
    assert "class 'empty' has no images" in complaint(capsys, "eval", "--data", data)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give --recipe or --model"),
        (("--model", "x"), "no model named 'x'"),
        (("--model", "lenet5", "--rate", "0"), "rate is 0.0; it must be positive"),
        (("--model", "lenet5", "--rate", "nan"), "rate is nan"),
        (("--model", "lenet5", "--only-folds", "1"), "give --folds too"),
        (("--recipe", "spp-covid-net-paper", "--only-folds", "6"), "no fold 6 of 5"),
        (("--model", "lenet5", "--folds", "17"), "one for each of 17 folds"),
        (("--model", "lenet5", "--resume"), "nothing to resume"),
        (("--model", "lenet5", "--epochs", "2", "--warmup", "3"), "the warm-up at most the epochs"),
        (("--model", "lenet5", "--translate", "0.5"), "invalid int value"),
        (("--model", "lenet5", "--validation", "1"), "validation is 1.0"),
    ],
)
def test_a_training_that_cannot_be_is_refused_before_it_costs_time(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert said in complaint(capsys, "train", *words, "--data", data, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_model_that_is_none_is_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.tflite").write_bytes(b"not a model")
    assert "m.tflite" in complaint(capsys, "eval", tmp_path / "m.tflite", "--data", data)


@pytest.mark.slow
def test_the_whole_way_from_recipe_to_a_judged_model(
    data: Path, tmp_path: Path, need_module: Callable[[str], None]
) -> None:
    need_module("tensorflow")
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(
        'name = "tiny"\n[model]\nzoo = "res_squeezenet_compact"\nstem = 8\nwidth = 8\n'
        "[train]\nepochs = 4\nbatch = 8\n[quantise]\nimages = 6\n"
    )

    def edgecore(*words: Any, status: int = 0) -> str:
        command = [sys.executable, "-m", "edgecore.cli", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == status, done.stderr
        return done.stdout + done.stderr

    out = tmp_path / "run"
    said = edgecore("train", "--recipe", recipe, "--data", data, "--out", out, "--no-convert")
    assert "epoch 4/4" in said
    again = edgecore("train", "--recipe", recipe, "--data", data, "--out", out, status=2)
    assert "--resume" in again
    labels = tmp_path / "three.txt"
    labels.write_text("a\nb\nc\n")
    wrong = edgecore("convert", out / "model.keras", "--data", data, "--labels", labels, status=2)
    assert "3 labels do not fit" in wrong
    said = edgecore("convert", out / "model.keras", "--data", data, "--images", 12, "--judge")
    assert "on 6 held-out images: float" in said
    assert "grey" in edgecore("eval", out / "model.tflite", "--data", data)
    compared = edgecore("eval", out, "--data", data, "--held-out", "--seconds", 0.05)
    assert [line.split(" ")[0] for line in compared.splitlines()[3:6]] == ["float,", "int8,", "int8,"]
    edgecore("table", out, "--data", data, "--held-out", "--seconds", 0.05, "--out", tmp_path / "table")
    row = (tmp_path / "table" / "table.csv").read_text().splitlines()[1].split(",")
    assert row[0] == "run"
    assert all(row)
