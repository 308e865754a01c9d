"""devices/wheels: bad input, and the wheels that it cross-compiles, looked into, installed and run."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from needs import missing

import edgecore
from edgecore.devices import wheels as building

ROOT = Path(__file__).resolve().parents[2]
SIZE_LIMIT = 1_500_000
MACHINES = {"aarch64": "EM_AARCH64", "armv7l": "EM_ARM", "x86_64": "EM_X86_64"}
LIBRARY = "edgecore/kernels/libedgecore.so"
MODULES = {f"edgecore/kernels/{name}.abi3.so" for name in ("cpu", "graph", "image")}
architectures = pytest.mark.parametrize("architecture", building.ARCHITECTURES)


def run(*command: str | Path, **options: Any) -> str:
    """The output of a command that has to succeed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    assert done.returncode == 0, done.stdout[-4000:]
    return str(done.stdout)


def shared_objects(wheel: Path) -> Iterator[tuple[str, Any]]:
    """(name, ELFFile) of every shared object in the wheel."""
    from elftools.elf.elffile import ELFFile

    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(".so"):
                yield name, ELFFile(BytesIO(archive.read(name)))


def dynamic(elf: Any, tag: str) -> list[str]:
    """Values of a dynamic tag, by pyelftools's attribute: needed, runpath, soname."""
    tags = elf.get_section_by_name(".dynamic").iter_tags()
    return [getattr(entry, tag) for entry in tags if hasattr(entry, tag)]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--arch", "armv6l"], "--arch 'armv6l': choose from aarch64,armv7l,x86_64"),
        (["--arch", ","], "--arch ',': choose from aarch64,armv7l,x86_64"),
        (["--source", "/nonexistent"], "/nonexistent is no checkout of edgecore; name one with --source"),
    ],
)
def test_bad_input_is_named(
    arguments: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert building.main([*arguments, "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"edgecore: {complaint}\n"
    assert list(tmp_path.iterdir()) == []


def test_missing_tools_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(building, "_MODULES", {"no_such_module": "no-such-package"})
    with pytest.raises(building.UserError, match=r"needs no-such-package.*make wheels"):
        building.build(ROOT, tmp_path, ["aarch64"], "gcc")


def test_a_missing_cross_compiler_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(building, "_MODULES", {})
    monkeypatch.setattr(building, "_PROGRAMS", ())
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(building.UserError, match="sudo apt install gcc-aarch64-linux-gnu"):
        building.build(ROOT, tmp_path / "out", ["aarch64"], "gcc")


def test_the_sums_cover_every_archive_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "edgecore-1-cp311-abi3-x.whl").write_bytes(b"wheel")
    (tmp_path / "edgecore-1.tar.gz").write_bytes(b"source")
    (tmp_path / "notes.txt").touch()
    building._write_sums(tmp_path)
    assert (tmp_path / "SHA256SUMS").read_text() == (
        f"{hashlib.sha256(b'wheel').hexdigest()}  edgecore-1-cp311-abi3-x.whl\n"
        f"{hashlib.sha256(b'source').hexdigest()}  edgecore-1.tar.gz\n"
    )


@pytest.mark.slow
def test_one_wheel_an_architecture_for_glibc_2_17(wheels: dict[str, Path]) -> None:
    assert tuple(wheels) == building.ARCHITECTURES
    for architecture, path in wheels.items():
        tags = f"manylinux2014_{architecture}.manylinux_2_17_{architecture}"
        assert path.name == f"edgecore-0.1.0-cp311-abi3-{tags}.whl"
        with zipfile.ZipFile(path) as archive:
            text = archive.read("edgecore-0.1.0.dist-info/WHEEL").decode()
        tags_inside = re.findall(r"^Tag: cp311-abi3-(.*)$", text, re.MULTILINE)
        assert sorted(tags_inside) == sorted(tags.split("."))


@pytest.mark.slow
@architectures
def test_a_wheel_is_small(architecture: str, wheels: dict[str, Path]) -> None:
    assert wheels[architecture].stat().st_size < SIZE_LIMIT


@pytest.mark.slow
@architectures
def test_auditwheel_neither_renames_nor_adds_a_library(architecture: str, wheels: dict[str, Path]) -> None:
    objects = dict(shared_objects(wheels[architecture]))
    assert set(objects) == {*MODULES, LIBRARY}
    for name, elf in objects.items():
        assert elf["e_machine"] == MACHINES[architecture]
        needed = set(dynamic(elf, "needed"))
        system = {
            word for word in needed if re.match(r"(libc|libm|libpthread|ld-linux[^.]*)\.so\.\d+$", word)
        }
        if name == LIBRARY:
            assert needed == system and dynamic(elf, "soname") == ["libedgecore.so"]
        else:
            assert needed - system == {"libedgecore.so"} and dynamic(elf, "runpath") == ["$ORIGIN"]


@pytest.mark.slow
@architectures
def test_libraries_load_under_kernels_with_large_pages(architecture: str, wheels: dict[str, Path]) -> None:
    """A Pi 5's kernel has pages of 16 KiB, others of 64; none may want an executable stack."""
    for _, elf in shared_objects(wheels[architecture]):
        segments = {
            kind: [s for s in elf.iter_segments() if s["p_type"] == kind]
            for kind in ("PT_LOAD", "PT_GNU_STACK")
        }
        if architecture == "aarch64":
            assert {segment["p_align"] for segment in segments["PT_LOAD"]} == {65536}
        assert all(not segment["p_flags"] & 1 for segment in segments["PT_GNU_STACK"])


@pytest.mark.slow
@architectures
def test_the_library_is_stripped_and_exports_only_its_own(architecture: str, wheels: dict[str, Path]) -> None:
    elf = dict(shared_objects(wheels[architecture]))[LIBRARY]
    assert elf.get_section_by_name(".symtab") is None
    names = [
        symbol.name
        for symbol in elf.get_section_by_name(".dynsym").iter_symbols()
        if symbol["st_shndx"] != "SHN_UNDEF" and symbol.name
    ]
    assert "edgecore_isa_select" in names and "tflite_plugin_create_delegate" in names
    assert [name for name in names if not name.startswith(("edgecore_", "tflite_plugin_"))] == []


@pytest.mark.slow
@architectures
def test_the_modules_keep_to_the_stable_abi_of_3_11(
    architecture: str, wheels: dict[str, Path], need_module: Callable[[str], None]
) -> None:
    need_module("abi3audit")
    run(sys.executable, "-m", "abi3audit", "--strict", wheels[architecture])


@pytest.mark.slow
def test_the_sums_agree(wheels: dict[str, Path]) -> None:
    folder = wheels["aarch64"].parent
    lines = run("sha256sum", "-c", "SHA256SUMS", cwd=folder, env={**os.environ, "LC_ALL": "C"}).splitlines()
    assert sorted(lines) == sorted(
        f"{path.name}: OK" for path in folder.iterdir() if path.name != "SHA256SUMS"
    )


@pytest.mark.slow
def test_another_folder_and_umask_give_the_same_bytes(
    wheels: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Built from the unpacked source archive, which has no git to ask for the date."""
    (source,) = wheels["armv7l"].parent.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path, filter="data")
    (checkout,) = tmp_path.iterdir()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", building._environment(ROOT, "zig")["SOURCE_DATE_EPOCH"])
    before = os.umask(0o077)
    try:
        again = building.build(checkout, tmp_path / "again", ["armv7l"])
    finally:
        os.umask(before)
    assert again["armv7l"].read_bytes() == wheels["armv7l"].read_bytes()
    assert (tmp_path / "again" / source.name).read_bytes() == source.read_bytes()


def pictures(folder: Path) -> Path:
    """A grey picture for each class of the bundled model."""
    import cv2

    for name in edgecore.load().labels:
        (folder / "pictures" / name).mkdir(parents=True)
        assert cv2.imwrite(str(folder / "pictures" / name / "grey.png"), np.full((32, 32, 3), 99, np.uint8))
    return folder / "pictures"


@pytest.mark.slow
def test_the_wheel_of_this_machine_runs_the_bundled_clip(wheels: dict[str, Path], tmp_path: Path) -> None:
    machine = platform.machine()
    if machine not in wheels:
        pytest.skip(f"no wheel is made for {machine}")
    run(sys.executable, "-m", "venv", tmp_path)
    python = tmp_path / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-index", "--no-deps", wheels[machine])
    (site,) = (tmp_path / "lib").glob("python3*/site-packages")
    # The dependencies come from the environment of the tests, behind the wheel's own files.
    (site / "dependencies.pth").write_text(sysconfig.get_path("platlib") + "\n")
    assert run(tmp_path / "bin" / "edgecore", "--version", cwd=tmp_path) == "edgecore 0.1.0\n"
    assert "5 frames in " in run(tmp_path / "bin" / "edgecore", "run", "--frames", "5", cwd=tmp_path)
    found = run(
        tmp_path / "bin" / "edgecore", "eval", "--data", pictures(tmp_path), "--seconds", "0", cwd=tmp_path
    )
    assert "10 images of" in found and " engine " in found
    refused = subprocess.run(
        [tmp_path / "bin" / "edgecore", "zoo"], cwd=tmp_path, capture_output=True, text=True
    )
    assert refused.returncode == 2 and refused.stderr.startswith("edgecore: the wheels for boards leave out")
    code = "import edgecore.kernels.cpu as cpu; print(cpu.__file__)"
    assert run(python, "-c", code, cwd=tmp_path).startswith(str(site))


@pytest.mark.slow
def test_the_source_archive_builds_with_just_a_c_compiler(
    wheels: dict[str, Path], tmp_path: Path, need_program: Callable[[str, str], str]
) -> None:
    """As on a Raspberry Pi: pip brings cmake, ninja and Cython into an environment of its own."""
    need_program("cc", "build-essential")
    (source,) = wheels["aarch64"].parent.glob("*.tar.gz")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("cc", "gcc", "as", "ld", "uname", "strip"):
        found = Path(need_program(name, "build-essential")).resolve()
        (programs / name).symlink_to(found)
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    command = [
        tmp_path / "venv/bin/python",
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--wheel-dir",
        tmp_path,
        source,
    ]
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PATH": str(programs)},
    )
    if "No matching distribution found" in done.stdout or "NewConnectionError" in done.stdout:
        missing("pip cannot reach a package index")
    assert done.returncode == 0, done.stdout[-4000:]
    assert len(list(tmp_path.glob("edgecore-0.1.0-cp311-abi3-linux_*.whl"))) == 1
