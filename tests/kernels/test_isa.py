"""$EDGECORE_ISA forces a tier, and the tier that it names is the one that runs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from edgecore.kernels import cpu

PROGRAM = """
from edgecore.kernels.graph import Graph
graph = Graph()
x = graph.tensor((1, 4, 5, 3), scales=[0.1], zero_points=[2])
y = graph.tensor((1, 4, 5, 3), scales=[0.1], zero_points=[2])
graph.node("relu", [x], y)
graph.set_io([x], [y])
print(graph.compile().isa)
"""


def engine_isa(name: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "EDGECORE_ISA": name}
    return subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("isa", cpu.isas())
def test_the_forced_tier_runs(isa: str) -> None:
    done = engine_isa(isa)
    if cpu.isa_available(isa):
        assert done.returncode == 0 and done.stdout.strip() == isa, done.stderr
    else:
        assert done.returncode != 0
        assert f'EDGECORE_ISA "{isa}" is not supported by this CPU; this machine has: scalar' in done.stderr


def test_an_unknown_tier_is_named_with_those_that_exist() -> None:
    done = engine_isa("mmx")
    assert done.returncode != 0
    assert (
        f'EDGECORE_ISA "mmx" is unknown; this machine has: {", ".join(cpu.available_isas())}' in done.stderr
    )


def test_an_empty_name_is_none() -> None:
    assert engine_isa("").stdout.strip() == cpu.available_isas()[-1]
