"""benchmarks/peak: the loops assemble, and the one of this CPU's tier runs."""

from __future__ import annotations

import platform
from collections.abc import Callable

import pytest

from edgecore.benchmarks import peak
from edgecore.kernels import cpu

on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="the loops are x86's")


@on_x86
@pytest.mark.parametrize("tier", list(peak.LOOPS))
def test_every_loop_assembles(tier: str, need_program: Callable[[str, str], str]) -> None:
    need_program("cc", "gcc")
    program = peak._program(tier)
    assert program is not None and program.is_file()


@on_x86
def test_the_cpu_reaches_a_peak(need_program: Callable[[str, str], str]) -> None:
    need_program("cc", "gcc")
    for tier in set(cpu.available_isas()) & set(peak.LOOPS):
        rate = peak.measured(tier, 1, seconds=0.02)
        assert rate is not None and rate > 1


def test_a_tier_without_a_loop_has_no_peak() -> None:
    assert peak.measured("scalar", 1) is None
