"""The engine without Python, cross-compiled as the wheels have it: for its C tests, and to look into it."""

from __future__ import annotations

import sys
from pathlib import Path

from edgecore.devices import wheels
from edgecore.devices.emulation import programs


def compile_library(source: Path, arch: str, folder: Path, *options: str) -> Path:
    """Compiles the checkout `source` in `folder`, with more CMake `options`; returns where kernels/ is built.

    Raises UserError: zig is not installed, or the build failed.
    """
    toolchain = source / "devices" / "toolchains" / f"{arch}-zig.cmake"
    cmake = [sys.executable, "-m", "cmake"]
    configure = ["-S", str(source), "-B", str(folder), "--toolchain", str(toolchain)]
    options = (f"-DEDGECORE_ZIG={wheels.zig()}", "-DEDGECORE_PYTHON=OFF", *options)
    programs.call([*cmake, *configure, *options], f"configuring the kernels for {arch}")
    programs.call([*cmake, "--build", str(folder), "--parallel", "2"], f"compiling the kernels for {arch}")
    return folder / "kernels"
