"""Training recipes: TOML files, the shipped ones beside this module, found by name."""

from __future__ import annotations

import copy
import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from edgecore.converters import zoo
from edgecore.converters.data.augment import Augmentation
from edgecore.converters.recipes.settings import Training, Transfer, defaults_of
from edgecore.errors import UserError

__all__ = ["Augmentation", "Recipe", "Training", "Transfer", "from_table", "overlay", "read", "read_table"]

FOLDER = Path(__file__).resolve().parent
SECTIONS = {"name", "folds", "model", "input", "augment", "train", "transfer", "quantise"}


@dataclass(frozen=True)
class Recipe:
    """Everything that makes a model besides the data.

    `input` may hold size, order, resize, mean, scale, filter. `folds`: of the cross-validation; 1: none.
    """

    name: str
    model: str
    options: dict[str, Any] = field(default_factory=dict)
    input: dict[str, Any] = field(default_factory=dict)
    augment: Augmentation = field(default_factory=Augmentation)
    train: Training = field(default_factory=Training)
    transfer: Transfer = field(default_factory=Transfer)
    calibration_images: int = 300
    folds: int = 1

    def to_table(self) -> dict[str, Any]:
        """The recipe with every entry written out; `from_table` takes it back."""
        return {
            "name": self.name,
            "folds": self.folds,
            "model": {"zoo": self.model, **self.options},
            "input": dict(self.input),
            "augment": asdict(self.augment),
            "train": asdict(self.train),
            "transfer": asdict(self.transfer),
            "quantise": {"images": self.calibration_images},
        }


def shipped() -> list[str]:
    """Names of the recipes that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_table(name_or_path: str) -> dict[str, Any]:
    """The TOML table of a shipped recipe or of a file; UserError if there is none, or it does not parse."""
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = FOLDER / f"{name_or_path}.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        known = ", ".join(shipped())
        raise UserError(f"no recipe '{name_or_path}'; shipped are: {known}; or give a .toml file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no valid TOML: {error}") from error


def read(name_or_path: str) -> Recipe:
    """The shipped recipe of that name, or the one in the file; UserError says which entry is wrong."""
    return from_table(read_table(name_or_path), f"recipe {name_or_path}")


def overlay(table: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """A recipe's table with the entries of `given`, a table of the same form, over it.

    Another network takes neither the options nor the name of the recipe's. A warm-up that was not given
    shrinks to the epochs.
    """
    merged = copy.deepcopy(table)
    name = given.get("model", {}).get("zoo")
    if name is not None and name != merged.get("model", {}).get("zoo"):
        merged["model"] = {}
        merged.pop("name", None)
    for section, entries in given.items():
        if isinstance(entries, dict):
            merged[section] = {**merged.get(section, {}), **entries}
        else:
            merged[section] = entries
    train = merged.get("train", {})
    if "epochs" in train and "warmup" not in given.get("train", {}):
        train["warmup"] = min(train.get("warmup", Training.warmup), train["epochs"])
    return merged


def from_table(table: dict[str, Any], where: str = "recipe") -> Recipe:
    """A recipe from a parsed TOML table; unknown entries are errors, so that a typo does not pass."""
    _only(table, SECTIONS, where)
    model = dict(table.get("model", {}))
    if "zoo" not in model:
        raise UserError(f'{where} names no model; write [model] zoo = "..."')
    name = model.pop("zoo")
    zoo.member(name)
    entry = table.get("input", {})
    _only(entry, {"size", "order", "resize", "mean", "scale", "filter"}, f"{where} [input]")
    quantise = table.get("quantise", {})
    _only(quantise, {"images"}, f"{where} [quantise]")
    train = table.get("train", {})
    transfer = dict(table.get("transfer", {}))
    if isinstance(transfer.get("freeze_until"), dict):
        layers = transfer.pop("freeze_until")
        if transfer.get("weights"):
            transfer["freeze_until"] = layers.get(name, "")
    return Recipe(
        name=str(table.get("name", name)),
        model=name,
        options=model,
        input=dict(entry),
        augment=_filled(Augmentation, table.get("augment", {}), f"{where} [augment]"),
        train=_filled(Training, {**defaults_of(train), **train}, f"{where} [train]"),
        transfer=_filled(Transfer, transfer, f"{where} [transfer]"),
        calibration_images=_whole(quantise, "images", Recipe.calibration_images, where),
        folds=_whole(table, "folds", Recipe.folds, where),
    )


def _whole(table: dict[str, Any], key: str, default: int, where: str) -> int:
    value = table.get(key, default)
    if type(value) is not int or value < 1:
        raise UserError(f"{where}: {key} must be a whole number of 1 or more, got {value!r}")
    return value


def _only(table: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise UserError(f"{where} has no entry '{unknown[0]}'; known are {', '.join(sorted(known))}")


def _filled(kind: type, table: dict[str, Any], where: str) -> Any:
    types = {entry.name: type(entry.default) for entry in fields(kind)}
    _only(table, set(types), where)
    for key, value in table.items():
        fits = isinstance(value, types[key]) or (types[key] is float and type(value) is int)
        if not fits or (types[key] is int and isinstance(value, bool)):
            raise UserError(f"{where}: {key} must be of type {types[key].__name__}, got {value!r}")
    return kind(**table)
