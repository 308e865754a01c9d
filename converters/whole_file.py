"""Files that are written whole or not at all: a full disk, a stop or a kill leaves what was there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from edgecore.errors import UserError


def write_whole(path: Path, write: Callable[[Path], None], remedy: str) -> None:
    """Has `write` make a file beside `path`, which takes its place once it is on the disk.

    The folder is made if it is not there. The file beside is called NAME.part.SUFFIX: what writes models and
    pictures goes by the suffix.

    Raises UserError, which ends in `remedy`, and leaves nothing behind, if the disk does not take it.
    """
    part = path.with_name(f"{path.stem}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        _to_disk(part)
        part.replace(path)
        _to_disk(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise UserError(f"cannot write {path}: {_reason(error)}; {remedy}") from error
        raise


def check_place(path: Path, remedy: str) -> None:
    """Complains before long work rather than after it: UserError where `path` could not be written."""
    if path.is_dir():
        raise UserError(f"cannot write {path}: it is a folder; {remedy}")
    part = path.with_name(f"{path.stem}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
        part.unlink()
    except OSError as error:
        raise UserError(f"cannot write {path}: {_reason(error)}; {remedy}") from error


def write_text(path: Path, text: str, remedy: str) -> None:
    """`write_whole` for a text, in UTF-8."""
    write_bytes(path, text.encode(), remedy)


def write_bytes(path: Path, data: bytes, remedy: str) -> None:
    """`write_whole` for bytes."""

    def write(part: Path) -> None:
        part.write_bytes(data)

    write_whole(path, write, remedy)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: OSError) -> str:
    """HDF5 raises OSErrors with a number only, or with a text only."""
    return os.strerror(error.errno) if error.errno else str(error)
