"""The loop over 200,000 frames holds no more at the end than after its warm-up."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def soak(frames: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edgecore.benchmarks.soak", "--frames", str(frames), "--json"]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.slow
def test_nothing_grows() -> None:
    run = soak(200_000)
    found = json.loads(run.stdout)
    assert run.returncode == 0, found
    assert found["looks"][-1]["frames"] == 200_000
    assert found["grown"]["rss"] < 1_000_000
    assert found["grown"]["files"] == found["grown"]["threads"] == 0


def test_growth_is_seen() -> None:
    """A few frames are no warm-up: that memory still grows then shows that it is looked at."""
    run = soak(20)
    found = json.loads(run.stdout)
    assert len(found["looks"]) >= 10
    assert found["looks"][0]["rss"] > 20_000_000 and found["looks"][0]["threads"] >= 3
