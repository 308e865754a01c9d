"""A trained network with the facts beside it: what training writes, conversion and evaluation read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras

from edgecore.artefact import Artefact
from edgecore.converters import zoo
from edgecore.converters.formats import FORMATS, FloatNetwork, KerasNetwork, open_network
from edgecore.converters.host import reason_of
from edgecore.converters.zoo import special  # noqa: F401  its layers can be loaded then
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing


def open_described(
    path: str | Path, given: dict[str, Any] | None = None, size: tuple[int, int] | None = None
) -> tuple[FloatNetwork, Artefact | None, Preprocessing]:
    """(network, facts of model.json or None, preprocessing) of a file or folder in any format.

    The preprocessing is that of the facts, else of the zoo's member of the same name, else pixel / 255 in
    red-green-blue; entries of `given` (order, resize, mean, scale) go over it. `size` is `open_network`'s.

    Raises UserError if nothing loads, if it is no classifier of images, or if the preprocessing does not fit.
    """
    path = Path(path)
    network = open_network(path, size)
    facts = _facts(path)
    return network, facts, _preprocessing(path, network, facts, given or {})


def open_model(
    path: str | Path, given: dict[str, Any] | None = None
) -> tuple[keras.Model, Artefact | None, Preprocessing]:
    """The same with the Keras model itself, for Keras and ONNX files."""
    network, facts, spec = open_described(path, given)
    if not isinstance(network, KerasNetwork):
        raise UserError(f"{path} is no Keras model; give a .keras, .h5 or .onnx file")
    return network.model, facts, spec


def load(path: str | Path) -> keras.Model:
    """Any Keras model of a file; UserError if there is none."""
    path = Path(path)
    if not path.is_file():
        raise UserError(f"there is no model {path}; give {FORMATS}")
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:
        raise UserError(f"{path} does not load as a Keras model: {reason_of(error)}") from error


def _preprocessing(
    path: Path, network: FloatNetwork, facts: Artefact | None, given: dict[str, Any]
) -> Preprocessing:
    height, width, channels = network.input_shape
    base: dict[str, Any] = {"order": "RGB" if channels == 3 else "GREY", "mean": [0.0], "scale": [1 / 255]}
    member = zoo.MEMBERS.get(network.name)
    if facts is not None:
        base = dict(facts.input)
    elif member is not None:
        base |= {"order": member.order, "scale": list(member.scale)}
    spec = Preprocessing.from_json({**base, **given, "width": width, "height": height})
    if spec.channels != channels:
        raise UserError(f"{path} takes {channels} channel(s), which the order {spec.order} does not fit")
    return spec


def _facts(path: Path) -> Artefact | None:
    beside = path.with_suffix(".json")
    if not beside.exists():
        return None
    try:
        return Artefact.from_json(json.loads(beside.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UserError(f"{beside} does not read: {error}; remove it or train again") from error
