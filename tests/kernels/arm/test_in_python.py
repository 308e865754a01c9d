"""The wheels in emulated roots, with the runtimes from PyPI: delegate, binding and models on every core.

The tests that run there are those of this tree: what holds on x86 has to hold on ARM, down to the bytes.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edgecore.devices.emulation.qemu import Emulator
from edgecore.devices.emulation.sites import site_for

pytestmark = [pytest.mark.emulated, pytest.mark.slow]
TESTS = Path(__file__).resolve().parents[2]
Start = Callable[[str, str], Emulator]

# Every tier; the others execute what these do.
CORES = [
    ("aarch64", "cortex-a53"),
    ("aarch64", "cortex-a72"),
    ("aarch64", "cortex-a76"),
    ("aarch64", "max"),
    ("armv7l", "cortex-a7"),
]
MODELS = ("test_frozen_models.py", "test_isa.py", "test_delegate.py", "test_delegate_options.py")
OPERATORS = ("test_exact_operators.py", "test_exact_blocks.py", "test_binding_operators.py")


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory, need_module: Callable[[str], None]) -> Path:
    """A folder with TFLite's schema in Python alone, which LiteRT's wheels have."""
    need_module("ai_edge_litert")
    spec = importlib.util.find_spec("ai_edge_litert")
    assert spec is not None and spec.origin is not None
    folder = tmp_path_factory.mktemp("schema")
    shutil.copy(Path(spec.origin).with_name("schema_py_generated.py"), folder)
    return folder


def run_tests(emulator: Emulator, wheel: Path, schema: Path, files: tuple[str, ...]) -> str:
    """The closing line of pytest in the root; fails with its output."""
    site = site_for([wheel], emulator.arch)
    command = ["python3", "-m", "pytest", "-p", "no:cacheprovider", "-m", "not slow"]
    command += [f"kernels/{name}" for name in files]
    env = {"CI": "true", "PYTHONPATH": f"{site}:{schema}", "HYPOTHESIS_STORAGE_DIRECTORY": str(schema)}
    done = emulator.run(command, site=site, env=env, cwd=TESTS, timeout=1800)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize(("arch", "cpu"), CORES, ids=[cpu for _, cpu in CORES])
def test_models_delegate_and_tiers(
    arch: str, cpu: str, wheels: dict[str, Path], schema: Path, emulator: Start
) -> None:
    assert "passed" in run_tests(emulator(arch, cpu), wheels[arch], schema, MODELS)


@pytest.mark.parametrize(("arch", "cpu"), CORES, ids=[cpu for _, cpu in CORES])
def test_operators_and_blocks(
    arch: str, cpu: str, wheels: dict[str, Path], schema: Path, emulator: Start
) -> None:
    assert "passed" in run_tests(emulator(arch, cpu), wheels[arch], schema, OPERATORS)


TIER = "from edgecore.kernels import cpu; print(cpu.selected_isa(), *cpu.available_isas())"


@pytest.mark.parametrize(
    ("arch", "cpu", "tiers"),
    [
        ("aarch64", "cortex-a53", "neon scalar neon"),
        ("aarch64", "cortex-a72", "neon scalar neon"),
        ("aarch64", "cortex-a76", "dotprod scalar neon dotprod"),
        ("aarch64", "max", "i8mm scalar neon dotprod i8mm"),
        ("armv7l", "cortex-a7", "neon scalar neon"),
        ("armv7l", "cortex-a9-no-neon", "scalar scalar"),
    ],
)
def test_the_best_tier_is_taken(
    arch: str, cpu: str, tiers: str, wheels: dict[str, Path], emulator: Start
) -> None:
    done = emulator(arch, cpu).run(["python3", "-c", TIER], site=site_for([wheels[arch]], arch), cwd=TESTS)
    assert done.stdout.strip() == tiers, done.stderr


@pytest.mark.parametrize(("cpu", "tier"), [("cortex-a72", "dotprod"), ("cortex-a76", "i8mm")])
def test_a_tier_that_the_core_lacks_is_refused(
    cpu: str, tier: str, wheels: dict[str, Path], emulator: Start
) -> None:
    """Before it can raise SIGILL, which on these cores it would: they do not execute the instruction."""
    done = emulator("aarch64", cpu).run(
        ["python3", "-c", TIER],
        site=site_for([wheels["aarch64"]], "aarch64"),
        env={"EDGECORE_ISA": tier},
        cwd=TESTS,
    )
    assert done.returncode == 1
    assert (
        f'EDGECORE_ISA "{tier}" is not supported by this CPU; this machine has: scalar, neon' in done.stderr
    )
