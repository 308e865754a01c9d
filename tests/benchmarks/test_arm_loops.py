"""Inner loops are found in real object files, and judged by the real llvm-mca."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from edgecore.benchmarks.arm import loops
from edgecore.devices import wheels

SOURCE = """
#include <arm_neon.h>
int32x4_t products(const int8_t *a, const int8_t *b, long n)
{
    int32x4_t sum = vdupq_n_s32(0);
#pragma clang loop unroll(disable)
    for (long i = 0; i < n; i += 16)
        sum = vdotq_s32(sum, vld1q_s8(a + i), vld1q_s8(b + i));
    return sum;
}
long steps(const long *a, long n)
{
    long sum = 0;
#pragma clang loop unroll(disable) vectorize(disable)
    for (long i = 0; i < n; i++)
        sum ^= a[i];
    return sum;
}
"""


@pytest.fixture
def compiled(
    tmp_path: Path, need_module: Callable[[str], None], need_program: Callable[[str, str], str]
) -> Path:
    need_module("ziglang")
    need_program("llvm-objdump-19", "llvm-19")
    source, target = tmp_path / "loops.c", tmp_path / "loops.o"
    source.write_text(SOURCE)
    compiler = [str(wheels.zig()), "cc", "-target", "aarch64-linux-gnu", "-mcpu=generic+dotprod", "-O2"]
    subprocess.run([*compiler, "-c", str(source), "-o", str(target)], check=True)
    return target


def test_only_loops_that_multiply_are_found(compiled: Path) -> None:
    (loop,) = loops.find(compiled)
    assert loop.function == "products" and loop.macs == 16
    assert sum("sdot" in line for line in loop.instructions) == 1


def test_a_chain_of_products_waits_for_its_latency(
    compiled: Path, need_program: Callable[[str, str], str]
) -> None:
    """One accumulator: the next product cannot begin before the last one's sum is there."""
    need_program("llvm-mca-19", "llvm-19")
    (loop,) = loops.find(compiled)
    verdict = loops.judge("example", loop, "aarch64", "neoverse-n1")
    assert 7 < verdict.macs_per_cycle <= 8  # a product every second cycle
    assert verdict.per_mac == len(loop.instructions) / 16


def test_the_best_loop_stands_for_a_kernel() -> None:
    slow, fast = (
        loops.Verdict("gemm", loops.Loop(name, ("nop",)), "core", rate) for name, rate in (("a", 1), ("b", 2))
    )
    other = loops.Verdict("gemm", slow.loop, "other", 0.5)
    assert loops.best([slow, fast, other]) == [fast, other]
