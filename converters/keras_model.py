"""A .keras file with the facts beside it: what training writes, conversion and evaluation read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras

from edgecore.artefact import Artefact
from edgecore.converters import zoo
from edgecore.converters.zoo import special  # noqa: F401  its layers can be loaded then
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing


def open_model(
    path: str | Path, given: dict[str, Any] | None = None
) -> tuple[keras.Model, Artefact | None, Preprocessing]:
    """(model, facts of model.json or None, preprocessing).

    The preprocessing is that of the facts, else of the zoo's member of the same name, else pixel / 255 in
    red-green-blue; entries of `given` (order, resize, mean, scale) go over it. Raises UserError if the file
    does not load, or is no classifier of square or rectangular images.
    """
    path = Path(path)
    model = load(path)
    if not isinstance(model.input_shape, tuple) or len(model.input_shape) != 4:
        raise UserError(
            f"{path} takes {model.input_shape}, not one batch of images (n, height, width, channels)"
        )
    if not isinstance(model.output_shape, tuple) or len(model.output_shape) != 2:
        raise UserError(f"{path} gives {model.output_shape}, not one score per class")
    _, height, width, channels = model.input_shape
    if None in (height, width, channels) or channels not in (1, 3):
        raise UserError(f"{path} has no fixed input of 1 or 3 channels: {model.input_shape}")
    facts = _facts(path)
    base: dict[str, Any] = {"order": "RGB" if channels == 3 else "GREY", "mean": [0.0], "scale": [1 / 255]}
    member = zoo.MEMBERS.get(model.name)
    if facts is not None:
        base = dict(facts.input)
    elif member is not None:
        base |= {"order": member.order, "scale": list(member.scale)}
    fields = {**base, **(given or {}), "width": width, "height": height}
    spec = Preprocessing.from_json(fields)
    if (spec.order == "GREY") != (channels == 1):
        raise UserError(f"{path} takes {channels} channel(s), which the order {spec.order} does not fit")
    return model, facts, spec


def load(path: str | Path) -> keras.Model:
    """Any Keras model of a file; UserError if there is none."""
    path = Path(path)
    if not path.is_file():
        raise UserError(f"there is no model {path}; give a .keras file, as `edgecore train` writes it")
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(f"{path} does not load as a Keras model: {lines[0]}") from error


def _facts(path: Path) -> Artefact | None:
    beside = path.with_suffix(".json")
    if not beside.exists():
        return None
    try:
        return Artefact.from_json(json.loads(beside.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UserError(f"{beside} does not read: {error}; remove it or train again") from error
