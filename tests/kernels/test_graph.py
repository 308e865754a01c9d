"""The graph's C tests (tests/kernels/c), against the installed library and under sanitizers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgecore import interpreter

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "kernels" / "c"
PROGRAMS = {"graph_test": ["graph_test.c", "networks.c"], "hostile_test": ["hostile_test.c"]}
TOOLS = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": TOOLS})
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"


def compile_test(compiler: str, library: Path, program: Path, flags: list[str]) -> None:
    """`program` is named as in PROGRAMS."""
    include = ROOT / "kernels" / "include"
    warnings = ["-Wall", "-Wextra", "-Werror"]
    link = [str(library), "-lpthread", f"-Wl,-rpath,{library.parent}"]
    sources = [str(FOLDER / source) for source in PROGRAMS[program.name]]
    run(
        [compiler, "-std=gnu11", "-g", *warnings, *flags, f"-I{include}", *sources, "-o", str(program), *link]
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(tmp_path: Path, need_program: Callable[[str, str], str], name: str) -> None:
    compile_test(need_program("cc", "gcc"), interpreter.library_path(), tmp_path / name, [])
    run([str(tmp_path / name)])


@pytest.mark.slow
@pytest.mark.parametrize("sanitizers", ["address,undefined", "thread"])
def test_programs_under_sanitizers(
    tmp_path: Path, need_program: Callable[[str, str], str], sanitizers: str
) -> None:
    compiler = need_program("cc", "gcc")
    build = tmp_path / "build"
    cmake = shutil.which("cmake", path=TOOLS) or need_program("cmake", "cmake")
    options = ["-DEDGECORE_PYTHON=OFF", f"-DEDGECORE_SANITIZE={sanitizers}", "-DCMAKE_BUILD_TYPE=Debug"]
    run([cmake, "-G", "Ninja", "-S", str(ROOT), "-B", str(build), *options])
    run([cmake, "--build", str(build), "--target", "edgecore"])
    flags = [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"]
    # The thread sanitizer cannot follow threads that a forked child starts.
    arguments = {"graph_test": ["--no-fork"] if sanitizers == "thread" else [], "hostile_test": ["3000"]}
    for name in PROGRAMS:
        compile_test(compiler, build / "kernels" / "libedgecore.so", tmp_path / name, flags)
        run([str(tmp_path / name), *arguments[name]])
