"""Emulated roots: the Debian files and the wheels that an ARM Python needs, in a folder of the cache.

Nothing of a root runs while it is made: packages are unpacked, not configured, so neither QEMU nor binfmt is
needed. A root is never changed once it stands; any number of processes may use it at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

from edgecore.devices.emulation import cache, programs
from edgecore.errors import UserError

# Raise it when what the code below does with a recipe changes.
_REVISION = 1
_NETWORK = "look at the network and the free space, then try again"
_SUITE = "bookworm"
PYTHON = "3.11"
SITE = f"usr/local/lib/python{PYTHON}/dist-packages"


@dataclass(frozen=True)
class Recipe:
    """What a root is made of; a change of any of it makes another root."""

    arch: str
    debian: str
    packages: tuple[str, ...]
    links: tuple[tuple[str, str], ...]  # (name, target): what package scripts would have set up
    wheels: tuple[str, ...]
    platforms: tuple[str, ...]  # tags of the wheels, each of which pip must be told
    revision: int = _REVISION

    @property
    def key(self) -> str:
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.arch}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


# Every wheel by its version, dependencies too: the numbers that are counted with them must not drift.
_TESTING = (
    "pip==25.3",
    "pytest==9.2.0",
    "iniconfig==2.3.1",
    "packaging==26.3",
    "pluggy==1.7.0",
    "pygments==2.21.0",
    "hypothesis==6.170.15",
    "sortedcontainers==2.4.0",
)
_LIBRARIES = "usr/lib/arm-linux-gnueabihf"
RECIPES = {
    "aarch64": Recipe(
        arch="aarch64",
        debian="arm64",
        packages=("python3", "libstdc++6", "ca-certificates"),
        links=(),
        wheels=(
            "numpy==1.26.4",
            "tflite-runtime==2.14.0",
            "ai-edge-litert==2.3.0",
            "backports.strenum==1.2.8",
            "flatbuffers==25.12.19",
            "ml-dtypes==0.5.4",
            "protobuf==7.36.2",
            "tqdm==4.70.1",
            "typing-extensions==4.16.0",
            "opencv-python-headless==4.11.0.86",
            *_TESTING,
        ),
        platforms=tuple(
            f"{tag}_aarch64"
            for tag in (
                "manylinux_2_34",
                "manylinux_2_31",
                "manylinux_2_28",
                "manylinux_2_27",
                "manylinux_2_17",
                "manylinux2014",
            )
        ),
    ),
    # Neither numpy nor OpenCV has an armv7l wheel. Debian's numpy looks for the two libraries under the names
    # that its alternatives system would give; python3-opencv would bring three hundred packages.
    "armv7l": Recipe(
        arch="armv7l",
        debian="armhf",
        packages=("python3", "python3-numpy", "libstdc++6", "ca-certificates"),
        links=(
            (f"{_LIBRARIES}/libblas.so.3", "blas/libblas.so.3"),
            (f"{_LIBRARIES}/liblapack.so.3", "lapack/liblapack.so.3"),
        ),
        wheels=("tflite-runtime==2.14.0", "flatbuffers==25.12.19", *_TESTING),
        platforms=(
            "manylinux_2_34_armv7l",
            "manylinux_2_31_armv7l",
            "manylinux_2_17_armv7l",
            "manylinux2014_armv7l",
        ),
    ),
}


def path(arch: str) -> Path:
    """Where the root of an architecture stands or would stand."""
    return cache.folder() / "roots" / RECIPES[arch].key


def prepare(arch: str) -> Path:
    """The root of an architecture, made on the first call: about a minute and 60 MB from the network."""
    if arch not in RECIPES:
        raise UserError(f"{arch} is not emulated; choose one of {', '.join(RECIPES)}")
    recipe = RECIPES[arch]
    return cache.make_once(path(arch), lambda root: _make(recipe, root))


def _make(recipe: Recipe, root: Path) -> None:
    _unpack_debian(recipe, root)
    _unpack_wheels(recipe, root / SITE)
    compile_python(root, [f"usr/lib/python{PYTHON}", "usr/lib/python3/dist-packages", SITE])


def _unpack_debian(recipe: Recipe, root: Path) -> None:
    debootstrap, dpkg = programs.find("debootstrap"), programs.find("dpkg")
    if os.geteuid() != 0:
        raise UserError(
            "debootstrap needs root; run `python -m edgecore.devices.emulation prepare` once with sudo -E"
        )
    command = [
        debootstrap,
        f"--arch={recipe.debian}",
        "--variant=minbase",
        "--foreign",
        f"--include={','.join(recipe.packages)}",
        _SUITE,
        str(root),
    ]
    purpose = f"fetching Debian {_SUITE} for {recipe.debian} with debootstrap"
    try:
        programs.call(command, purpose, _NETWORK)
    except UserError:  # it has no retries of its own, and goes on where it stopped
        programs.call(command, purpose, _NETWORK)
    archives = root / "var/cache/apt/archives"
    for package in sorted(archives.glob("*.deb")):
        programs.call([dpkg, "--extract", str(package), str(root)], f"unpacking {package.name}", _NETWORK)
    shutil.rmtree(archives)
    shutil.rmtree(root / "debootstrap", ignore_errors=True)
    for name, target in recipe.links:
        (root / name).symlink_to(target)
    # Names for the owner of the files, which base-passwd would have installed.
    for name in ("passwd", "group"):
        shutil.copy(root / f"usr/share/base-passwd/{name}.master", root / "etc" / name)


def _unpack_wheels(recipe: Recipe, site: Path) -> None:
    site.mkdir(parents=True, exist_ok=True)
    downloads = site / ".downloads"
    platforms = [word for tag in recipe.platforms for word in ("--platform", tag)]
    programs.call(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"),
            *("--implementation", "cp", "--python-version", PYTHON),
            *platforms,
            *("--dest", str(downloads)),
            *recipe.wheels,
        ],
        f"fetching the {recipe.arch} wheels with pip",
        _NETWORK,
    )
    for wheel in sorted(downloads.glob("*.whl")):
        unpack_wheel(wheel, site)
    shutil.rmtree(downloads)


def unpack_wheel(wheel: Path, site: Path) -> None:
    """Lays a wheel's files where Python imports them from; its scripts are left out."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)


def compile_python(root: Path, folders: list[str]) -> None:
    """Byte code for the folders below `root`, because compiling it under emulation takes many times as long.

    It is never checked against the source: a root does not change, and its files may get other times.
    """
    if f"{sys.version_info.major}.{sys.version_info.minor}" != PYTHON:
        return  # another version's byte code would not be read
    subprocess.run(
        [
            *(sys.executable, "-m", "compileall", "-qq", "--invalidation-mode", "unchecked-hash"),
            *("-s", str(root), "-p", "/"),
            *(str(root / folder) for folder in folders if (root / folder).is_dir()),
        ],
        check=False,  # test data of CPython's own that is not meant to compile
        capture_output=True,
    )
