"""Keras's files: .keras and .weights.h5 of Keras 3, and the .h5 of Keras 2, read as data alone.

A .keras is a zip that holds a .weights.h5. There every layer is a group with its variables in `vars/0`,
`vars/1`, ... and its name in an attribute; in an .h5 of a whole model, or of weights as Keras 2 wrote them,
groups are called like their layers. No layer is made, so that no code of the file's author runs.
"""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import h5py
import numpy as np

from edgecore.converters.weights.files import Arrays
from edgecore.errors import UserError

INSIDE = "model.weights.h5"


def read(path: Path) -> Arrays:
    """`<layer>/<variable>` -> array; in Keras 3's own layout a variable's name is its number.

    Raises UserError for a damaged file, or one of a Keras that wrote no layer names.
    """
    try:
        if not zipfile.is_zipfile(path):
            with h5py.File(path, "r") as file:
                return _arrays(file, path)
        with zipfile.ZipFile(path) as archive:
            content = io.BytesIO(archive.read(INSIDE))
        with h5py.File(content, "r") as file:
            return _arrays(file, path)
    except (OSError, KeyError, RuntimeError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} does not read as a file of Keras: {error}; save it again") from error


def _arrays(file: h5py.File, path: Path) -> Arrays:
    if "layer_names" in file.attrs:
        return _by_layer(file)
    if "model_weights" in file:
        return _by_layer(file["model_weights"])
    found: Arrays = {}
    nameless: list[str] = []

    def visit(name: str, entry: h5py.Group | h5py.Dataset) -> None:
        if not isinstance(entry, h5py.Dataset) or name.startswith("optimizer") or "seed_generator" in name:
            return
        group, _, number = name.rpartition("/")
        if "name" in entry.parent.attrs:
            found[f"{entry.parent.attrs['name']}/{number}"] = np.asarray(entry)
        else:
            nameless.append(group)

    file.visititems(visit)
    if nameless and not found:
        raise UserError(f"{path} has no layer names, which Keras writes since 3.9; save it again with that")
    return found


def _by_layer(file: h5py.Group) -> Arrays:
    """Of Keras 2: a layer's group lists its arrays, `conv1/kernel:0`, a model's those of its layers."""
    found: Arrays = {}
    for layer in map(_text, file.attrs["layer_names"]):
        group = file[layer]
        for name in map(_text, group.attrs.get("weight_names", ())):
            inner, _, variable = name.rpartition("/")
            # Keras 2 numbered names that it had given before.
            is_own = inner.endswith(layer) or re.sub(r"_\d+$", "", inner).endswith(layer)
            module = layer if is_own or not inner else inner
            found[f"{module}/{variable.removesuffix(':0')}"] = np.asarray(group[name])
    return found


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
