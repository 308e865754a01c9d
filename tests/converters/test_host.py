"""The border to TensorFlow: nothing that it writes comes through, and its errors are one line."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from edgecore.converters.host import reason_of, require_tensorflow

CHATTER = """
import os, sys, warnings
from edgecore.converters.host import quiet
from edgecore.native_output import give_python_its_own

give_python_its_own()
with quiet():
    os.write(1, b"C++ on stdout")
    os.write(2, b"C++ on stderr")
    print("Python on stdout")
    warnings.warn("Python's warning")
print("afterwards", file=sys.stderr)
"""


def test_nothing_written_in_quiet_comes_through_and_all_afterwards_does() -> None:
    done = subprocess.run([sys.executable, "-c", CHATTER], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "afterwards\n")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            ValueError("Exception encountered when calling X.call().\n\n\x1b[1mIt is small.\x1b[0m"),
            "It is small.",
        ),
        (OSError("first\nsecond"), "first"),
        (KeyError(), "KeyError"),
    ],
)
def test_the_line_that_says_what_is_wrong(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason


@pytest.mark.host
@pytest.mark.usefixtures("tensorflow")
def test_absl_keeps_its_advice_about_a_conversion_to_itself() -> None:
    require_tensorflow()
    assert not logging.getLogger("absl").isEnabledFor(logging.WARNING)
