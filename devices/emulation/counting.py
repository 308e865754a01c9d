"""Exact instruction counts: builds the QEMU plugin icount.c and reads what it wrote."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgecore.devices.emulation import cache, programs

_SOURCES = ("icount.c", "qemu_plugin.h")
_FLAGS = ("-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror")


@dataclass(frozen=True)
class Section:
    """Instructions executed between two marks."""

    total: int
    simd: int  # vector and floating point, without their loads and stores
    memory: int  # loads and stores of every kind
    dot: int  # sdot, smmla and their like; 0 on armv7l

    def __sub__(self, other: Section) -> Section:
        return Section(
            self.total - other.total,
            self.simd - other.simd,
            self.memory - other.memory,
            self.dot - other.dot,
        )


def plugin() -> Path:
    """icount.so, built once per text of its sources."""
    here = Path(__file__).parent
    text = b"".join((here / name).read_bytes() for name in _SOURCES) + " ".join(_FLAGS).encode()
    folder = cache.folder() / "plugins" / hashlib.sha256(text).hexdigest()[:12]

    def build(target: Path) -> None:
        command = [programs.find("gcc"), *_FLAGS, "-o", str(target / "icount.so"), str(here / "icount.c")]
        programs.call(command, "compiling icount.c", "look at the compiler")

    return cache.make_once(folder, build) / "icount.so"


def read_sections(path: Path) -> list[Section]:
    """The sections between the marks of one run, from the running totals that the plugin wrote."""
    before = Section(0, 0, 0, 0)
    sections = []
    for line in path.read_text().splitlines():
        now = Section(*(int(word) for word in line.split()))
        sections.append(now - before)
        before = now
    return sections


@contextmanager
def scratch_file() -> Iterator[Path]:
    handle, name = tempfile.mkstemp(prefix="edgecore-icount-")
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink()
