"""The C tests of micro-kernels, rows and operators, compiled as the wheels are and run on every core."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgecore.devices.emulation import cpus
from edgecore.devices.emulation.library import compile_library
from edgecore.devices.emulation.qemu import Emulator

pytestmark = pytest.mark.emulated
ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = ("tiles_test", "rows_test", "weighted_test")
TIERS = {
    "cortex-a53": ["neon"],
    "cortex-a72": ["neon"],
    "cortex-a76": ["neon", "dotprod"],
    "max": ["neon", "dotprod", "i8mm"],
    "cortex-a7": ["neon"],
    "cortex-a9-no-neon": [],
}
CORES = [(arch, cpu) for arch in cpus.ARCHITECTURES for cpu in cpus.names(arch) if cpu in TIERS]


@pytest.fixture(scope="module")
def built(
    tmp_path_factory: pytest.TempPathFactory, need_module: Callable[[str], None]
) -> Callable[[str], Path]:
    """built("aarch64") -> the folder with the programs."""
    done: dict[str, Path] = {}

    def build(arch: str) -> Path:
        if arch not in done:
            need_module("ziglang")
            folder = tmp_path_factory.mktemp(arch)
            done[arch] = compile_library(ROOT, arch, folder, "-DEDGECORE_TESTS=ON", "-DEDGECORE_WERROR=ON")
        return done[arch]

    return build


@pytest.mark.slow
@pytest.mark.parametrize(("arch", "cpu"), CORES, ids=[cpu for _, cpu in CORES])
@pytest.mark.parametrize("program", PROGRAMS)
def test_program(
    arch: str,
    cpu: str,
    program: str,
    built: Callable[[str], Path],
    emulator: Callable[[str, str], Emulator],
) -> None:
    done = emulator(arch, cpu).run([built(arch) / program], timeout=900)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    if program == "tiles_test":
        for tier in ["scalar", *TIERS[cpu]]:
            assert f"__{tier}\n" in done.stdout
        for tier in {"neon", "dotprod", "i8mm"} - set(TIERS[cpu]):
            assert f"__{tier}\n" not in done.stdout
