"""The micro-kernels one by one: GMAC/s and percent of this core's peak, for each kernel and shape.

    python -m edgecore.benchmarks.micro [--isa TIER] [--kernel PART] [--ms MS] [--json] [--out DIR]

What is measured follows from the tables that dispatch reads (kernels/isa/): all that a tier lists, on every
tier that this CPU has. The loops are C (benchmarks/c), built from this checkout into build/micro. ns are the
least of many short repeats: of eight tiles of a GEMM; of a row of pixels of a depthwise convolution; of a
block of Winograd's tiles, whose own products are fewer than the convolution's; of one call of a byte row,
with the bytes that it reads and writes. Writes micro.txt and micro.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edgecore.benchmarks import peak
from edgecore.benchmarks.peers import tier_of
from edgecore.devices import machine
from edgecore.devices.emulation import programs
from edgecore.errors import UserError, exit_status
from edgecore.kernels import cpu
from edgecore.table import table

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "micro"
# A busy moment spoils no more than one. Each lays its memory anew, where a kernel may be slower than it is
# as a rule or, by rare luck, faster; so the best two do not count.
LAUNCHES, LUCKY = 12, 2
HEAD = ("kernel", "shape", "ns", "GMAC/s", "of peak", "own GMAC/s", "GB/s")


@dataclass(frozen=True)
class Case:
    """One kernel with one shape: `macs` of the convolution, `products` of the kernel where they are fewer."""

    kernel: str
    shape: str
    ns: float
    macs: int
    products: int
    bytes: int

    @classmethod
    def parse(cls, line: str) -> Case:
        kernel, shape, ns, *counts = line.split("\t")
        macs, products, moved = map(int, counts)
        return cls(kernel, shape, float(ns), macs, products, moved)


def build(folder: Path) -> Path:
    """The program of benchmarks/c, as the checkout has it now.

    Raises UserError: a tool is missing, or the build failed.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    if not (os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")):
        raise UserError("the micro-kernels' loops need a C compiler; apt-get install gcc")
    cmake, ninja = (shutil.which(tool, path=path) for tool in ("cmake", "ninja"))
    if cmake is None or ninja is None:
        raise UserError("cmake or ninja is not installed; pip install 'edgecore[wheels]'")
    configure = [cmake, "-S", str(ROOT), "-B", str(folder), "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}"]
    options = ["-DEDGECORE_PYTHON=OFF", "-DEDGECORE_TESTS=ON"]
    programs.call([*configure, *options], "configuring the micro-benchmark")
    programs.call([cmake, "--build", str(folder), "--target", "micro"], "compiling the micro-benchmark")
    return folder / "kernels" / "micro"


def names(program: Path, tier: str) -> list[str]:
    """The kernels of a tier, in the order of its table."""
    return programs.call([str(program), tier], f"listing the kernels of {tier}").splitlines()


def measure(program: Path, tier: str, part: str, ms: float) -> dict[str, Any]:
    """The cases of a tier whose kernels have `part` in their names, as JSON values."""
    before = peak.measured(tier, 1) or 0.0
    command = [str(program), tier, str(ms / LAUNCHES), part]
    launches = [
        [Case.parse(line) for line in programs.call(command, f"timing {tier}'s kernels").splitlines()]
        for _ in range(LAUNCHES)
    ]
    least = [sorted(times, key=lambda case: case.ns)[LUCKY] for times in zip(*launches, strict=True)]
    return {
        "isa": tier,
        # The core's clock drifts: what it did at most, before or after.
        "peak_gmacs": max(before, peak.measured(tier, 1) or 0.0) or None,
        "cases": [asdict(case) for case in least],
    }


def _cells(case: dict[str, Any], peak_gmacs: float | None) -> list[str]:
    rate = case["macs"] / case["ns"]
    return [
        case["kernel"],
        case["shape"],
        f"{case['ns']:.1f}",
        f"{rate:.1f}" if rate else "",
        f"{rate / peak_gmacs:.0%}" if rate and peak_gmacs else "",
        f"{case['products'] / case['ns']:.1f}" if case["products"] else "",
        f"{case['bytes'] / case['ns']:.1f}" if case["bytes"] else "",
    ]


def text(found: dict[str, Any]) -> str:
    """The cases of one tier as a table for people."""
    peak_gmacs = found["peak_gmacs"]
    of_peak = f"{peak_gmacs:.0f} GMAC/s is its measured peak" if peak_gmacs else "its peak is not known"
    rows = [_cells(case, peak_gmacs) for case in found["cases"]]
    return f"{found['isa']}, 1 core; {of_peak}\n{table(HEAD, rows, left=(0, 1))}"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m edgecore.benchmarks.micro",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--isa", metavar="TIER", help="one tier, e.g. avx2 (default: all of this CPU)")
    parser.add_argument("--kernel", metavar="PART", default="", help="kernels with this in their names")
    parser.add_argument("--ms", type=float, default=40.0, help="time for a kernel and shape (default: 40)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the tables")
    parser.add_argument("--out", type=Path, default=Path("runs/micro"), help="default: %(default)s")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    if not 0 < options.ms <= 60_000:
        raise UserError("--ms takes milliseconds, more than 0 and at most 60000")
    tiers = [tier_of(options.isa)] if options.isa else cpu.available_isas()
    program = build(FOLDER)
    wanted = [tier for tier in tiers if any(options.kernel in name for name in names(program, tier))]
    if not wanted:
        raise UserError(
            f"no micro-kernel of {', '.join(tiers)} has {options.kernel} in its name; "
            "without --kernel all are measured"
        )
    result: dict[str, Any] = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": machine.identify().to_json(),
        "load_average": os.getloadavg()[0],
        "tiers": [measure(program, tier, options.kernel, options.ms) for tier in wanted],
    }
    lines = "\n\n".join(map(text, result["tiers"]))
    as_json = json.dumps(result, indent=1)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "micro.txt").write_text(lines + "\n", encoding="utf-8")
    (options.out / "micro.json").write_text(as_json + "\n", encoding="utf-8")
    print(as_json if options.json else lines)


def main(arguments: Sequence[str] | None = None) -> int:
    return exit_status(lambda: run(parse(arguments)))


if __name__ == "__main__":
    sys.exit(main())
