"""What a core's pipelines make of the engine's inner loops, as llvm-mca simulates them.

A count of instructions says nothing of latencies and ports; llvm-mca knows those of the Cortex-A72 and of the
Neoverse-N1 (the Cortex-A76's twin; LLVM has the A76 itself behave like the A57), but no caches. Good for
comparing loops, not for predicting milliseconds.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgecore.devices.emulation import programs
from edgecore.devices.emulation.library import compile_library

# Multiply-accumulates of one instruction, by its name and the shape of its result.
_MACS: tuple[tuple[str, int], ...] = (
    (r"sdot\s+v\d+\.4s", 16),
    (r"smmla\s+v\d+\.4s", 32),
    (r"sm(?:ull|lal|lsl)2?\s+v\d+\.8h", 8),
    (r"sm(?:ull|lal|lsl)2?\s+v\d+\.4s", 4),
    (r"v(?:mull|mlal)\.s8\s+q\d+", 8),
    (r"v(?:mull|mlal)\.s16\s+q\d+", 4),
)
_ITERATIONS = 200
# Files whose loops are a convolution's products; others multiply too, but not to accumulate.
_PRODUCTS = ("gemm_", "depthwise_", "winograd_neon")
_INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(.*?)(?:\s*//.*|\s*@.*)?$")
_FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
_BRANCH = re.compile(r"^(?:b\.?[a-z]{2}|cbn?z|tbn?z|b)\b.*?0x([0-9a-f]+)")


@dataclass(frozen=True)
class Loop:
    """An innermost loop that multiplies: its instructions, without the labels of its branch."""

    function: str
    instructions: tuple[str, ...]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one pass."""
        return sum(_macs_of(line) for line in self.instructions)


@dataclass(frozen=True)
class Verdict:
    """A loop on a core: `macs_per_cycle` by llvm-mca, `per_mac` instructions for a multiply-accumulate."""

    kernel: str  # the file that it is from
    loop: Loop
    core: str
    macs_per_cycle: float

    @property
    def per_mac(self) -> float:
        return len(self.loop.instructions) / self.loop.macs


def _macs_of(instruction: str) -> int:
    return next((macs for pattern, macs in _MACS if re.match(pattern, instruction)), 0)


def _functions(listing: str) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    name = ""
    body: list[tuple[int, str]] = []
    for line in listing.splitlines():
        if function := _FUNCTION.match(line):
            if body:
                yield name, body
            name, body = function[1], []
        elif instruction := _INSTRUCTION.match(line):
            body.append((int(instruction[1], 16), " ".join(instruction[2].split())))
    if body:
        yield name, body


def find(objects: Path) -> list[Loop]:
    """The busiest innermost loop of every function in an object file that has one which multiplies.

    A loop ends in a branch back and has no other branch inside.
    """
    command = [programs.find("llvm-objdump-19"), "--disassemble", "--no-show-raw-insn", str(objects)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    loops = []
    for function, body in _functions(listing):
        found = list(_loops(function, body))
        if found:
            loops.append(max(found, key=lambda loop: loop.macs))
    return loops


def _loops(function: str, body: list[tuple[int, str]]) -> Iterator[Loop]:
    places = {address: index for index, (address, _) in enumerate(body)}
    for index, (address, text) in enumerate(body):
        branch = _BRANCH.match(text)
        start = places.get(int(branch[1], 16)) if branch else None
        if start is None or body[start][0] > address:
            continue
        lines = [line for _, line in body[start : index + 1]]
        if any(_BRANCH.match(line) for line in lines[:-1]) or not any(_macs_of(line) for line in lines):
            continue
        yield Loop(function, tuple(lines))


# What stands for a tier's cores in llvm-mca: triple, core and features beyond the core's own.
_CORES = {
    ("aarch64", "neon"): ("aarch64", "cortex-a72", ""),
    ("aarch64", "dotprod"): ("aarch64", "neoverse-n1", ""),
    ("aarch64", "i8mm"): ("aarch64", "neoverse-v1", "+i8mm"),
    ("armv7l", "neon"): ("armv7", "cortex-a57", ""),
}


def judge_all(source: Path, arch: str, folder: Path) -> list[Verdict]:
    """The best loop of every function of the kernels of `arch` that multiplies, each on its tier's core."""
    verdicts = []
    built = compile_library(source, arch, folder)
    for path in sorted(built.glob("**/isa/arm/**/*_*.o")):
        kernel = path.name.removesuffix(".c.o")
        tier = kernel.rpartition("_")[2]
        if kernel.startswith(_PRODUCTS) and (arch, tier) in _CORES:
            verdicts += [judge(kernel, loop, *_CORES[arch, tier]) for loop in find(path)]
    return verdicts


def judge(kernel: str, loop: Loop, triple: str, cpu: str, features: str = "") -> Verdict:
    """`loop` on `cpu`, one of LLVM's names; `features` are added to it, as +i8mm."""
    top = re.sub(r"0x[0-9a-f]+.*", ".Ltop", loop.instructions[-1])
    source = "\n".join([".Ltop:", *loop.instructions[:-1], top, ""])
    command = [
        programs.find("llvm-mca-19"),
        f"-mtriple={triple}",
        f"-mcpu={cpu}",
        f"-iterations={_ITERATIONS}",
    ]
    command += [f"-mattr={features}"] if features else []
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=True)
    cycles = re.search(r"Total Cycles:\s+(\d+)", done.stdout)
    assert cycles is not None, done.stdout
    bits = "" if triple == "aarch64" else ", 32 bits"
    return Verdict(kernel, loop, f"{cpu}{bits}", loop.macs * _ITERATIONS / int(cycles[1]))


def best(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Of each kernel the loop that multiplies most a cycle: its full tile's."""
    found: dict[tuple[str, str], Verdict] = {}
    for each in verdicts:
        key = (each.kernel, each.core)
        if key not in found or each.macs_per_cycle > found[key].macs_per_cycle:
            found[key] = each
    return list(found.values())
