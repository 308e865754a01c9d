"""The wheel and the source archive as a user gets them: built once, looked into, installed and run."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SIZE_LIMIT = 1_800_000  # with the host side; those for boards have another limit

pytestmark = pytest.mark.slow


def run(*command: str | Path, **options: object) -> str:
    """The output of a command that has to succeed."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        **options,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return str(done.stdout)


@pytest.fixture(scope="module")
def archives(
    tmp_path_factory: pytest.TempPathFactory, need_module: Callable[[str], None]
) -> tuple[Path, Path]:
    """(source archive, wheel). The wheel is built from the source archive, so that one holds all it needs."""
    need_module("build")
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    (source,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    return source, wheel


@pytest.fixture(scope="module")
def installed(archives: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment that holds nothing but the wheel; the path of its bin folder."""
    folder = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", folder)
    run(folder / "bin/python", "-m", "pip", "install", "--no-index", "--no-deps", archives[1])
    return folder / "bin"


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return [name for name in archive.namelist() if not name.endswith("/")]


def test_one_wheel_serves_every_python_from_3_11_on(archives: tuple[Path, Path]) -> None:
    tag = archives[1].name.split("-", 2)[2]
    assert tag.startswith("cp311-abi3-linux_")
    modules = [name for name in names(archives[1]) if name.endswith(".so") and "libedgecore" not in name]
    assert modules and all(name.endswith(".abi3.so") for name in modules)


def test_wheel_holds_what_a_device_needs(archives: tuple[Path, Path]) -> None:
    found = names(archives[1])
    for needed in (
        "edgecore/__init__.py",
        "edgecore/py.typed",
        "edgecore/cli/run.py",
        "edgecore/kernels/libedgecore.so",
        "edgecore/converters/__init__.py",
        "edgecore/devices/machine.py",
        "edgecore/devices/boards/raspberry-pi-5.toml",
        "edgecore/assets/res_squeezenet_cifar10.tflite",
        "edgecore/assets/ATTRIBUTION.md",
        "edgecore/assets/demo.mp4",
    ):
        assert needed in found
    assert {name.split("/")[0] for name in found} == {"edgecore", "edgecore-0.1.0.dist-info"}


def test_wheel_holds_nothing_that_only_building_needs(archives: tuple[Path, Path]) -> None:
    unwanted = (
        ".c",
        ".h",
        ".pyx",
        ".pxd",
        ".sh",
        ".cmake",
        "CMakeLists.txt",
        "make_demo_clip.py",
        "README.md",
    )
    found = names(archives[1])
    assert [
        name for name in found if name.endswith(unwanted) or name.startswith("edgecore/benchmarks/")
    ] == []


def test_wheel_is_small(archives: tuple[Path, Path]) -> None:
    assert archives[1].stat().st_size < SIZE_LIMIT


def test_every_exported_symbol_carries_the_prefix(
    archives: tuple[Path, Path], tmp_path: Path, need_program: Callable[[str, str], str]
) -> None:
    for tool in ("make", "nm"):
        need_program(tool, "build-essential")
    with zipfile.ZipFile(archives[1]) as archive:
        archive.extractall(tmp_path)
    kernels = tmp_path / "edgecore/kernels"
    run("make", "-s", "symbols", f"LIBRARY={kernels / 'libedgecore.so'}", cwd=ROOT)
    binding = next(kernels.glob("*.abi3.so"))
    with pytest.raises(AssertionError, match=r"without the edgecore_ prefix: .*PyInit_"):
        run("make", "-s", "symbols", f"LIBRARY={binding}", cwd=ROOT)


def test_source_archive_holds_the_sources_and_no_build(archives: tuple[Path, Path]) -> None:
    with tarfile.open(archives[0]) as archive:
        found = [name.split("/", 1)[1] for name in archive.getnames() if "/" in name]
    for needed in (
        "CMakeLists.txt",
        "LICENSE",
        "Makefile",
        "kernels/include/edgecore/graph.h",
        "tests/test_packaging.py",
    ):
        assert needed in found
    assert [name for name in found if name.endswith((".so", ".pyc")) or name.startswith("build/")] == []


def test_import_and_help_need_no_dependency(installed: Path, tmp_path: Path) -> None:
    run(installed / "python", "-c", "import edgecore; edgecore.UserError", cwd=tmp_path)
    output = run(installed / "edgecore", "--help", cwd=tmp_path)
    assert "run" in output and "bench" in output
    assert "raspberry-pi-5" in run(installed / "edgecore", "devices", cwd=tmp_path)


def test_installed_command_runs_the_bundled_model_on_the_bundled_clip(
    installed: Path, tmp_path: Path
) -> None:
    """The dependencies come from the environment of the tests, behind the wheel's own files."""
    (site,) = (installed.parent / "lib").glob("python3*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("platlib") + "\n")
    output = run(installed / "edgecore", "run", "--frames", "5", cwd=tmp_path)
    assert "5 frames in " in output
