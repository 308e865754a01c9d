"""devices/emulation/sites: wheels laid over a root."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from edgecore.devices.emulation.sites import site_for
from edgecore.errors import UserError


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGECORE_CACHE", str(tmp_path / "cache"))


def wheel(folder: Path, name: str, files: dict[str, str]) -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return path


def test_the_files_of_every_wheel(tmp_path: Path) -> None:
    first = wheel(tmp_path, "a-1-cp311-abi3-manylinux_2_17_aarch64.whl", {"a/__init__.py": "A = 1"})
    second = wheel(tmp_path, "b-1-py3-none-any.whl", {"b.py": "B = 2"})
    site = site_for([first, second], "aarch64")
    assert (site / "a/__init__.py").read_text() == "A = 1"
    assert (site / "b.py").read_text() == "B = 2"


def test_a_site_is_keyed_by_content(tmp_path: Path) -> None:
    name = "a-1-py3-none-any.whl"
    path = wheel(tmp_path, name, {"a.py": "A = 1"})
    before = site_for([path], "armv7l")
    path.touch()
    assert site_for([path], "armv7l") == before
    wheel(tmp_path, name, {"a.py": "A = 2"})
    after = site_for([path], "armv7l")
    assert (before / "a.py").read_text() == "A = 1"
    assert (after / "a.py").read_text() == "A = 2"


def test_a_wheel_for_another_machine(tmp_path: Path) -> None:
    path = wheel(tmp_path, "a-1-cp311-abi3-manylinux_2_17_x86_64.whl", {})
    with pytest.raises(UserError, match=r"is not a wheel for aarch64; give one whose name ends in _aarch64"):
        site_for([path], "aarch64")


def test_a_wheel_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such wheel; build it or mend the path"):
        site_for([tmp_path / "a-1-py3-none-any.whl"], "aarch64")
