"""A program may end while a thread of the loop is in native code, or without closing its stream."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import weakref
from functools import partial
from pathlib import Path

import pytest
from servers import rtsp

from edgecore.live.threads import NativeThread

PROGRAM = """
import sys, time, edgecore
stream = edgecore.stream(sys.argv[1], sys.argv[2])
for _ in range(5):
    next(stream)
print("ready", flush=True)
sys.stdin.readline()
time.sleep(float(sys.argv[3]))
if sys.argv[4] == "close":
    stream.close()
"""


def program(address: str, model: Path, seconds: float, way: str) -> subprocess.Popen[str]:
    """Runs up to where it waits for a line of input; it ends so many seconds after that."""
    command = [sys.executable, "-c", PROGRAM, address, str(model), str(seconds), way]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("way", ["close", "leave"])
def test_program_that_ends_while_its_stream_hangs(model: Path, way: str) -> None:
    """Here and there a call into OpenCV returns just while the interpreter ends."""
    with rtsp() as server:
        delays = [0.5 + 0.05 * index for index in range(8)]
        programs = [program(f"{server.url}#timeout=1", model, delay, way) for delay in delays]
        server.pause()
        for process in programs:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        ends = [(*process.communicate(timeout=30), process.returncode) for process in programs]
    assert ends == [("", "", 0)] * len(ends)


def test_program_that_leaves_its_stream_open(model: Path) -> None:
    process = program("test:pattern?live=1&fps=200", model, 0, "leave")
    begin = time.monotonic()
    out, err = process.communicate("\n", timeout=30)
    assert (out, err, process.returncode) == ("", "", 0)
    assert time.monotonic() - begin < 5


def waiting(stop: threading.Event) -> None:
    stop.wait(10)


def test_nothing_is_kept_of_a_thread_that_has_ended() -> None:
    stop = threading.Event()
    thread = NativeThread("test", partial(waiting, stop), stop.set, 5.0)
    thread.start()
    kept = weakref.ref(thread)
    stop.set()
    thread.join(5)
    del thread
    gc.collect()
    assert kept() is None
