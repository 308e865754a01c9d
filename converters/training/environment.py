"""What a run ran on: the versions and the machine that its figures belong to."""

from __future__ import annotations

import importlib.metadata
import platform
from dataclasses import asdict
from typing import Any

import edgecore
from edgecore.devices import machine

PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "opencv-python-headless")


def describe(threads: int | None) -> dict[str, Any]:
    """Versions, machine, and the threads that TensorFlow was limited to (None: it takes every core)."""
    return {
        "edgecore": edgecore.__version__,
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "threads": threads,
        "machine": asdict(machine.identify()),
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
