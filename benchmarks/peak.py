"""How many multiply-adds this machine's cores do at most, measured: a loop of nothing but the instruction."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from edgecore.devices.emulation import cache, programs

# Enough independent sums to hide the latency of two units.
_SUMS = {"zmm": 24, "ymm": 12}
_REPEATS = 2000
_PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

int main(int count, char **arguments)
{
    double best = 1e9, end = now() + (count > 1 ? atof(arguments[1]) : 0);
    do {
        double begin = now();
        for (int repeat = 0; repeat < %(repeats)d; repeat++)
            __asm__ volatile("%(body)s" ::: "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                             "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
        double taken = now() - begin;
        best = taken < best ? taken : best;
    } while (now() < end);
    __asm__ volatile("vzeroupper");
    printf("%%.3f\\n", %(macs)d.0 * %(repeats)d / best / 1e9);
    return 0;
}
"""


@dataclass(frozen=True)
class Loop:
    """A tier's best instructions for int8 sums: `lines` for each sum, in register {i} with {t} to spare."""

    instruction: str
    register: str
    lines: tuple[str, ...]
    macs: int  # of `lines`


LOOPS = {
    "avx512vnni": Loop("vpdpbusd zmm", "zmm", ("vpdpbusd %zmm28, %zmm29, %zmm{i}",), 64),
    "avxvnni": Loop("vpdpbusd ymm", "ymm", ("{{vex}} vpdpbusd %ymm14, %ymm15, %ymm{i}",), 32),
    "avx2": Loop(
        "vpmaddubsw + vpmaddwd ymm",
        "ymm",
        (
            "vpmaddubsw %ymm14, %ymm15, %ymm{t}",
            "vpmaddwd %ymm13, %ymm{t}, %ymm{t}",
            "vpaddd %ymm{t}, %ymm{i}, %ymm{i}",
        ),
        32,
    ),
}


def _program(tier: str) -> Path | None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    loop = LOOPS[tier]
    sums = _SUMS[loop.register] if len(loop.lines) == 1 else 8
    lines = [line.format(i=i, t=8 + i % 5) for i in range(sums) for line in loop.lines]
    # Within gcc's extended assembly a percent sign and braces are written with a percent sign before them.
    body = "\\n".join(re.sub(r"([%{}])", r"%\1", line) for line in lines)
    text = _PROGRAM % {"body": body, "repeats": _REPEATS, "macs": loop.macs * sums}

    def make(folder: Path) -> None:
        (folder / "peak.c").write_text(text)
        command = [compiler, "-O2", "-o", str(folder / "peak"), str(folder / "peak.c")]
        programs.call(command, f"compiling the loop that measures {loop.instruction}")

    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return cache.make_once(cache.folder() / "peak" / f"{tier}-{digest}", make) / "peak"


def measured(tier: str, threads: int, seconds: float = 0.3) -> float | None:
    """GMAC/s of `threads` cores at once with the tier's own instruction.

    None: no loop is known for the tier, or there is no C compiler.
    """
    program = _program(tier) if tier in LOOPS else None
    if program is None:
        return None
    running = [
        subprocess.Popen([str(program), str(seconds)], stdout=subprocess.PIPE, text=True)
        for _ in range(threads)
    ]
    return sum(float(process.communicate()[0]) for process in running)
