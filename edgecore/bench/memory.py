"""What the process holds: memory, files, threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    return 0


def peak_rss_bytes() -> int:
    """The largest resident set so far: Linux's VmHWM, which, unlike getrusage's ru_maxrss, does not begin
    with the peak of the process that started this one."""
    return _status("VmHWM") * 1024


@dataclass(frozen=True)
class Holdings:
    """What the process holds now: resident bytes, open files, threads of the system and of Python."""

    rss: int
    files: int
    threads: int
    python_threads: int


def holdings() -> Holdings:
    """Reads them from /proc."""
    files = sum(1 for _ in Path("/proc/self/fd").iterdir())
    return Holdings(_status("VmRSS") * 1024, files, _status("Threads"), threading.active_count())
