"""The benchmark of the loop's own cost runs, and its parts are what they say."""

from __future__ import annotations

import json
import subprocess
import sys


def test_costs_of_the_loop() -> None:
    command = [sys.executable, "-m", "edgecore.benchmarks.loop", "--turns", "1", "--frames", "50"]
    found = json.loads(
        subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout
    )
    assert set(found) == {"read", "preprocess", "inference", "loop"}
    for costs in found.values():
        assert 0 < costs["wall"] <= costs["wall_median"] and 0 < costs["cpu"] <= costs["cpu_median"]
    assert found["loop"]["cpu"] > found["inference"]["cpu"]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "loop beyond its parts" in table
