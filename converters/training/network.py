"""The network that a recipe names, its input, and the weights that it starts from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from edgecore.converters import keras_model, zoo
from edgecore.converters.fused_norm import with_fused_norms
from edgecore.converters.recipes import Recipe
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing


@dataclass(frozen=True)
class Network:
    """`learning` is trained: its batch norms are fast, layers may be frozen. `plain` is what is saved."""

    plain: keras.Model
    learning: keras.Model
    spec: Preprocessing
    notes: tuple[str, ...] = ()

    def to_plain(self) -> keras.Model:
        """`plain` with the weights of `learning`."""
        self.plain.set_weights(self.learning.get_weights())
        return self.plain


def preprocessing(recipe: Recipe, expected: dict[str, Any] | None = None) -> Preprocessing:
    """The input of the zoo's member; what its weights expect, and then the recipe's [input], go over it."""
    member = zoo.member(recipe.model)
    given = dict(recipe.input)
    size = given.pop("size", member.input_size)
    base = {"order": member.order, "scale": list(member.scale), "mean": [0.0]}
    return Preprocessing.from_json({"width": size, "height": size, **base, **(expected or {}), **given})


def network_of(recipe: Recipe, classes: int) -> Network:
    """A fresh network with the recipe's weights and frozen layers.

    Raises:
        UserError: the network cannot be built so, gives no class per image, does not take images in the
            recipe's colour order, or the weights or the frozen layer do not fit it.
    """
    keras.utils.set_random_seed(recipe.train.seed)
    plain = zoo.build(recipe.model, classes, input_size=preprocessing(recipe).width, **recipe.options)
    if len(plain.output_shape) != 2:
        raise UserError(
            f"{recipe.model} gives a class for every pixel, not one per image; choose a classifier"
        )
    notes: list[str] = []
    spec = preprocessing(recipe, _weights_into(plain, recipe.transfer.weights, notes))
    if plain.input_shape[1:] != (spec.height, spec.width, spec.channels):
        raise UserError(
            f"{recipe.model} takes {plain.input_shape[3]} channel(s), "
            f"which the order {spec.order} does not fit"
        )
    return _to_train(plain, spec, recipe, notes)


def begun_network(recipe: Recipe, spec: Preprocessing, path: Path) -> Network:
    """The network of a run that is resumed, as that saved it; no file of weights is needed again."""
    keras.utils.set_random_seed(recipe.train.seed)
    return _to_train(keras_model.load(path), spec, recipe, [])


def _to_train(plain: keras.Model, spec: Preprocessing, recipe: Recipe, notes: list[str]) -> Network:
    learning = with_fused_norms(plain)
    if recipe.transfer.freeze_until:
        from edgecore.converters.weights import freeze_until

        frozen = freeze_until(learning, recipe.transfer.freeze_until)
        notes.append(f"{frozen} layers with weights frozen, up to {recipe.transfer.freeze_until}")
    return Network(plain, learning, spec, tuple(notes))


def _weights_into(model: keras.Model, path: str, notes: list[str]) -> dict[str, Any] | None:
    if not path:
        return None
    from edgecore.converters.weights import load_into

    loaded = load_into(model, Path(path))
    fresh = f", fresh: {', '.join(loaded.fresh)}" if loaded.fresh else ""
    notes.append(f"{len(loaded.taken)} layers from {Path(path).name}{fresh}")
    return loaded.input
