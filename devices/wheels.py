"""The wheels of every kind of board, cross-compiled on this machine from a checkout.

    python -m edgecore.devices.wheels --out dist
    python -m edgecore.devices.wheels --arch aarch64 --compiler gcc --source ../other-checkout

Writes the source archive, one cp311-abi3 wheel an architecture, built from that archive and tagged by
auditwheel with the oldest glibc that it runs on, and SHA256SUMS for `sha256sum -c`. One commit gives the same
bytes again. The wheels hold what runs on a board; what needs TensorFlow is in the source archive alone.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from edgecore.errors import UserError, exit_status

ARCHITECTURES = ("aarch64", "armv7l", "x86_64")
# zig carries the headers and the symbols of every glibc; gcc links to that of the system it comes from.
COMPILERS = ("zig", "gcc")
GLIBC = "2_17"  # what the toolchain files ask of zig
SUMS = "SHA256SUMS"

_MODULES = {
    "build": "build",
    "auditwheel": "auditwheel",
    "scikit_build_core": "scikit-build-core",
    "Cython": "cython",
}
_PROGRAMS = ("cmake", "ninja")
_GCC_PACKAGES = {
    "aarch64": ("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"),
    "armv7l": ("arm-linux-gnueabihf-gcc", "gcc-arm-linux-gnueabihf"),
    "x86_64": ("x86_64-linux-gnu-gcc", "gcc-x86-64-linux-gnu"),
}
# The date of every file where neither SOURCE_DATE_EPOCH nor git tells one: the earliest that a zip can hold.
_EARLIEST = 315532800


def build(
    source: Path,
    out: Path,
    architectures: Sequence[str],
    compiler: str = "zig",
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Path]:
    """Builds the source archive and the wheels into `out`.

    Args:
        source: a checkout of edgecore.
        architectures: some of ARCHITECTURES.
        compiler: one of COMPILERS.
        tell: takes a line about each archive when it is there.

    Returns:
        The path of the wheel of each architecture.

    Raises:
        UserError: a tool is missing, or a build failed; the text ends with what the build said.
    """
    source = source.resolve()
    environment = _environment(source, compiler)
    _check_tools(architectures, compiler, environment["PATH"])
    out.mkdir(parents=True, exist_ok=True)
    wheels = {}
    with tempfile.TemporaryDirectory(prefix="edgecore-wheels-") as name:
        scratch = Path(name)
        archive = _source_archive(source, scratch, environment)
        # Built from the archive, so that a wheel holds nothing that the archive lacks.
        unpacked = _unpack(archive, scratch)
        for architecture in architectures:
            wheel = _wheel(unpacked, scratch / architecture, architecture, compiler, environment)
            wheels[architecture] = _deliver(wheel, out, tell)
        _deliver(archive, out, tell)
    _write_sums(out)
    tell(f"sums in {out / SUMS}")
    return wheels


def _deliver(archive: Path, out: Path, tell: Callable[[str], None]) -> Path:
    path = out / archive.name
    shutil.copyfile(archive, path)
    tell(f"{path.stat().st_size / 1e6:.3f} MB  {path}")
    return path


def _environment(source: Path, compiler: str) -> dict[str, str]:
    """The variables of a build: this interpreter's programs first, one date for every file, no flags."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in ("CFLAGS", "CPPFLAGS", "LDFLAGS", "CC", "CMAKE_ARGS", "CMAKE_GENERATOR")
        and not key.startswith("SKBUILD_")
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    environment["CMAKE_GENERATOR"] = "Ninja"
    environment.setdefault("SOURCE_DATE_EPOCH", str(_commit_date(source)))
    if compiler == "zig" and importlib.util.find_spec("ziglang"):
        environment["EDGECORE_ZIG"] = str(zig())
    return environment


def zig() -> Path:
    """The zig program of the Python package ziglang. Raises UserError: it is not installed."""
    package = importlib.util.find_spec("ziglang")
    if package is None or package.origin is None:
        raise UserError("the Python package ziglang is not installed; pip install 'edgecore[wheels]'")
    return Path(package.origin).parent / "zig"


def _commit_date(source: Path) -> int:
    command = ["git", "-C", str(source), "log", "-1", "--format=%ct"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return _EARLIEST
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip() else _EARLIEST


def _check_tools(architectures: Sequence[str], compiler: str, path: str) -> None:
    modules = {**_MODULES, "ziglang": "ziglang"} if compiler == "zig" else _MODULES
    missing = [package for module, package in modules.items() if importlib.util.find_spec(module) is None]
    missing += [program for program in _PROGRAMS if shutil.which(program, path=path) is None]
    if missing:
        raise UserError(
            f"building wheels needs {', '.join(missing)}; pip install -e '.[wheels]', or run make wheels"
        )
    if compiler == "gcc":
        for program, package in (_GCC_PACKAGES[architecture] for architecture in architectures):
            if shutil.which(program, path=path) is None:
                raise UserError(
                    f"{program} was not found; sudo apt install {package}, or take --compiler zig"
                )


def _source_archive(source: Path, scratch: Path, environment: dict[str, str]) -> Path:
    folder = scratch / "archive"
    _run(["build", "--sdist", "--no-isolation", "--outdir", str(folder), str(source)], scratch, environment)
    path = _only(folder, "*.tar.gz")
    # The build backend sets dates and owners, but takes the files in the order in which the file system lists
    # them, and a PKG-INFO that came with the source as well as its own, the later one.
    plain = io.BytesIO()
    with tarfile.open(path) as archive, tarfile.open(fileobj=plain, mode="w") as ordered:
        entries = {entry.name: entry for entry in archive.getmembers()}
        for name in sorted(entries):
            ordered.addfile(entries[name], archive.extractfile(entries[name]))
    path.write_bytes(gzip.compress(plain.getvalue(), mtime=int(environment["SOURCE_DATE_EPOCH"])))
    return path


def _unpack(archive: Path, scratch: Path) -> Path:
    folder = scratch / "source"
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return _only(folder, "*")


def _wheel(
    source: Path, scratch: Path, architecture: str, compiler: str, environment: dict[str, str]
) -> Path:
    toolchain = source / "devices" / "toolchains" / f"{architecture}-{compiler}.cmake"
    target = {
        **environment,
        "_PYTHON_HOST_PLATFORM": f"linux-{architecture}",
        "CMAKE_TOOLCHAIN_FILE": str(toolchain),
        "EDGECORE_BOARD_WHEEL": "true",
    }
    objects, built, tagged = (scratch / name for name in ("objects", "built", "tagged"))
    options = ["--config-setting", f"build-dir={objects}", "--outdir", str(built)]
    _run(["build", "--wheel", "--no-isolation", *options, str(source)], scratch, target)
    wheel = _only(built, "*.whl")
    if compiler == "zig":
        # The name says which glibc was promised, and auditwheel adds the one that it finds. Without the
        # promise it would not know armv7l's modules for glibc's, because they call nothing of it.
        wheel = wheel.rename(wheel.with_name(wheel.name.replace("-linux_", f"-manylinux_{GLIBC}_")))
    # Every library that a wheel needs beside glibc lies in it already: there is nothing to copy or to patch,
    # and without a patcher auditwheel fails if ever there is.
    options = [
        "--plat",
        "auto",
        "--patcher",
        "none",
        "--zip-compression-level",
        "9",
        "--wheel-dir",
        str(tagged),
    ]
    _run(["auditwheel", "repair", *options, str(wheel)], scratch, target)
    wheel = _only(tagged, "*.whl")
    if compiler == "zig" and set(re.findall(r"manylinux_(\d+_\d+)_", wheel.name)) != {GLIBC}:
        raise UserError(
            f"glibc {GLIBC} was promised and auditwheel finds another: {wheel.name}; see devices/toolchains"
        )
    return wheel


def _only(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


def _run(command: list[str], scratch: Path, environment: dict[str, str]) -> None:
    """Runs a module of this interpreter in silence, with one umask for everybody."""
    scratch.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=scratch,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        umask=0o022,
    )
    if done.returncode != 0:
        raise UserError(f"{command[0]} failed; it said:\n{done.stdout.strip()[-4000:]}")


def _write_sums(out: Path) -> None:
    """The sums of every archive in the folder, those of earlier runs too."""
    archives = sorted([*out.glob("edgecore-*.whl"), *out.glob("edgecore-*.tar.gz")])
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in archives]
    (out / SUMS).write_text("".join(lines))


def _architectures(text: str) -> list[str]:
    names = [name for name in re.split(r"[,\s]+", text) if name]
    unknown = [name for name in names if name not in ARCHITECTURES]
    if unknown or not names:
        raise UserError(f"--arch {text!r}: choose from {','.join(ARCHITECTURES)}")
    return list(dict.fromkeys(names))


def _checkout(path: Path | None) -> Path:
    source = Path(__file__).resolve().parents[1] if path is None else path.resolve()
    if not (source / "devices" / "toolchains").is_dir() or not (source / "pyproject.toml").is_file():
        raise UserError(f"{source} is no checkout of edgecore; name one with --source")
    return source


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m edgecore.devices.wheels",
        description="Cross-compile edgecore's wheels from a checkout.",
    )
    parser.add_argument(
        "--arch",
        default=",".join(ARCHITECTURES),
        metavar="NAME,...",
        help="architectures, all by default: %(default)s",
    )
    parser.add_argument("--out", type=Path, default=Path("dist"), help="folder for the archives (dist)")
    parser.add_argument(
        "--compiler",
        choices=COMPILERS,
        default="zig",
        help="zig needs nothing else and runs on older systems (default)",
    )
    parser.add_argument(
        "--source", type=Path, help="the checkout to build (the one that this module lies in)"
    )
    options = parser.parse_args(arguments)

    def run() -> None:
        source = _checkout(options.source)
        names = _architectures(options.arch)
        build(source, options.out, names, options.compiler, tell=lambda text: print(text, flush=True))

    return exit_status(run)


if __name__ == "__main__":
    raise SystemExit(main())
