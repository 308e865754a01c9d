"""What a run needs to go on: weights, optimizer and history in one file, so that they never disagree."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgecore.converters.training.files import write_whole
from edgecore.converters.training.history import Epoch
from edgecore.errors import UserError


def save(path: Path, variables: Iterable[Any], history: Sequence[Epoch]) -> None:
    """Writes the variables in their order, and the epochs; UserError if the disk is full."""
    arrays = {f"v{index}": np.asarray(value) for index, value in enumerate(variables)}
    arrays["epochs"] = np.array(json.dumps([asdict(epoch) for epoch in history]))
    write_whole(path, lambda part: _write(part, arrays))


def _write(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """The .npz of numpy.savez, which on a full disk leaves an archive that complains when it is collected."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def load(path: Path, variables: Sequence[Any]) -> list[Epoch]:
    """Fills the variables and returns the epochs; UserError, and no variable changed, if they do not fit."""
    try:
        with np.load(path) as state:
            epochs = [Epoch(**values) for values in json.loads(str(state["epochs"]))]
            values = [state[f"v{index}"] for index in range(len(variables))]
            fits = len(state.files) == len(variables) + 1
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} does not read: {error}; choose another --out") from error
    for variable, value in zip(variables, values, strict=True):
        fits = fits and tuple(variable.shape) == value.shape
    if not fits:
        raise UserError(f"{path} is of another network or optimizer; choose another --out")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return epochs
