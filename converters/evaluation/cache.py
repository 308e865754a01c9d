"""What was found of a model, kept so that a table that was interrupted goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from edgecore.converters import whole_file
from edgecore.converters.data import Source
from edgecore.converters.evaluation.candidates import Candidate
from edgecore.converters.evaluation.evaluation import Evaluation, Options
from edgecore.devices import machine


def key_of(candidate: Candidate, source: Source, options: Options) -> str:
    """Stands for all that the figures depend on: the models' bytes, the images, the options, the machine."""
    digest = hashlib.sha256()
    facts_file = candidate.keras.with_suffix(".json") if candidate.keras else None
    for path in (candidate.keras, facts_file, candidate.tflite, options.labels):
        digest.update(_sha256(path) if path is not None and path.is_file() else b"-")
    facts = [asdict(options) | {"labels": None}, machine.identify().to_json(), metadata.version("edgecore")]
    digest.update(json.dumps([_fingerprint(source), facts]).encode())
    return digest.hexdigest()[:16]


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _fingerprint(source: Source) -> list[object]:
    """The images by their names, classes, sizes and times of change; of a zip its own."""

    def of(path: Path) -> list[int]:
        try:
            return [path.stat().st_size, path.stat().st_mtime_ns]
        except OSError:  # no image to be read either, which the evaluation will say
            return []

    if source.path.is_file():
        return [str(source.path.resolve()), of(source.path), source.items]
    return [str(source.path.resolve()), [(item, of(source.path / item[0])) for item in source.items]]


def kept(folder: Path, name: str, key: str, find: Callable[[], Evaluation]) -> Evaluation:
    """The evaluation that `folder` holds for the key; else what `find` returns, which it holds from now on.

    Raises UserError: it cannot be written.
    """
    path = folder / f"{re.sub(r'[^A-Za-z0-9._-]', '_', name)}-{key}.json"
    try:
        return Evaluation.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        found = find()
    write(path, json.dumps(found.to_json(), indent=1))
    return found


def write(path: Path, text: str) -> None:
    """Writes a text whole or not at all; UserError if the disk does not take it."""
    whole_file.write_text(path, text, "choose another --out or make room")
