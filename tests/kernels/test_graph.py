"""The graph's C tests (tests/kernels/c), against the installed library."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgecore import interpreter

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "kernels" / "c"
PROGRAMS = {
    "graph_test": ["graph_test.c", "networks.c"],
    "threads_test": ["threads_test.c", "networks.c"],
    "hostile_test": ["hostile_test.c", "hostile_graph.c", "hostile_nodes.c", "hostile_tensors.c"],
}
TOOLS = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": TOOLS})
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"


def compile_test(compiler: str, library: Path, program: Path) -> None:
    """`program` is named as in PROGRAMS."""
    include = ROOT / "kernels" / "include"
    warnings = ["-Wall", "-Wextra", "-Werror"]
    link = [str(library), "-lpthread", f"-Wl,-rpath,{library.parent}"]
    sources = [str(FOLDER / source) for source in PROGRAMS[program.name]]
    run([compiler, "-std=gnu11", "-g", *warnings, f"-I{include}", *sources, "-o", str(program), *link])


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(tmp_path: Path, need_program: Callable[[str, str], str], name: str) -> None:
    compile_test(need_program("cc", "gcc"), interpreter.library_path(), tmp_path / name)
    run([str(tmp_path / name)])
