"""Builds libcamera with its software camera, and picamera2 beside it, in a folder of the cache.

    python tests/software_camera/prepare.py     prints the folder; five minutes of one core on the first call

As root on Debian 12 it also installs the Debian packages it needs. The folder has in `prefix/` libcamera with
nothing but its virtual pipeline, in `site/` the Python packages `libcamera` and `picamera2` with what they
need beside numpy, and in `frames/` the pictures that camera 0 shows.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path

from edgecore.devices.emulation import cache, programs
from edgecore.errors import UserError

LIBCAMERA = "0.7.2-1"  # Debian's source package
PICAMERA2 = "0.3.38"
_REVISION = 1  # raise it when the code below builds something else of the same versions
_ADVICE = "look at the network and the free space, then try again"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

# Debian packages, each with a file that shows that it is there.
_PACKAGES = {
    "build-essential": "/usr/bin/g++",
    "pkg-config": "/usr/bin/pkg-config",
    "libcap-dev": "/usr/include/sys/capability.h",  # for python-prctl
    "libudev-dev": "/usr/include/libudev.h",
    "libyaml-dev": "/usr/include/yaml.h",
    "libyuv-dev": "/usr/include/libyuv.h",
}
_BUILDERS = (
    "jinja2==3.1.6",
    "markupsafe==3.0.4",
    "meson==1.12.1",
    "ninja==1.13.2",
    "ply==3.11",
    "pybind11==3.1.0",
    "pyyaml==6.0.3",
)
# What `import picamera2` imports; numpy is the project's own.
_SITE = (
    f"picamera2=={PICAMERA2}",
    "pidng==4.0.9",
    "piexif==1.1.3",
    "pillow==13.0.0",
    "python-prctl==1.8.1",
    "simplejpeg==1.9.0",
    "videodev2==0.0.4",
)
_DISABLED = (
    "cam",
    "documentation",
    "gstreamer",
    "lc-compliance",
    "libdw",
    "libunwind",
    "qcam",
    "tracing",
    "v4l2",
)

SIZES = ((640, 480), (320, 240))
# picamera2 numbers cameras by their ids, the last in the alphabet first.
_CAMERAS = """\
"b": {{supported_formats: [{sizes}], frames: {{path: "{frames}"}}, model: "pictures"}}
"a": {{supported_formats: [{sizes}], test_pattern: "bars", model: "bars"}}
"""
# BGR of the quarters of the first picture: upper left, upper right, lower left, lower right.
# Every next picture has them moved on by one.
QUARTERS = ((0, 0, 255), (0, 255, 0), (255, 0, 0), (255, 255, 255))


def folder() -> Path:
    """Where the software camera stands or would stand."""
    key = f"{LIBCAMERA}-{PICAMERA2}-{sys.implementation.cache_tag}-{_REVISION}"
    return cache.folder() / f"software-camera-{key}"


def prepare() -> Path:
    """The folder, made on the first call. Raises UserError: it cannot be made."""
    return cache.make_once(folder(), _make)


def _make(building: Path) -> None:
    _install_packages()
    work = building / "work"
    work.mkdir()
    source = _fetch_libcamera(work)
    tools = work / "tools"
    programs.call([sys.executable, "-m", "venv", str(tools)], "making a virtual environment", _ADVICE)
    _pip(tools, "install", *_BUILDERS)
    _build_libcamera(source, tools, building)
    _pip(tools, "install", "--no-deps", "--target", str(building / "site"), *_SITE)
    _write_cameras(building)
    shutil.rmtree(work)


def _install_packages() -> None:
    missing = [package for package, file in _PACKAGES.items() if not Path(file).exists()]
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise UserError(f"the software camera wants: apt-get install {' '.join(missing)}")
    apt = ["apt-get", "-q", "-o", "Acquire::Retries=3"]
    programs.call([*apt, "update"], "apt-get update", _ADVICE)
    command = ["env", "DEBIAN_FRONTEND=noninteractive", *apt, "install", "-y", "--no-install-recommends"]
    programs.call([*command, *missing], f"installing {' '.join(missing)}", _ADVICE)


def _fetch_libcamera(work: Path) -> Path:
    """libcamera's source from the Debian mirror that this machine uses; its own lists stay as they are."""
    targets = programs.call(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)"], "asking apt for its mirror"
    )
    mirrors = [uri for uri in targets.split() if uri.rstrip("/").endswith("/debian")]
    if not mirrors:
        raise UserError("apt has no mirror of Debian, where libcamera's source is; run this on Debian 12")
    (work / "lists/partial").mkdir(parents=True)
    sources = work / "sources.list"
    sources.write_text(
        "".join(f"deb-src [signed-by={_KEYRING}] {mirrors[0]} {suite} main\n" for suite in ("sid", "testing"))
    )
    settings = {
        "APT::Sandbox::User": "root",
        # An old list will do: the version is fixed.
        "Acquire::Check-Date": "false",
        "Acquire::Check-Valid-Until": "false",
        "Acquire::Retries": "3",
        "Dir::Cache": str(work),
        "Dir::Etc::SourceList": str(sources),
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": str(work / "lists"),
    }
    apt = ["apt-get", "-q", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]
    purpose = f"fetching the source of libcamera {LIBCAMERA}"
    programs.call([*apt, "update"], purpose, _ADVICE)
    programs.call(
        ["env", "-C", str(work), *apt, "source", "--download-only", f"libcamera={LIBCAMERA}"],
        purpose,
        _ADVICE,
    )
    (archive,) = work.glob("libcamera_*.orig.tar.*")
    source = work / "source"
    source.mkdir()
    unpack = ["tar", "-x", "-f", str(archive), "-C", str(source), "--strip-components=1"]
    programs.call(unpack, f"unpacking {archive.name}", _ADVICE)
    return source


def _pip(tools: Path, *arguments: str) -> None:
    command = [str(tools / "bin/python"), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    programs.call(command, f"pip {arguments[0]} {arguments[-1]}", _ADVICE)


def _build_libcamera(source: Path, tools: Path, building: Path) -> None:
    # The paths of the finished folder are compiled in.
    target = folder()
    include = sysconfig.get_config_var("LIBPC")  # of this Python, before the system's
    environment = [
        "env",
        f"PATH={tools / 'bin'}:{os.environ['PATH']}",
        f"PKG_CONFIG_PATH={include}",
        f"DESTDIR={building / 'work/install'}",
    ]
    build = building / "work/build"
    options = [
        f"--prefix={target / 'prefix'}",
        "--libdir=lib",
        "--buildtype=release",
        "-Dwerror=false",
        "-Dpipelines=virtual",
        "-Dipas=",
        "-Dpycamera=enabled",
        "-Dudev=enabled",
        "-Dtest=false",
        f"-Dpython.platlibdir={target / 'site'}",
        f"-Dpython.purelibdir={target / 'site'}",
        f"-Dcpp_link_args=-Wl,-rpath,{target / 'prefix/lib'}",
        *(f"-D{name}=disabled" for name in _DISABLED),
    ]
    programs.call(
        [*environment, "meson", "setup", str(build), str(source), *options], "configuring libcamera"
    )
    programs.call([*environment, "ninja", "-C", str(build)], "compiling libcamera")
    programs.call([*environment, "ninja", "-C", str(build), "install"], "installing libcamera")
    installed = building / "work/install" / target.relative_to("/")
    for name in ("prefix", "site"):
        (installed / name).rename(building / name)


def _write_cameras(building: Path) -> None:
    import cv2
    import numpy as np

    frames = building / "frames"
    frames.mkdir()
    width, height = SIZES[0]
    for number in range(len(QUARTERS)):
        turned = QUARTERS[number:] + QUARTERS[:number]
        small = np.array(turned, np.uint8).reshape(2, 2, 3)
        picture = small.repeat(height // 2, axis=0).repeat(width // 2, axis=1)
        cv2.imwrite(str(frames / f"{number}.jpg"), picture)
    sizes = ", ".join(
        f"{{width: {width}, height: {height}, frame_rates: [30, 60]}}" for width, height in SIZES
    )
    config = building / "prefix/share/libcamera/pipeline/virtual/virtual.yaml"
    config.write_text("%YAML 1.1\n---\n" + _CAMERAS.format(sizes=sizes, frames=folder() / "frames"))


if __name__ == "__main__":
    try:
        print(prepare())
    except UserError as error:
        sys.exit(f"software camera: {error}")
