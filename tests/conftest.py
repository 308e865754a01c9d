"""Fixtures for every test: the shared data, sample models, and one rule for what is missing.

Outside CI a test whose data or system package is missing skips and names it; with CI=true it fails.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from needs import missing

from edgecore.errors import UserError

if TYPE_CHECKING:
    from edgecore.devices.emulation.qemu import Emulator

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared test data, beside the project."""
    path = ROOT.parent / "shared" / "data"
    if not path.is_dir():
        missing(f"no test data in {path}")
    return path


@pytest.fixture(scope="session")
def need_program() -> Callable[[str, str], str]:
    """need_program("v4l2-ctl", "v4l-utils") -> its path; `package` is what to install."""

    def find(program: str, package: str) -> str:
        return shutil.which(program) or missing(f"{program} is not installed; apt-get install {package}")

    return find


@pytest.fixture(scope="session")
def need_module() -> Callable[[str], None]:
    """need_module("ai_edge_litert") ends the test where that Python package is not installed."""

    def check(module: str) -> None:
        if importlib.util.find_spec(module) is None:
            missing(f"the Python package {module} is not installed; pip install 'edgecore[dev,host]'")

    return check


@pytest.fixture(scope="session")
def sample(
    tmp_path_factory: pytest.TempPathFactory, need_module: Callable[[str], None]
) -> Callable[[str], Path]:
    """sample("squeezenet_v1.1") -> a .tflite of that member of the zoo, int8 with random weights.

    Made by TensorFlow in a process of its own, and cached between runs.
    """
    folder = tmp_path_factory.mktemp("samples")

    def build(name: str) -> Path:
        path = folder / f"{name}.tflite"
        if not path.exists():
            need_module("tensorflow")
            command = [sys.executable, "-m", "edgecore.converters.samples", "--out", str(folder), name]
            run = subprocess.run(command, capture_output=True, text=True)
            if run.returncode != 0:
                pytest.fail(f"{' '.join(command)}: {run.stderr.strip()[-2000:]}", pytrace=False)
        return path

    return build


@pytest.fixture(scope="session")
def emulator() -> Callable[[str, str], Emulator]:
    """emulator("aarch64", "cortex-a76"): that core over its root, which the first use makes."""
    from edgecore.devices.emulation.qemu import Emulator  # not in the wheels, with which these tests run too

    def start(arch: str, cpu: str) -> Emulator:
        try:
            found = Emulator(arch, cpu)
        except UserError as error:
            missing(str(error))
        return found

    return start


@pytest.fixture(scope="session")
def software_camera() -> Path:
    """libcamera's software camera under picamera2, in this process from now on; the folder it stands in.

    In CI the first use builds it, which takes minutes.
    """
    from software_camera import prepare, virtual

    if not prepare.folder().exists() and os.environ.get("CI") != "true":
        missing(f"no software camera; {sys.executable} {prepare.__file__}")
    try:
        folder = prepare.prepare()
    except UserError as error:
        missing(str(error))
    virtual.install(folder)
    return folder


# LiteRT has no wheel for 32-bit ARM.
RUNTIMES = ["tflite_runtime"] if platform.machine() == "armv7l" else ["tflite_runtime", "ai_edge_litert"]


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest, need_module: Callable[[str], None]) -> Any:
    """Each of the interpreter modules that there are for this machine."""
    need_module(request.param)
    return importlib.import_module(request.param + ".interpreter")


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory, need_module: Callable[[str], None]) -> dict[str, Path]:
    """{"aarch64": path, ...}: the wheels of this tree, cross-compiled once.

    The source archive and the sums lie beside them.
    """
    from edgecore.devices import wheels as building

    for module in ("auditwheel", "build", "ziglang"):
        need_module(module)
    try:
        return building.build(ROOT, tmp_path_factory.mktemp("wheels"), building.ARCHITECTURES)
    except building.UserError as error:
        pytest.fail(str(error), pytrace=False)
