"""devices/prerequisites.sh: the Python it chooses, and what it says of a machine that lacks something."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "devices" / "prerequisites.sh"
Check = Callable[..., subprocess.CompletedProcess[str]]

# Stands for a Python of which one part is missing: the script asks for the version, then for modules, then
# for the folder of the headers.
INCOMPLETE = """#!/bin/sh
case "$2" in
    *version_info*) exit {version} ;;
    *ensurepip*) exit {venv} ;;
    *) echo {include}/Python.h ;;
esac
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder that is the whole PATH: the tools that every system has, and Debian's apt-get."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "mktemp", "rm"):
        (folder / name).symlink_to(shutil.which(name) or name)
    program(folder, "apt-get", "#!/bin/sh\n")
    return folder


@pytest.fixture
def check(programs: Path) -> Check:
    def run(**variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(programs), **variables}
        return subprocess.run(["sh", str(SCRIPT)], env=environment, capture_output=True, text=True)

    return run


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def python(folder: Path, name: str, version: int = 0, venv: int = 0) -> None:
    """A Python whose headers lie beside it."""
    (folder / "Python.h").touch()
    program(folder, name, INCOMPLETE.format(version=version, venv=venv, include=folder))


def compiler(folder: Path, status: int = 0) -> None:
    program(folder, "cc", f"#!/bin/sh\nexit {status}\n")


def test_a_complete_machine(programs: Path, check: Check) -> None:
    python(programs, "python3")
    compiler(programs)
    assert check().stdout == f"{programs}/python3\n"


def test_3_11_is_preferred_and_switched_off_shims_are_passed_over(programs: Path, check: Check) -> None:
    compiler(programs)
    python(programs, "python3", version=1)
    python(programs, "python3.12")
    assert check().stdout == f"{programs}/python3.12\n"
    python(programs, "python3.11")
    assert check().stdout == f"{programs}/python3.11\n"
    assert check(PYTHON="python3.12").stdout == f"{programs}/python3.12\n"


def test_no_python(check: Check) -> None:
    done = check()
    assert (done.returncode, done.stdout) == (1, "")
    assert "no Python 3.11 or later was found" in done.stderr
    assert "sudo apt install python3" in done.stderr


def test_a_python_that_was_asked_for_and_is_too_old(programs: Path, check: Check) -> None:
    python(programs, "python3.11")
    python(programs, "python3.9", version=1)
    done = check(PYTHON="python3.9")
    assert done.returncode == 1
    assert "PYTHON=python3.9 is not a Python 3.11 or later" in done.stderr


def test_no_virtual_environments(programs: Path, check: Check) -> None:
    python(programs, "python3", venv=1)
    assert "sudo apt install python3-venv" in check().stderr


def test_no_headers(programs: Path, check: Check) -> None:
    python(programs, "python3")
    (programs / "Python.h").unlink()
    assert "sudo apt install python3-dev" in check().stderr


def test_no_compiler(programs: Path, check: Check) -> None:
    python(programs, "python3")
    assert "no C compiler was found\n    install it with: sudo apt install build-essential" in check().stderr


def test_a_compiler_without_a_c_library(programs: Path, check: Check) -> None:
    python(programs, "python3")
    compiler(programs, status=1)
    assert "cc cannot build a program" in check().stderr


def test_without_apt_the_package_is_still_named(programs: Path, check: Check) -> None:
    (programs / "apt-get").unlink()
    python(programs, "python3")
    assert "counterpart of Debian's build-essential" in check().stderr
    program(programs, "dnf", "#!/bin/sh\n")
    assert "sudo dnf install gcc" in check().stderr


def test_this_machine() -> None:
    done = subprocess.run(["sh", str(SCRIPT)], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"this machine cannot build edgecore: {done.stderr.strip()}")
    version = subprocess.run([done.stdout.strip(), "--version"], capture_output=True, text=True).stdout
    assert tuple(map(int, version.split()[1].split(".")[:2])) >= (3, 11), sys.version
