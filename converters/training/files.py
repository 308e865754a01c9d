"""The files of a run's folder: written whole or not at all, by one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edgecore.converters import whole_file
from edgecore.errors import UserError

CONFIG, SPLIT, ENVIRONMENT, METRICS = "config.json", "split.json", "environment.json", "metrics.csv"
STATE, BEST, MODEL = "state.npz", "best.keras", "model.keras"
CURVES, CONFUSION, REPORT = "curves.png", "confusion.png", "report.json"
LOCK = ".lock"
REMEDY = "what was there stands; make room and continue with --resume"


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """A file of a run; see `whole_file.write_whole`."""
    whole_file.write_whole(path, write, REMEDY)


def write_text(path: Path, text: str) -> None:
    """`write_whole` for a text."""
    whole_file.write_text(path, text, REMEDY)


def write_json(path: Path, values: Any) -> None:
    """`write_whole` for JSON."""
    write_text(path, json.dumps(values, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """What a JSON file holds; UserError if it does not read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} does not read: {error}; choose another --out") from error


def check_folder(folder: Path, resume: bool) -> None:
    """Raises UserError if it holds a run that is not to be resumed, or none that could be."""
    if resume and not (folder / CONFIG).exists():
        raise UserError(f"nothing to resume in {folder}; start without --resume")
    if not resume and (folder / STATE).exists():
        raise UserError(f"{folder} already holds a run; add --resume to continue it, or choose another --out")


@contextlib.contextmanager
def opened(folder: Path, resume: bool) -> Iterator[Path]:
    """The folder of a run, made if it is not there, and for this process alone.

    Raises UserError as `check_folder`, if it cannot be made, or if another process trains in it.
    """
    check_folder(folder, resume)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise UserError(f"cannot write in {folder}: {error.strerror}; choose another --out") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"another process trains in {folder}; wait for it, or end it") from None
        yield folder
