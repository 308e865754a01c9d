"""A class map: classes merged, renamed or ignored before a label is decided.

A TOML file, for `--classes FILE`:

    ignore = ["ship"]

    [merge]
    vehicle = ["automobile", "truck"]

    [rename]
    deer = "animal"

Every name on the model's side stands in one place only. Scores of merged classes are added; an ignored class
is left out. A name that several classes of the model bear stands for all of them.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgecore.errors import UserError

if TYPE_CHECKING:
    import numpy as np

KEYS = ("merge", "rename", "ignore")


def read_mapping(path: str | Path) -> dict[str, Any]:
    """The content of a class map's file, for `ClassMap`.

    Raises UserError: the file is missing, not UTF-8 text or not TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UserError(f"the class map {path} cannot be read: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise UserError(f"the class map {path} is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"the class map {path} is not TOML: {error}") from error


class ClassMap:
    """The classes that count, made of those of a model.

    Args:
        labels: of the model, one per output.
        mapping: any of "merge" (new name: names), "rename" (name: new name) and "ignore" (names), as
            `read_mapping` gives it.
        origin: the file, for messages.

    `labels` are those after the mapping: a merged class stands where its first member stood.

    Raises UserError: an entry of another kind, a name that the model lacks or that stands in two places, a
    new name that another class has, or no class left.
    """

    def __init__(self, labels: Sequence[str], mapping: Mapping[str, Any], origin: str | Path = "") -> None:
        import numpy as np

        self._where = f"the class map {origin}".rstrip()
        known = set(labels)
        renamed: dict[str, str] = {}
        ignored: set[str] = set()
        for old, new in self._moves(mapping):
            if old not in known:
                close = difflib.get_close_matches(old, sorted(known), 1)
                hint = f"did you mean {close[0]!r}?" if close else "write it as the model's labels do"
                raise UserError(f"{self._where} names {old!r}, a class that the model lacks; {hint}")
            if old in renamed or old in ignored:
                raise UserError(f"{self._where} uses {old!r} twice; leave one of them out")
            if new is None:
                ignored.add(old)
            else:
                renamed[old] = new
        self._refuse_collisions(known - renamed.keys() - ignored, mapping)
        names: list[str] = []
        merged = mapping.get("merge", {})
        positions: dict[str, int] = {}
        target: list[int] = []  # per class of the model: its place in `labels`; -1: ignored
        for label in labels:
            name = renamed.get(label, label)
            if label in ignored:
                target.append(-1)
            elif name in merged and label in merged[name]:
                if name not in positions:
                    positions[name] = len(names)
                    names.append(name)
                target.append(positions[name])
            else:
                target.append(len(names))
                names.append(name)
        if not names:
            raise UserError(f"{self._where} ignores every class; keep one at least")
        self.labels = names
        # What is ignored is added up in a place of its own behind the others.
        self._target = np.array([len(names) if place < 0 else place for place in target], np.intp)

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """The scores (len(self.labels),), float64, of a model's scores (classes,).

        Raises ValueError for another number of scores.
        """
        import numpy as np

        count = len(self.labels)
        return np.bincount(self._target, weights=scores, minlength=count + 1)[:count]

    def _moves(self, mapping: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
        """(name, new name or None where it is ignored), entry by entry."""
        for key, value in mapping.items():
            if key not in KEYS:
                raise UserError(f"{self._where} has an entry {key!r}; it takes {', '.join(KEYS)}")
            if key == "ignore":
                yield from ((name, None) for name in self._names(value, "ignore"))
            elif not isinstance(value, Mapping):
                raise UserError(f"{self._where}: {key!r} is a table; write [{key}]")
            elif key == "merge":
                for new, olds in value.items():
                    yield from ((old, new) for old in self._names(olds, new))
            else:
                for old, new in value.items():
                    if not isinstance(new, str):
                        raise UserError(f"{self._where} renames {old!r} to {new!r}; give a name in quotes")
                    yield old, new

    def _names(self, value: Any, entry: str) -> list[str]:
        if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
            raise UserError(f"{self._where}: {entry!r} needs a list of names such as {entry} = ['cat']")
        return value

    def _refuse_collisions(self, kept: set[str], mapping: Mapping[str, Any]) -> None:
        """UserError where a new name is also another's; the names were checked before."""
        taken = set(kept)
        for new in (*mapping.get("merge", {}), *mapping.get("rename", {}).values()):
            if not new.strip():
                raise UserError(f"{self._where} gives a class an empty name")
            if new in taken:
                raise UserError(f"{self._where} makes two classes {new!r}; merge them under [merge]")
            taken.add(new)
