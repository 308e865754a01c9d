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
    assert recipes.from_table(recipe.to_table()) == recipe


def test_the_presets_are_those_of_the_papers() -> None:
    food = recipes.read("res-squeezenet-paper")
    assert (food.train.optimizer, food.train.schedule, food.train.nesterov) == ("sgd", "constant", False)
    assert (food.train.batch, food.train.epochs, food.train.rate) == (10, 6, 3e-4)
    varied = food.augment
    assert varied.rotate and varied.translate and varied.brightness and varied.flip
    x_ray = recipes.read("spp-covid-net-paper")
    assert (x_ray.model, x_ray.folds, x_ray.augment) == ("spp_covid_net", 5, recipes.Augmentation())
    assert (x_ray.train.optimizer, x_ray.train.schedule, x_ray.train.rate) == ("adam", "constant", 1e-4)
    assert (x_ray.train.batch, x_ray.train.epochs) == (64, 100)


@pytest.mark.parametrize(
    "model", ["squeezenet_v1.1", "shufflenet_v1", "googlenet", "resnet18", "mobilenet_v2", "res_squeezenet"]
)
def test_the_first_layers_are_frozen_where_weights_are_given(model: str) -> None:
    table = recipes.read_table("res-squeezenet-paper")
    fresh = recipes.from_table(recipes.overlay(table, {"model": {"zoo": model}}))
    assert fresh.transfer == recipes.Transfer()
    given = {"model": {"zoo": model}, "transfer": {"weights": "w.npz"}}
    assert recipes.from_table(recipes.overlay(table, given)).transfer.freeze_until
    given["transfer"]["freeze_until"] = "conv1"
    assert recipes.from_table(recipes.overlay(table, given)).transfer.freeze_until == "conv1"


def test_options_go_over_a_recipe_and_another_network_drops_the_recipes_own() -> None:
    table = {
        "name": "mine",
        "model": {"zoo": "mobilenet_v1", "alpha": 0.5},
        "train": {"epochs": 9, "warmup": 4},
    }
    shorter = recipes.from_table(
        recipes.overlay(table, {"train": {"epochs": 2}, "model": {"zoo": "mobilenet_v1"}})
    )
    assert (shorter.name, shorter.options) == ("mine", {"alpha": 0.5})
    assert (shorter.train.epochs, shorter.train.warmup) == (2, 2)
    other = recipes.from_table(recipes.overlay(table, {"model": {"zoo": "resnet18"}}))
    assert (other.name, other.model, other.options) == ("resnet18", "resnet18", {})
    assert table["model"] == {"zoo": "mobilenet_v1", "alpha": 0.5}


def test_an_optimizer_brings_its_own_rate_and_decay() -> None:
    def train(**entries: Any) -> tuple[float, float]:
        found = recipes.from_table({"model": {"zoo": "resnet18"}, "train": entries}).train
        return found.rate, found.weight_decay

    assert train() == (0.05, 0.005)
    assert train(optimizer="adam") == (0.001, 0.0)
    assert train(optimizer="adamw", rate=0.01) == (0.01, 0.004)


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
        ({"model": {"zoo": "resnet99"}}, "no model named 'resnet99'"),
        ({"model": {"zoo": "resnet18"}, "folds": 0}, "folds must be a whole number of 1 or more"),
        ({"model": {"zoo": "resnet18"}, "quantise": {"images": "9"}}, "images must be a whole number"),
        ({"model": {"zoo": "resnet18"}, "train": {"optimizer": "x"}}, "give one of sgd, adam, adamw"),
        ({"model": {"zoo": "resnet18"}, "train": {"schedule": "x"}}, "give one of linear, cosine"),
        ({"model": {"zoo": "resnet18"}, "train": {"patience": -1}}, "patience is -1"),
        ({"model": {"zoo": "resnet18"}, "trian": {}}, "no entry 'trian'"),
        ({"model": {"zoo": "resnet18"}, "train": {"epoch": 3}}, "no entry 'epoch'"),
        ({"model": {"zoo": "resnet18"}, "train": {"epochs": "3"}}, "epochs must be of type int"),
        ({"model": {"zoo": "resnet18"}, "train": {"epochs": True}}, "epochs must be of type int"),
        ({"model": {"zoo": "resnet18"}, "train": {"epochs": 2, "warmup": 3}}, "cannot be run"),
        ({"model": {"zoo": "resnet18"}, "train": {"rate": 0.0}}, "rate is 0.0; it must be positive"),
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
