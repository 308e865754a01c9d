"""Folders of unpacked wheels to lay over a root: what PYTHONPATH names for the packages under test."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from edgecore.devices.emulation import cache, roots
from edgecore.errors import UserError


def site_for(wheels: Sequence[str | Path], arch: str) -> Path:
    """A folder with the files of the wheels, made once per content."""
    paths = [Path(wheel) for wheel in wheels]
    digest = hashlib.sha256()
    for path in paths:
        _check(path, arch)
        digest.update(path.name.encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return cache.make_once(
        cache.folder() / "sites" / f"{arch}-{digest.hexdigest()[:16]}", lambda site: _fill(paths, site)
    )


def _fill(wheels: Sequence[Path], site: Path) -> None:
    for wheel in wheels:
        roots.unpack_wheel(wheel, site)
    roots.compile_python(site, ["."])


def _check(wheel: Path, arch: str) -> None:
    if not wheel.is_file():
        raise UserError(f"{wheel}: no such wheel; build it or mend the path")
    platform = wheel.name.removesuffix(".whl").rpartition("-")[2]
    if wheel.suffix != ".whl" or not (platform == "any" or platform.endswith(f"_{arch}")):
        raise UserError(f"{wheel.name} is not a wheel for {arch}; give one whose name ends in _{arch}.whl")
