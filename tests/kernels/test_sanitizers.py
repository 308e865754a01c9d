"""The library built with sanitizers: under the C tests, and in place of the installed one under Python's.

AddressSanitizer and UndefinedBehaviorSanitizer see every test of this folder that is not slow,
ThreadSanitizer those with threads. In these builds the avxvnni tier runs on every CPU with AVX2, by an
emulation of its instruction, so that its exactness is tested where no CPU has it. The builds stay in
build/sanitizers.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgecore.kernels import cpu

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
TESTS = Path(__file__).parent
TOOLS = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

ADDRESS, THREAD = "address,undefined", "thread"
PROGRAMS = {
    ADDRESS: [
        ["graph_test"],
        ["threads_test", "20"],
        ["hostile_test", "3000"],
        ["tiles_test"],
        ["weighted_test", "400"],
        ["rows_test"],
    ],
    # The thread sanitizer cannot follow threads that a forked child of many threads starts.
    THREAD: [["graph_test", "--no-fork"], ["threads_test", "20"], ["hostile_test", "2000"]],
}
# The second compiles its own program with sanitizers, and the third's colours are seconds of numpy.
LEFT_OUT = ["test_graph.py", "test_tiles.py", "test_operators_contract.py", "test_image_planes.py", "arm"]
# Freed memory is kept for a while in these builds, to see its use: what a process holds says nothing.
OF_MEMORY = "test_delegate_lifetimes.py::test_interpreters_leave_no_memory_behind"
WITH_THREADS = ["test_kernel_threads.py", "test_delegate_lifetimes.py", "test_binding_graph.py"]
# Python keeps what it has until it ends, and never frees it.
SETTINGS = {"ASAN_OPTIONS": "detect_leaks=0"}


def run(command: list[str], **environment: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PATH": TOOLS, **environment}
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def built(need_program: Callable[[str, str], str]) -> Callable[[str], Path]:
    """built("thread") -> the folder of the library and the C tests."""
    ready: dict[str, Path] = {}

    def build(sanitizers: str) -> Path:
        if sanitizers not in ready:
            compiler = need_program("gcc", "gcc")
            cmake = shutil.which("cmake", path=TOOLS) or need_program("cmake", "cmake")
            folder = ROOT / "build" / "sanitizers" / sanitizers.replace(",", "-")
            options = ["-DEDGECORE_PYTHON=OFF", "-DEDGECORE_TESTS=ON", f"-DEDGECORE_SANITIZE={sanitizers}"]
            options.append("-DEDGECORE_EMULATE_AVXVNNI=ON")
            options.append(f"-DCMAKE_C_COMPILER={compiler}")
            run([cmake, "-G", "Ninja", "-S", str(ROOT), "-B", str(folder), *options])
            run([cmake, "--build", str(folder)])
            ready[sanitizers] = folder / "kernels"
        return ready[sanitizers]

    return build


def in_python(folder: Path, sanitizers: str) -> dict[str, str]:
    """The environment in which Python runs with this build: of two libraries of a name the first is used."""
    names = ["libasan.so", "libubsan.so"] if sanitizers == ADDRESS else ["libtsan.so"]
    # Its interceptor of C++ exceptions, which TFLite throws, wants to find the real one when it starts.
    names.append("libstdc++.so.6")
    found = [
        subprocess.check_output(["gcc", f"-print-file-name={name}"], text=True).strip() for name in names
    ]
    library = str(folder / "libedgecore.so")
    return {"LD_PRELOAD": " ".join([*found, library]), "EDGECORE_LIBRARY": library, **SETTINGS}


@pytest.mark.parametrize(
    ("sanitizers", "program"),
    [(sanitizers, program) for sanitizers, programs in PROGRAMS.items() for program in programs],
    ids=lambda value: value[0] if isinstance(value, list) else value.split(",")[0],
)
def test_c_program(built: Callable[[str], Path], sanitizers: str, program: list[str]) -> None:
    printed = run([str(built(sanitizers) / program[0]), *program[1:]])
    if program == ["tiles_test"] and "avx2" in cpu.available_isas():
        assert "gemm_4x24c4__avxvnni\n" in printed and "winograd_6x16c8__avxvnni\n" in printed


@pytest.mark.parametrize("sanitizers", PROGRAMS, ids=lambda value: value.split(",")[0])
def test_python_tests(built: Callable[[str], Path], sanitizers: str) -> None:
    if sanitizers == ADDRESS:
        chosen = [str(TESTS), *(f"--ignore={TESTS / name}" for name in LEFT_OUT)]
    else:
        chosen = [str(TESTS / name) for name in WITH_THREADS]
    chosen.append(f"--deselect=tests/kernels/{OF_MEMORY}")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "not slow", "-x", *chosen]
    text = run(command, **in_python(built(sanitizers), sanitizers))
    assert " passed" in text and " failed" not in text


BROKEN = """
import ctypes
from pathlib import Path
from edgecore import interpreter
from edgecore.kernels import cpu, graph
print(*cpu.available_isas())
library = interpreter.library()
maps = Path("/proc/self/maps").read_text().splitlines()
loaded = {line.split()[-1] for line in maps if "libedgecore" in line}
assert loaded == {str(interpreter.library_path())}, loaded
allocate = ctypes.CDLL(None).malloc
allocate.restype = ctypes.c_void_p
library.edgecore_isa_select(None, ctypes.c_void_p(allocate(1)), None)
"""


def test_python_runs_this_library_and_an_overrun_ends_it(built: Callable[[str], Path]) -> None:
    """The last call lets the library write 4 bytes where 1 was allocated."""
    environment = {**os.environ, **in_python(built(ADDRESS), ADDRESS)}
    done = subprocess.run([sys.executable, "-c", BROKEN], capture_output=True, text=True, env=environment)
    assert done.returncode != 0
    if "avx2" in cpu.available_isas():
        assert "avxvnni" in done.stdout.split()
    assert "heap-buffer-overflow" in done.stderr and "edgecore_isa_select" in done.stderr, done.stderr
