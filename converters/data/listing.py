"""split.json: which images a run trained on and was judged on, for other commands to open the same parts.

{"classes": ["cat", "dog"],
 "training": {"path": "/data/pets", "images": {"cat": ["cat/1.jpg", ...], "dog": [...]}},
 "test": {...}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgecore.errors import UserError

Item = tuple[str, int]
Part = tuple[Path, tuple[Item, ...]]


def is_listing(path: Path) -> bool:
    """Whether a --data is such a file."""
    return path.suffix == ".json" and path.is_file()


def listing(classes: Sequence[str], parts: Mapping[str, Part]) -> dict[str, Any]:
    """The file's content: of each part the folder or zip, and the images inside with their class indices."""
    return {
        "classes": list(classes),
        **{
            name: {
                "path": str(path.resolve()),
                "images": {
                    label: [item for item, index in items if index == number]
                    for number, label in enumerate(classes)
                },
            }
            for name, (path, items) in parts.items()
        },
    }


def read_listing(path: Path) -> tuple[tuple[str, ...], list[Part]]:
    """(classes, the parts training and test); UserError if it does not read, or the images are gone."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        classes = tuple(str(name) for name in found["classes"])
        parts = [_part(found[name], classes) for name in ("training", "test")]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UserError(f"{path} is no split.json of a training run: {error!r}") from error
    for folder, _ in parts:
        if not folder.exists():
            raise UserError(f"{folder}, which {path} lists, is no longer there; bring it back")
    return classes, parts


def _part(entry: Any, classes: Sequence[str]) -> Part:
    images = entry["images"]
    return Path(entry["path"]), tuple(
        (str(item), index) for index, label in enumerate(classes) for item in images[label]
    )
