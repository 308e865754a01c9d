"""The operators' contract with the graph (tests/kernels/c/operators_test.c), compiled with sanitizers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests" / "kernels" / "c"
KERNELS = ROOT / "kernels"


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


def test_operators_keep_their_contract(tmp_path: Path, need_program: Callable[[str, str], str]) -> None:
    compiler = need_program("cc", "gcc")
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    flags = ["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-fno-strict-aliasing", *sanitizers]
    flags += [f"-I{KERNELS}", f"-I{KERNELS / 'include'}"]
    native = tmp_path / "rows_native.o"
    run([compiler, *flags, "-march=native", "-c", str(TESTS / "rows_native.c"), "-o", str(native)])
    sources = [
        *sorted((KERNELS / "ops").glob("*.c")),
        KERNELS / "isa" / "scalar.c",
        TESTS / "operators_samples.c",
        TESTS / "operators_test.c",
    ]
    program = tmp_path / "operators_test"
    run([compiler, *flags, *map(str, sources), str(native), "-o", str(program), "-lm"])
    run([str(program)])
