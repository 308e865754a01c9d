"""devices/toolchains: Python's sizes on every target, and code that every core of an architecture can run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from needs import missing

from edgecore.devices import wheels

ROOT = Path(__file__).resolve().parents[2]
TOOLCHAINS = ROOT / "devices" / "toolchains"
CONFIG = TOOLCHAINS / "python" / "pyconfig.h"
TARGETS = {"aarch64": "aarch64-linux-gnu", "armv7l": "arm-linux-gnueabihf", "x86_64": "x86_64-linux-gnu"}

# What the weakest core that a wheel is for can decode: ARMv8.0 without any extension, and ARMv7 with sixteen
# floating-point registers and no NEON.
BASELINES = {"aarch64": ["--mcpu=generic"], "armv7l": ["--mattr=+v7,+vfp3d16,-neon"]}
BEYOND = {
    "aarch64": (
        "-mcpu=generic+dotprod",
        "int32x4_t f(int32x4_t a, int8x16_t b) { return vdotq_s32(a, b, b); }",
    ),
    "armv7l": ("-mcpu=generic+v7a+neon", "int8x16_t f(int8x16_t a, int8x16_t b) { return vmaxq_s8(a, b); }"),
}

SIZES = {
    "SIZEOF_SHORT": "short",
    "SIZEOF_INT": "int",
    "SIZEOF_LONG": "long",
    "SIZEOF_LONG_LONG": "long long",
    "SIZEOF_FLOAT": "float",
    "SIZEOF_DOUBLE": "double",
    "SIZEOF_SIZE_T": "size_t",
    "SIZEOF_VOID_P": "void *",
    "SIZEOF_UINTPTR_T": "uintptr_t",
    "SIZEOF_WCHAR_T": "wchar_t",
    "SIZEOF_PID_T": "pid_t",
    "SIZEOF__BOOL": "_Bool",
}


@pytest.fixture(scope="module")
def zig(need_module: Callable[[str], None]) -> Path:
    need_module("ziglang")
    return wheels.zig()


@pytest.fixture(scope="module")
def disassembler() -> str:
    for name in ("llvm-objdump-19", "llvm-objdump"):
        if path := shutil.which(name):
            return path
    return missing("llvm-objdump is not installed; apt-get install llvm-19")


def run(*command: str | Path) -> str:
    """The output of a command that has to succeed."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    words = [str(word) for word in command]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    assert done.returncode == 0, done.stdout[-4000:]
    return str(done.stdout)


def foreign(disassembler: str, architecture: str, path: Path) -> list[str]:
    """Lines of the disassembly that the architecture's weakest core does not know."""
    text = run(disassembler, "-d", *BASELINES[architecture], path)
    assert re.search(r"^ *0: ", text, re.MULTILINE), f"{path}: nothing was disassembled"
    return [line for line in text.splitlines() if "<unknown>" in line]


@pytest.mark.parametrize("architecture", TARGETS)
def test_pyconfig_states_the_sizes_of_the_target(architecture: str, zig: Path, tmp_path: Path) -> None:
    text = CONFIG.read_text()
    assert set(SIZES) == set(re.findall(r"^#define (SIZEOF\w+)", text, re.MULTILINE))
    claims = [f'_Static_assert({name} == sizeof({kind}), "{name}");' for name, kind in SIZES.items()]
    source = tmp_path / "sizes.c"
    includes = "#include <stdint.h>\n#include <sys/types.h>\n#include <wchar.h>\n"
    source.write_text(f'{includes}#include "{CONFIG}"\n' + "\n".join(claims))
    options = ["-target", TARGETS[architecture], "-DPy_LIMITED_API=0x030b0000", "-c"]
    run(zig, "cc", *options, source, "-o", tmp_path / "sizes.o")


def test_pyconfig_states_what_pythons_own_states_on_linux() -> None:
    features = re.findall(r"^#define ((?:HAVE|WITH|STDC)_\w+) (\d)", CONFIG.read_text(), re.MULTILINE)
    assert len(features) > 5
    for name, value in features:
        assert str(sysconfig.get_config_var(name)) == value, name


@pytest.mark.slow
@pytest.mark.parametrize("architecture", BASELINES)
def test_only_a_tiers_own_files_go_beyond_the_weakest_core(
    architecture: str, zig: Path, disassembler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGECORE_ZIG", str(zig))
    toolchain = TOOLCHAINS / f"{architecture}-zig.cmake"
    run("cmake", "-G", "Ninja", "-S", ROOT, "-B", tmp_path, "--toolchain", toolchain, "-DEDGECORE_PYTHON=OFF")
    run("cmake", "--build", tmp_path)
    objects = sorted((tmp_path / "kernels/CMakeFiles/edgecore.dir").rglob("*.o"))
    common = [path for path in objects if path.parent.name != "arm"]
    assert len(common) > 40 and len(common) < len(objects)
    strangers = {path.name: found for path in common if (found := foreign(disassembler, architecture, path))}
    assert strangers == {}


@pytest.mark.slow
@pytest.mark.parametrize("architecture", BASELINES)
def test_an_instruction_beyond_the_weakest_core_is_seen(
    architecture: str, zig: Path, disassembler: str, tmp_path: Path
) -> None:
    flag, function = BEYOND[architecture]
    (tmp_path / "f.c").write_text(f"#include <arm_neon.h>\n{function}\n")
    options = ["-target", TARGETS[architecture], flag, "-O2", "-c"]
    run(zig, "cc", *options, tmp_path / "f.c", "-o", tmp_path / "f.o")
    assert foreign(disassembler, architecture, tmp_path / "f.o")


def test_a_32_bit_system_under_a_64_bit_kernel_gets_its_own_tiers(
    zig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Raspberry Pi OS of 32 bits says aarch64 when it is asked for the processor."""
    monkeypatch.setenv("EDGECORE_ZIG", str(zig))
    toolchain = tmp_path / "pi.cmake"
    toolchain.write_text(f'include("{TOOLCHAINS}/armv7l-zig.cmake")\nset(CMAKE_SYSTEM_PROCESSOR aarch64)\n')
    options = ["-DEDGECORE_PYTHON=OFF", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"]
    run("cmake", "-G", "Ninja", "-S", ROOT, "-B", tmp_path / "build", "--toolchain", toolchain, *options)
    commands = (tmp_path / "build" / "compile_commands.json").read_text()
    assert "isa/arm/neon.c" in commands
    assert "dotprod.c" not in commands and "i8mm.c" not in commands
