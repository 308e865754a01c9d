"""Where prepared things live: outside the tree, each made once, whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def folder() -> Path:
    """$EDGECORE_CACHE, else edgecore/ in $XDG_CACHE_HOME or ~/.cache."""
    chosen = os.environ.get("EDGECORE_CACHE")
    if chosen:
        return Path(chosen).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "edgecore"


def make_once(target: Path, make: Callable[[Path], None]) -> Path:
    """`target`, filled by make(empty folder) unless it stands already.

    The folder gets its name when it is whole, so a build that was killed leaves nothing under it; what such
    a build left beside it goes with the next one. Other processes wait for the one that builds.
    """
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with _lock(target.with_name(f".{target.name}.lock")):
        if target.exists():
            return target
        prefix = f".{target.name}.building-"
        for leftover in target.parent.glob(f"{prefix}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        building = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
        try:
            make(building)
            building.chmod(0o755)
            building.rename(target)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
    return target


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Held by one process at a time; the kernel releases it when the process dies."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
