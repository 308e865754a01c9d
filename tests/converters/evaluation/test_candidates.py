"""What a user may name as a model, and what each mistake gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgecore.converters.evaluation.candidates import find
from edgecore.errors import UserError


def touch(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("{}")
    return folder


def test_a_run_is_its_float_model_and_the_int8_one_of_its_name(tmp_path: Path) -> None:
    run = touch(tmp_path / "squeezenet", "model.keras", "food.tflite", "model.tflite", "x.tflite")
    (run / "model.json").write_text(json.dumps({"name": "food"}))
    for path in (run, run / "model.keras"):
        candidate = find(path)
        assert (candidate.name, candidate.keras) == ("squeezenet", run / "model.keras")
        assert candidate.tflite == run / "food.tflite"
    (run / "food.tflite").unlink()
    assert find(run).tflite == run / "model.tflite"
    (run / "model.tflite").unlink()
    assert find(run, "mine").tflite == run / "x.tflite"
    assert find(run, "mine").name == "mine"
    (run / "x.tflite").unlink()
    assert find(run).files == (run / "model.keras",)


def test_a_file_is_itself_and_a_keras_file_what_was_converted_from_it(tmp_path: Path) -> None:
    touch(tmp_path, "a.keras", "a.tflite", "b.tflite")
    assert find(tmp_path / "b.tflite").files == (tmp_path / "b.tflite",)
    assert find(tmp_path / "a.keras").files == (tmp_path / "a.keras", tmp_path / "a.tflite")
    assert find(tmp_path / "a.keras").name == "a"


def test_a_cross_validation_is_its_table(tmp_path: Path) -> None:
    touch(tmp_path / "fold1", "model.keras")
    with pytest.raises(UserError, match="not finished"):
        find(tmp_path)
    touch(tmp_path, "folds.csv")
    candidate = find(tmp_path)
    assert (candidate.files, candidate.folds) == ((), tmp_path / "folds.csv")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (("state.npz", "config.json"), "is not finished: .*--resume"),
        (("holiday.jpg",), "is no run of `edgecore train`"),
        (("model.keras", "a.tflite", "b.tflite"), r"several int8 models \(a.tflite, b.tflite\)"),
    ],
)
def test_folders_that_are_no_finished_run_are_refused(
    tmp_path: Path, files: tuple[str, ...], words: str
) -> None:
    touch(tmp_path, *files)
    with pytest.raises(UserError, match=words):
        find(tmp_path)
