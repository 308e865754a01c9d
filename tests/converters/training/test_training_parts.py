"""Parts of the data: held out from training, weighed, and opened again from split.json."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from edgecore.converters import data
from edgecore.converters.training.parts import class_weights, parts_of
from edgecore.errors import UserError


def test_validation_is_held_out_from_training_alone(colours: Path) -> None:
    training, test = data.open_splits(colours)
    parts = parts_of(training, test, 0.2)
    assert parts.counts() == {"training": 64, "validation": 16, "test": 20}
    assert not set(parts.training.items) & set(parts.validation.items)
    assert set(parts.training.items) | set(parts.validation.items) == set(training.items)
    assert parts_of(training, test, 0.0).counts() == {"training": 80, "test": 20}


def test_a_class_without_images_in_a_part_is_named(colours: Path) -> None:
    training, test = data.open_splits(colours)
    one = dataclasses.replace(test, items=tuple(item for item in test.items if item[1] == 1))
    with pytest.raises(UserError, match="no image of class 'blue' in the test part"):
        parts_of(training, one, 0.0)


def test_balanced_weights_give_every_class_the_same_share(colours: Path) -> None:
    source = data.open_source(colours / "train")
    uneven = dataclasses.replace(source, items=source.items[30:])
    weights = class_weights(uneven, "balanced")
    np.testing.assert_allclose(weights, [50 / 20, 50 / 80])
    assert class_weights(uneven, "none").tolist() == [1, 1]


def test_split_json_opens_the_same_parts(colours: Path, tmp_path: Path) -> None:
    training, held = data.open_source(colours / "train").folds(4)[1]
    path = tmp_path / "split.json"
    path.write_text(json.dumps(parts_of(training, held, 0.0).to_json()))
    assert data.open_splits(path) == (training, held)
    assert data.judged_source(path) == data.judged_source(path, held_out=True) == held
    assert len(list(held.frames())) == len(list(data.judged_source(path).frames())) == 20


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"classes": ["a"], "training": 3}'])
def test_another_json_file_is_a_user_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "split.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"is no split.json"):
        data.open_splits(path)


def test_images_that_are_gone_are_a_user_error(colours: Path, tmp_path: Path) -> None:
    training, test = data.open_splits(colours)
    moved = parts_of(training, test, 0.0).to_json()
    moved["test"]["path"] = str(tmp_path / "moved")
    (tmp_path / "split.json").write_text(json.dumps(moved))
    with pytest.raises(UserError, match="is no longer there"):
        data.open_splits(tmp_path / "split.json")
