"""What the tests of the outputs publish, and the disk they fill."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from materials import picture

from edgecore.camera.source import Frame
from edgecore.live.result import Event, Result
from edgecore.model import Prediction


def result_of(
    index: int,
    label: str = "cat",
    score: float = 0.9,
    event: Event | None = None,
    captured: float | None = None,
    height: int = 48,
    width: int = 64,
) -> Result:
    """A result with a frame of that size, captured at that moment (default: now)."""
    stages = {"read": 0.001, "preprocess": 0.002, "inference": 0.007}
    captured = time.monotonic() if captured is None else captured
    frame = Frame(picture(index % 7, height, width), "BGR", captured, index)
    return Result(index, None, [Prediction(label, score, 1)], stages, 0.01, label, score, event, frame)


@dataclass
class SmallDisk:
    """A file system of 1 MiB."""

    path: Path

    def fill(self, leave: int = 0) -> None:
        """Leaves so many bytes, rounded down to whole pages."""
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


def growth_of(step: Callable[[int], None], warm_up: int = 2000, count: int = 20_000) -> tuple[int, int]:
    """How many bytes of memory and descriptors `count` steps take for good, after `warm_up` others."""
    for index in range(warm_up):
        step(index)
    memory, descriptors = _in_use()
    for index in range(warm_up, warm_up + count):
        step(index)
    grown, more = _in_use()
    return grown - memory, more - descriptors


def _in_use() -> tuple[int, int]:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE"), len(list(Path("/proc/self/fd").iterdir()))


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Waits for something that another thread or process does."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(0.01)
    return True
