"""What native libraries write to descriptor 2 is held back, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from edgecore import native_output
from edgecore.native_output import held_stderr

SPEAKERS = """
import os, sys
from edgecore.native_output import give_python_its_own, held_stderr

give_python_its_own()
with held_stderr(forward=False) as held:
    os.write(2, b"driver\\n")
    print("loop", file=sys.stderr)
assert held.lines() == ["driver"], held.text
"""


def test_what_python_says_meanwhile_is_not_lost() -> None:
    run = subprocess.run([sys.executable, "-c", SPEAKERS], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "loop\n")


def test_a_block_that_never_ends_holds_up_nobody_else(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(native_output, "LONGEST_WAIT", 0.05)
    inside, end = threading.Event(), threading.Event()

    def hang() -> None:
        with held_stderr(forward=False):
            inside.set()
            end.wait()

    hanging = threading.Thread(target=hang)
    hanging.start()
    assert inside.wait(10)
    with held_stderr(forward=False) as held:
        os.write(2, b"held by the other\n")
    assert held.lines() == []
    end.set()
    hanging.join()
    with held_stderr(forward=False) as held:
        os.write(2, b"held\n")
    assert held.lines() == ["held"] and capfd.readouterr().err == ""
