"""devices/emulation/qemu: real programs in real roots, on cores that have what they should and no more."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edgecore.devices.emulation import cpus
from edgecore.devices.emulation.qemu import Emulator
from edgecore.errors import UserError

pytestmark = [pytest.mark.emulated, pytest.mark.slow]
Start = Callable[[str, str], Emulator]

MACHINE_CODE = str(Path(__file__).with_name("machine_code.py"))
FIRST_CORE = {"aarch64": "cortex-a53", "armv7l": "cortex-a7"}
RET = "c0035fd6"
BX_LR = "1eff2fe1"
SDOT = "0094804e" + RET  # sdot v0.4s, v0.16b, v0.16b
SMMLA = "00a4804e" + RET  # smmla v0.4s, v0.16b, v0.16b
VADD = "400800f2" + BX_LR  # vadd.i8 q8, q0, q0

each_arch = pytest.mark.parametrize("arch", cpus.ARCHITECTURES)


@each_arch
def test_python_and_what_the_tests_need(arch: str, emulator: Start) -> None:
    code = (
        "import platform, sys, numpy, pytest, hypothesis, tflite_runtime.interpreter;"
        "print(platform.machine(), *sys.version_info[:2], numpy.ones(3).sum())"
    )
    done = emulator(arch, FIRST_CORE[arch]).run(["python3", "-c", code])
    assert (done.stdout, done.stderr) == (f"{arch} 3 11 3.0\n", "")


def test_litert_and_opencv(emulator: Start) -> None:
    code = "import cv2, ai_edge_litert.interpreter; print(cv2.__version__)"
    done = emulator("aarch64", "cortex-a72").run(["python3", "-c", code])
    assert done.stdout == "4.11.0\n"


@each_arch
def test_children_of_python_are_emulated(arch: str, emulator: Start) -> None:
    code = (
        "import subprocess, sys;"
        "subprocess.run([sys.executable, '-Ic', 'import platform, numpy; print(platform.machine())'])"
    )
    assert emulator(arch, FIRST_CORE[arch]).run(["python3", "-c", code]).stdout == f"{arch}\n"


@each_arch
def test_isolated_every_child_is_emulated(arch: str, emulator: Start, tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("import numpy, platform; print(platform.machine(), numpy.__file__)")
    done = emulator(arch, FIRST_CORE[arch]).run(
        ["sh", "-c", "uname -m; python3 x.py; kill -9 $$"], cwd=tmp_path, isolated=True
    )
    machine, numpy = done.stdout.splitlines()
    assert machine == arch
    assert numpy.startswith(f"{arch} /usr/")
    assert done.returncode == -signal.SIGKILL


@each_arch
def test_the_environment_is_not_the_callers(
    arch: str, emulator: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("EDGECORE_ISA", "avx2")
    (tmp_path / "overlay.py").write_text("")
    code = "import json, os, overlay; print(json.dumps([dict(os.environ), os.getcwd(), overlay.__file__]))"
    done = emulator(arch, FIRST_CORE[arch]).run(
        ["python3", "-c", code], site=tmp_path, cwd="/tmp", env={"EDGECORE_THREADS": "1"}
    )
    variables, here, overlay = json.loads(done.stdout)
    assert "EDGECORE_ISA" not in variables and variables["EDGECORE_THREADS"] == "1"
    assert (here, overlay) == ("/tmp", str(tmp_path / "overlay.py"))


@pytest.mark.parametrize(
    ("arch", "cpu"), [(arch, cpu) for arch in cpus.ARCHITECTURES for cpu in cpus.names(arch)]
)
def test_cpuinfo_says_what_the_core_has(arch: str, cpu: str, emulator: Start) -> None:
    """The features that kernels are chosen by, in the file and in the hardware capabilities."""
    code = (
        "import ctypes; libc = ctypes.CDLL(None); libc.getauxval.restype = ctypes.c_ulong;"
        "print(libc.getauxval(16), libc.getauxval(26), open('/proc/cpuinfo').read())"
    )
    done = emulator(arch, cpu).run(["python3", "-c", code])
    hwcap, hwcap2, text = done.stdout.split(" ", 2)
    features = text.split("Features\t:")[1].splitlines()[0].split()
    if arch == "aarch64":
        assert (int(hwcap) >> 20 & 1) == ("asimddp" in features) == (cpu in ("cortex-a76", "max"))
        assert (int(hwcap2) >> 13 & 1) == ("i8mm" in features) == (cpu == "max")
        assert int(hwcap) >> 22 & 1 == 0  # SVE
    else:
        assert (int(hwcap) >> 12 & 1) == ("neon" in features) == (cpu != "cortex-a9-no-neon")


@pytest.mark.parametrize(
    ("arch", "cpu", "code", "runs"),
    [
        ("aarch64", "cortex-a72", SDOT, False),
        ("aarch64", "cortex-a76", SDOT, True),
        ("aarch64", "cortex-a76", SMMLA, False),
        ("aarch64", "max", SMMLA, True),
        ("armv7l", "cortex-a7", VADD, True),
        ("armv7l", "cortex-a9-no-neon", VADD, False),
    ],
)
def test_an_instruction_that_a_core_lacks_is_illegal(
    arch: str, cpu: str, code: str, runs: bool, emulator: Start
) -> None:
    done = emulator(arch, cpu).run(["python3", MACHINE_CODE, code, "7"])
    assert done.returncode == (0 if runs else -signal.SIGILL)


def test_several_at_once(emulator: Start) -> None:
    core = emulator("aarch64", "cortex-a72")
    with ThreadPoolExecutor(4) as pool:
        outputs = pool.map(lambda number: core.run(["python3", "-c", f"print({number})"]).stdout, range(4))
    assert list(outputs) == ["0\n", "1\n", "2\n", "3\n"]


@each_arch
def test_an_arm_program_of_the_hosts(arch: str, emulator: Start, tmp_path: Path) -> None:
    core = emulator(arch, FIRST_CORE[arch])
    shutil.copy(core.root / "bin/uname", tmp_path / "mine")
    assert core.run(["./mine", "-m"], cwd=tmp_path).stdout == f"{arch}\n"


def test_a_program_that_is_nowhere(emulator: Start) -> None:
    with pytest.raises(UserError, match=r"^nothing-here is neither in the aarch64 root nor a file"):
        emulator("aarch64", "cortex-a72").run(["nothing-here"])
