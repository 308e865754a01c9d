"""Weights of a file into the layers of a model, and layers that training leaves alone."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from edgecore.converters.weights import layout
from edgecore.converters.weights.families import scheme_of
from edgecore.converters.weights.families.scheme import Scheme
from edgecore.converters.weights.files import Arrays, grouped, read
from edgecore.converters.weights.layout import Parts
from edgecore.errors import UserError

INPUT = ("order", "resize", "filter", "mean", "scale")


@dataclass(frozen=True)
class Loaded:
    """What came of a file: names of layers `taken` from it and `fresh` as they were, arrays left `unused`.

    `input` holds what the weights expect of a picture, as fields of `Preprocessing`; None: the file does not
    say. `classes` is how many the file's own classifier tells apart; None: it has none. `fresh` has only
    layers with weights.
    """

    taken: tuple[str, ...]
    fresh: tuple[str, ...]
    unused: tuple[str, ...]
    input: dict[str, Any] | None
    classes: int | None

    def __str__(self) -> str:
        text = f"weights of {len(self.taken)} layers taken"
        if self.fresh:
            text += f"; fresh: {_few(self.fresh)}"
        if self.unused:
            text += f"; {len(self.unused)} arrays of the file not used: {_few(self.unused)}"
        return text


def options_for(member: str, path: str | Path) -> dict[str, Any]:
    """Options of `zoo.build` with which `member` computes what the weights in `path` were trained for.

    {} if it needs none. Raises UserError if the file does not read.
    """
    scheme = scheme_of(member, grouped(read(path)))
    return dict(scheme.options) if scheme else {}


def load_into(model: keras.Model, path: str | Path) -> Loaded:
    """Fills the layers of `model` from a file of weights, matched by family and name.

    A classifier for another number of classes is left fresh. Batch norms take the epsilon of the release
    whose weights they get. Raises UserError if nothing matches, an array does not fit its layer, a layer has
    a part of its arrays only, or `model` lacks an option that the weights need; the model is unchanged then.
    """
    path = Path(path)
    arrays = read(path)
    modules = grouped(arrays)
    scheme = scheme_of(model.name, modules)
    if scheme and not scheme.fits(model):
        options = ", ".join(f"{key}={value!r}" for key, value in scheme.options.items())
        raise UserError(
            f"{path} holds {scheme.title} weights, whose arithmetic {model.name} has only with {options}; "
            "build it with that"
        )
    weighted = [layer for layer in model.layers if layer.weights]
    plan = _Plan(path, arrays, modules, model, scheme)
    for layer in weighted:
        plan.add(layer, is_head=layer is weighted[-1])
    if not plan.filled:
        raise UserError(
            f"{path} has nothing for {model.name}: it holds {_few(arrays)}, the model's layers are "
            f"{_few(layer.name for layer in weighted)}; choose the model that the weights are of"
        )
    plan.apply(scheme.epsilon if scheme else None)
    return Loaded(
        taken=tuple(layer.name for layer in weighted if layer.name in plan.filled),
        fresh=tuple(layer.name for layer in weighted if layer.name not in plan.filled),
        unused=tuple(name for parts in modules.values() for name in parts.values() if name not in plan.used),
        input=dict(scheme.input) if scheme else _input_beside(path),
        classes=plan.classes,
    )


class _Plan:
    """What goes where, complete before a single weight of the model changes."""

    def __init__(
        self,
        path: Path,
        arrays: Arrays,
        modules: dict[str, dict[str, str]],
        model: keras.Model,
        scheme: Scheme | None,
    ) -> None:
        self.path, self.arrays, self.modules, self.model, self.scheme = path, arrays, modules, model, scheme
        self.filled: dict[str, Parts] = {}
        self.used: set[str] = set()
        self.classes: int | None = None

    def add(self, layer: keras.Layer, is_head: bool) -> None:
        """Finds the arrays of one layer; UserError if they do not fit."""
        module = self._module(layer)
        names = self.modules.get(module, {})
        parts = {part: self.arrays[name] for part, name in names.items()}
        own, origin = layout.arranged(layer, parts)
        if not own:
            return
        missing = [name for name in layout.variables(layer) if name not in own]
        if missing:
            raise UserError(
                f"{self.path} has {module} without the {missing[0]} of {self.model.name}'s {layer.name}"
            )
        if is_head:
            self.classes = int(next(iter(own.values())).shape[-1])
        for variable, array in zip(layer.weights, own.values(), strict=True):
            if array.shape == variable.shape:
                continue
            if is_head and array.shape[:-1] == tuple(variable.shape)[:-1]:
                return
            name, shape = names[origin[str(variable.name)]], tuple(variable.shape)
            raise UserError(
                f"{name} of {self.path} is {array.shape} for {layer.name}, which has {shape}; choose "
                f"weights of {self.model.name}, or build it as they were trained"
            )
        self.filled[layer.name] = own
        self.used |= {names[part] for part in origin.values()}
        is_convolution = isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D)
        if is_convolution and "bias" in parts and "bias" not in own:
            self._add_folded(layer, names["bias"])

    def _add_folded(self, convolution: keras.Layer, bias: str) -> None:
        """An exporter folded the batch norm after a convolution into it: the norm keeps its bias alone."""
        norm = next(
            (
                layer
                for layer in self.model.layers
                if isinstance(layer, layers.BatchNormalization) and layer.input is convolution.output
            ),
            None,
        )
        if norm is None or self._module(norm) in self.modules:
            raise UserError(
                f"{self.path} has {bias}, and {convolution.name} of {self.model.name} no bias; choose the "
                "model that the weights are of"
            )
        beta = self.arrays[bias]
        epsilon = norm.epsilon if self.scheme is None else self.scheme.epsilon or norm.epsilon
        self.filled[norm.name] = {
            "gamma": np.ones_like(beta),
            "beta": beta,
            "moving_mean": np.zeros_like(beta),
            "moving_variance": np.full_like(beta, 1 - epsilon),
        }
        self.used.add(bias)

    def _module(self, layer: keras.Layer) -> str:
        """The module of the file that a layer's arrays belong to; "" if there is none."""
        return layer.name if self.scheme is None else self.scheme.module_of(self.model, layer.name) or ""

    def apply(self, epsilon: float | None) -> None:
        """Fills the model."""
        for name, parts in self.filled.items():
            layer = self.model.get_layer(name)
            layer.set_weights([np.asarray(array, np.float32) for array in parts.values()])
            if epsilon is not None and isinstance(layer, layers.BatchNormalization):
                layer.epsilon = epsilon


def _input_beside(path: Path) -> dict[str, Any] | None:
    """The input of the facts that `edgecore train` writes beside a .keras file."""
    try:
        facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["input"]
        return {key: facts[key] for key in INPUT if key in facts}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def freeze_until(model: keras.Model, layer: str) -> int:
    """Makes every layer up to `layer`, which is frozen too, untrainable; returns how many have weights.

    The order is the topological one of `model.layers`. A frozen batch norm keeps its statistics. Raises
    UserError for a layer that the model does not have.
    """
    names = [each.name for each in model.layers]
    if layer not in names:
        block = [name for name in names if name.startswith(f"{layer}_")]
        near = block[-3:] or difflib.get_close_matches(layer, names, 3, 0.4) or names[1:4]
        raise UserError(
            f"{model.name} has no layer '{layer}' to freeze; choose one such as {', '.join(near)}, "
            "of those that `edgecore zoo show` lists"
        )
    frozen = model.layers[: names.index(layer) + 1]
    for each in frozen:
        each.trainable = False
    return sum(bool(each.weights) for each in frozen)


def _few(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:3]) + (f" and {len(every) - 3} more" if len(every) > 3 else "")
