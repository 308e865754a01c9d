"""What a user names as a model: a file, or the folder of a run of `edgecore train`."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

from edgecore.errors import UserError

MODEL, FOLDS = "model.keras", "folds.csv"
TRACES = ("config.json", "state.npz", "fold1")  # what a run leaves that began
KERAS = (".keras", ".h5")


@dataclass(frozen=True)
class Candidate:
    """A float model and the int8 one made of it, or one of them; `folds` is a cross-validation's table."""

    name: str
    keras: Path | None = None
    tflite: Path | None = None
    folds: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """What there is of the two models."""
        return tuple(path for path in (self.keras, self.tflite) if path is not None)


def find(path: Path | None, name: str | None = None) -> Candidate:
    """The candidate at `path`, the bundled model for None; `name` goes over the file's or folder's own.

    Raises UserError: nothing there, a run that is not finished, or several int8 models and none is the one.
    """
    if path is None:
        from edgecore.model import bundled_model

        path = bundled_model()
    if path.is_dir():
        return _of_run(path, name or path.resolve().name)
    if not path.is_file():
        raise UserError(f"there is no model {path}; check the path")
    if path.suffix not in KERAS:
        return Candidate(name or path.stem, tflite=path)
    own = path.resolve().parent.name if path.name == MODEL else path.stem
    return Candidate(name or own, keras=path, tflite=_int8_of(path))


def _of_run(folder: Path, name: str) -> Candidate:
    model, folds = folder / MODEL, folder / FOLDS
    found = folds if folds.is_file() else None
    if model.is_file():
        return Candidate(name, model, _int8_of(model), found)
    if found is not None:
        return Candidate(name, folds=found)
    if any((folder / trace).exists() for trace in TRACES):
        raise UserError(
            f"the run in {folder} is not finished: it has no {MODEL}; "
            "go on with its `edgecore train` and --resume"
        )
    raise UserError(f"{folder} is no run of `edgecore train`: it has no {MODEL}; name a model's file")


def _int8_of(keras: Path) -> Path | None:
    """The .tflite that `edgecore train` or `edgecore convert` made of a .keras; None: there is none."""
    named = [keras.with_suffix(".tflite")]
    try:
        name = json.loads(keras.with_suffix(".json").read_text(encoding="utf-8"))["name"]
        named.insert(0, keras.parent / f"{name}.tflite")
    except (OSError, ValueError, KeyError, TypeError):
        pass
    found = next((path for path in named if path.is_file()), None)
    if found is not None or keras.name != MODEL:
        return found
    others = sorted(keras.parent.glob("*.tflite"))
    if len(others) > 1:
        names = ", ".join(path.name for path in others)
        raise UserError(f"{keras.parent} has several int8 models ({names}); name one of them alone")
    return others[0] if others else None


def require_tensorflow_for(candidate: Candidate) -> None:
    """UserError with the remedy where the candidate has a .keras and TensorFlow is missing.

    Nothing is imported: TensorFlow runs in a process of its own.
    """
    if candidate.keras is None:
        return
    if all(importlib.util.find_spec(name) for name in ("tensorflow", "keras")):
        return
    otherwise = f"; or name {candidate.tflite} alone" if candidate.tflite else ""
    raise UserError(
        f"{candidate.keras} needs TensorFlow, which is missing; run: pip install 'edgecore[host]'{otherwise}"
    )
