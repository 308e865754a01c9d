"""Disks that a test can fill, make read-only or take away."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from needs import missing


@dataclass
class SmallDisk:
    """A real file system."""

    path: Path

    def fill(self, leave: int = 0) -> None:
        """Leaves so many bytes, rounded down to whole pages, also where others write meanwhile."""
        chunk = b"\0" * 4096
        with (self.path / "filling").open("ab", buffering=0) as file:
            while os.statvfs(self.path).f_bavail * 4096 > leave and self._write(file.fileno(), chunk):
                pass

    def _write(self, fd: int, chunk: bytes) -> bool:
        try:
            os.write(fd, chunk)
        except OSError:
            return False
        return True

    def clear(self) -> None:
        """Takes away what fill() wrote."""
        (self.path / "filling").unlink()

    def read_only(self, on: bool) -> None:
        """As a damaged card becomes by itself."""
        mode = "ro" if on else "rw"
        subprocess.run(["mount", "-o", f"remount,{mode}", str(self.path)], check=True)


@contextmanager
def mounted(path: Path, mebibytes: int) -> Iterator[SmallDisk]:
    """A disk of that size at `path`."""
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(path)]
    if subprocess.run(command, capture_output=True).returncode:
        missing("file systems cannot be mounted; run as root")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)
