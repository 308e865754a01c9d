"""Recipes: the shipped ones read, and a wrong entry is named instead of ignored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgecore.converters import recipes, zoo
from edgecore.errors import UserError


@pytest.mark.parametrize("name", recipes.shipped())
def test_shipped_recipes_read_and_name_a_member_of_the_zoo(name: str) -> None:
    recipe = recipes.read(name)
    assert recipe.model in zoo.names()
    assert recipe.train.epochs > recipe.train.warmup


def test_the_bundled_models_recipe_is_shipped() -> None:
    recipe = recipes.read("cifar10")
    assert recipe.name == "res_squeezenet_cifar10"
    assert recipe.augment.flip


def test_a_file_of_the_users_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[model]\nzoo = "mobilenet_v1"\nalpha = 0.25\n[train]\nepochs = 4\nrate = 1\n')
    recipe = recipes.read(str(path))
    assert (recipe.name, recipe.options, recipe.train.epochs) == ("mobilenet_v1", {"alpha": 0.25}, 4)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "names no model"),
        ({"model": {"zoo": "resnet18"}, "trian": {}}, "no entry 'trian'"),
        ({"model": {"zoo": "resnet18"}, "train": {"epoch": 3}}, "no entry 'epoch'"),
        ({"model": {"zoo": "resnet18"}, "train": {"epochs": "3"}}, "epochs must be of type int"),
        ({"model": {"zoo": "resnet18"}, "train": {"epochs": True}}, "epochs must be of type int"),
        ({"model": {"zoo": "resnet18"}, "train": {"epochs": 2, "warmup": 3}}, "cannot be run"),
        ({"model": {"zoo": "resnet18"}, "train": {"rate": 0.0}}, "rate must be positive"),
        ({"model": {"zoo": "resnet18"}, "augment": {"flip": 1}}, "flip must be of type bool"),
        ({"model": {"zoo": "resnet18"}, "input": {"width": 3}}, "no entry 'width'"),
    ],
)
def test_wrong_entries_are_named(table: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        recipes.from_table(table)


def test_an_unknown_recipe_lists_the_shipped_ones() -> None:
    with pytest.raises(UserError, match=r"shipped are: .*cifar10"):
        recipes.read("nothing")


def test_broken_toml_is_a_user_error(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[model\n")
    with pytest.raises(UserError, match="no valid TOML"):
        recipes.read(str(path))
