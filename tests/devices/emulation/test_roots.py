"""devices/emulation/roots: what a root is keyed by, and what is said where none can be made."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from edgecore.devices.emulation import roots
from edgecore.errors import UserError


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("EDGECORE_CACHE", str(folder))
    return folder


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("edgecore.devices.emulation.programs._SYSTEM_FOLDERS", ())
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return folder


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def nothing_but_locks(cache: Path) -> bool:
    return [path.suffix for path in (cache / "roots").iterdir()] == [".lock"]


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(roots.Recipe)])
def test_a_changed_recipe_is_another_root(field: str) -> None:
    recipe = roots.RECIPES["armv7l"]
    old = getattr(recipe, field)
    new = {str: lambda: old + "x", int: lambda: old + 1, tuple: lambda: old[1:]}[type(old)]()
    assert dataclasses.replace(recipe, **{field: new}).key != recipe.key
    assert dataclasses.replace(recipe).key == recipe.key


def test_the_root_is_in_the_cache(empty_cache: Path) -> None:
    assert roots.path("aarch64").parent == empty_cache / "roots"
    assert roots.path("aarch64") != roots.path("armv7l")


def test_an_unknown_architecture() -> None:
    with pytest.raises(UserError, match=r"^riscv64 is not emulated; choose one of aarch64, armv7l$"):
        roots.prepare("riscv64")


def test_debootstrap_is_missing(programs: Path) -> None:
    with pytest.raises(UserError, match=r"^debootstrap is not installed; apt-get install debootstrap$"):
        roots.prepare("aarch64")


def test_not_root(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("debootstrap", "dpkg"):
        program(programs, name, "#!/bin/sh\nexit 0\n")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(UserError, match=r"^debootstrap needs root; .* prepare` once with sudo -E$"):
        roots.prepare("aarch64")


def test_no_network(programs: Path, empty_cache: Path) -> None:
    """What debootstrap says of it becomes the reason, after a second try."""
    program(programs, "dpkg", "#!/bin/sh\nexit 0\n")
    program(
        programs,
        "debootstrap",
        f"#!/bin/sh\necho tried >> {programs}/log\necho I: Retrieving Release\n"
        "echo E: Failed getting release file http://deb/Release >&2\necho more >&2\nexit 1\n",
    )
    with pytest.raises(UserError) as caught:
        roots.prepare("aarch64")
    assert str(caught.value) == (
        "fetching Debian bookworm for arm64 with debootstrap failed "
        "(E: Failed getting release file http://deb/Release); look at the network "
        "and the free space, then try again"
    )
    assert (programs / "log").read_text() == "tried\n" * 2
    assert nothing_but_locks(empty_cache)


def test_no_wheels(programs: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Debian that came and wheels that did not are no root either."""
    program(programs, "dpkg", "#!/bin/sh\nexit 0\n")
    program(
        programs,
        "debootstrap",
        "#!/bin/sh\nfor root; do :; done\nexport PATH=/usr/bin:/bin\n"
        "mkdir -p $root/etc $root/var/cache/apt/archives $root/usr/share/base-passwd\n"
        "touch $root/usr/share/base-passwd/passwd.master $root/usr/share/base-passwd/group.master\n",
    )
    program(
        programs, "python", "#!/bin/sh\necho ERROR: No matching distribution found for numpy >&2\nexit 1\n"
    )
    monkeypatch.setattr("sys.executable", shutil.which("python"))
    with pytest.raises(UserError) as caught:
        roots.prepare("aarch64")
    assert "the aarch64 wheels with pip failed (ERROR: No matching distribution found for numpy)" in str(
        caught.value
    )
    assert nothing_but_locks(empty_cache)
