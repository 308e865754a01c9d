"""For tests of commands: the line that a mistake gets, and Ctrl-C for a program that they start."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from edgecore import cli


def complaint(capsys: pytest.CaptureFixture[str], *words: Any) -> str:
    """The one line on stderr that a mistaken command gives; its exit status must be 2."""
    assert cli.main([str(word) for word in words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("edgecore: ")
    assert err.count("\n") == 1
    return err


def heeding_ctrl_c() -> None:
    """For `preexec_fn`: a suite started in the background ignores Ctrl-C, and its children would as well."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
