"""Training recipes: TOML files, the shipped ones beside this module, found by name."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from edgecore.converters.data.augment import Augmentation
from edgecore.errors import UserError

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Schedule:
    """How a network is trained: SGD with Nesterov momentum, warm-up, then a rate falling linearly to 0."""

    epochs: int = 20
    batch: int = 64
    rate: float = 0.05
    warmup: int = 1
    momentum: float = 0.9
    weight_decay: float = 0.005
    label_smoothing: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 1 or not 0 <= self.warmup <= self.epochs:
            raise UserError(
                f"{self.epochs} epochs, batch {self.batch}, warm-up {self.warmup} cannot be run; "
                "epochs and batch are 1 or more, the warm-up at most the epochs"
            )
        if not self.rate > 0 or not 0 <= self.momentum < 1 or not 0 <= self.label_smoothing < 1:
            raise UserError("rate must be positive, momentum and label smoothing in [0, 1)")


@dataclass(frozen=True)
class Recipe:
    """Everything that makes a model besides the data. `input` may hold size, order, resize, mean, scale."""

    name: str
    model: str
    options: dict[str, Any] = field(default_factory=dict)
    input: dict[str, Any] = field(default_factory=dict)
    augment: Augmentation = field(default_factory=Augmentation)
    train: Schedule = field(default_factory=Schedule)
    calibration_images: int = 300


def shipped() -> list[str]:
    """Names of the recipes that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read(name_or_path: str) -> Recipe:
    """The shipped recipe of that name, or the one in the file; UserError says which entry is wrong."""
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = FOLDER / f"{name_or_path}.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        known = ", ".join(shipped())
        raise UserError(f"no recipe '{name_or_path}'; shipped are: {known}; or give a .toml file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no valid TOML: {error}") from error
    return from_table(table, str(path))


def from_table(table: dict[str, Any], where: str = "recipe") -> Recipe:
    """A recipe from a parsed TOML table; unknown entries are errors, so that a typo does not pass."""
    _only(table, {"name", "model", "input", "augment", "train", "quantise"}, where)
    model = dict(table.get("model", {}))
    if "zoo" not in model:
        raise UserError(f'{where} names no model; write [model] zoo = "..."')
    name = model.pop("zoo")
    entry = table.get("input", {})
    _only(entry, {"size", "order", "resize", "mean", "scale"}, f"{where} [input]")
    quantise = table.get("quantise", {})
    _only(quantise, {"images"}, f"{where} [quantise]")
    return Recipe(
        name=str(table.get("name", name)),
        model=name,
        options=model,
        input=dict(entry),
        augment=_filled(Augmentation, table.get("augment", {}), f"{where} [augment]"),
        train=_filled(Schedule, table.get("train", {}), f"{where} [train]"),
        calibration_images=int(quantise.get("images", Recipe.calibration_images)),
    )


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
