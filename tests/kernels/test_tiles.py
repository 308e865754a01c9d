"""Every micro-kernel of every tier against the specification; operators with weights on every tier.

tests/kernels/c/tiles_test.c runs the micro-kernels one by one, between guard pages, and rows_test.c those
of byte rows and images; weighted_test.c runs operators, cut into regions and strips.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgecore.kernels import cpu

ROOT = Path(__file__).resolve().parents[2]
TOOLS = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
PROGRAMS = ["tiles_test", "weighted_test", "rows_test", "operators_test", "micro"]


def run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": TOOLS})
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def build(folder: Path, need_program: Callable[[str, str], str], options: list[str]) -> Path:
    cmake = shutil.which("cmake", path=TOOLS) or need_program("cmake", "cmake")
    need_program("cc", "gcc")
    run([cmake, "-S", str(ROOT), "-B", str(folder), "-DEDGECORE_PYTHON=OFF", "-DEDGECORE_TESTS=ON", *options])
    run([cmake, "--build", str(folder), "--target", *PROGRAMS, "--parallel", "2"])
    return folder / "kernels"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory, need_program: Callable[[str, str], str]) -> Path:
    return build(tmp_path_factory.mktemp("tiles"), need_program, [])


def test_every_micro_kernel(programs: Path) -> None:
    """All that are measured, which tests/benchmarks/test_micro.py holds against the library, are tested."""
    tested = run([str(programs / "tiles_test")])
    measured = [name for isa in cpu.available_isas() for name in run([str(programs / "micro"), isa]).split()]
    kernels = [name for name in measured if re.search(r"\d.*__", name)]  # byte rows have no sizes
    assert kernels == [line for line in tested.splitlines() if not line.endswith("not on this CPU")]
    for isa in cpu.available_isas():
        assert f"__{isa}\n" in tested
    if platform.machine() == "x86_64" and "avx512vnni" in cpu.available_isas():
        assert "gemm_12x8c4__avx512vnni" in tested, "the 256-bit tiles are those of AVX-VNNI too"


def test_every_row_and_image_kernel(programs: Path) -> None:
    tested = run([str(programs / "rows_test")])
    for isa in cpu.available_isas():
        assert isa == "scalar" or f"rows__{isa}\n" in tested


def test_operators_with_weights(programs: Path) -> None:
    run([str(programs / "weighted_test")])


def test_operators_without_weights(programs: Path) -> None:
    run([str(programs / "operators_test")])
