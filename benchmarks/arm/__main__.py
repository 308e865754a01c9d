"""edgecore on ARM without a board, beside LiteRT (XNNPACK) and tflite-runtime.

    python -m edgecore.benchmarks.arm [--models NAME,NAME] [--cpus NAME,NAME] [--wheels DIR] [--out DIR]

Builds the wheels, prepares the emulated roots (kept in a cache) and counts the instructions of one
inference with one thread on every core; has llvm-mca judge the inner loops; adds up the bytes that the
plans move. Instructions are counted exactly, but a count is not a time.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgecore.benchmarks import models as sources
from edgecore.benchmarks.arm import counts, loops, report
from edgecore.benchmarks.arm.traffic import traffic
from edgecore.devices.emulation import cpus
from edgecore.errors import UserError, exit_status

MODELS = ("squeezenet_v1.1@224", "resnet18", "mobilenet_v2", "res_squeezenet", "spp_covid_net", "bundled")
FROZEN = Path("tests/benchmarks/arm_counts.json")
TITLES = {
    "cortex-a72": "Cortex-A72 (neon: Pi 4)",
    "cortex-a76": "Cortex-A76 (dotprod: Pi 5)",
    "max": "Armv8.6 (i8mm)",
    "cortex-a15": "32 bits (neon)",
}
METHOD = """\
Million instructions of one inference with one thread, counted by QEMU: **edgecore** : LiteRT 2.3
(XNNPACK) / tflite-runtime 2.14, and how many times as many the better of the two needs. LiteRT has no
32-bit wheel. Counts are exact and repeatable, but they are not times: a count knows neither latencies
nor caches."""
LOOPS = """\
The inner loops by llvm-mca 19, which knows a core's latencies and ports and takes every load to hit the
cache. Winograd's multiplications are counted as they are: each stands for four of the convolution's."""
TRAFFIC = """\
Bytes of weights and activations that one inference moves, in KB: by edgecore's plan, whose fused blocks
keep what lies between their operators in strips that fit the cache, and by a plan that runs operator by
operator, as XNNPACK does. The weights of Winograd's layers, on the NEON tiers, are eight times the
model's: it pays with bytes for instructions."""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m edgecore.benchmarks.arm",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--models", default=",".join(MODELS), help="zoo members, NAME@SIZE, or files; default: %(default)s"
    )
    parser.add_argument("--cpus", default=",".join(TITLES), help="default: %(default)s")
    parser.add_argument("--wheels", type=Path, help="a folder with edgecore's wheels; default: build them")
    parser.add_argument(
        "--steps", metavar="MODEL", help="show what every step of a model multiplies and moves"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/arm"), help="default: %(default)s")
    parser.add_argument(
        "--freeze", action="store_true", help=f"in a checkout: make the counts those of CI's gate, {FROZEN}"
    )
    parser.add_argument("--publish", action="store_true", help=f"in a checkout: update {report.PAGE}")
    return parser.parse_args(arguments)


def cores(names: str) -> list[tuple[str, str]]:
    """(architecture, core) of each named core. Raises UserError: one is not emulated."""
    known = {cpu: arch for arch in cpus.ARCHITECTURES for cpu in cpus.names(arch)}
    for name in names.split(","):
        if name not in known:
            raise UserError(f"no core {name} is emulated; choose from {', '.join(known)}")
    return [(known[name], name) for name in names.split(",")]


def wheels_in(folder: Path, architectures: Sequence[str]) -> dict[str, Path]:
    """The wheel of each architecture. Raises UserError: one is missing, or there are several."""
    found = {}
    for arch in architectures:
        matches = sorted(folder.glob(f"edgecore-*_{arch}.whl"))
        if len(matches) != 1:
            raise UserError(
                f"{folder} has {len(matches)} wheels for {arch} instead of one; build them with `make wheels`"
            )
        found[arch] = matches[0]
    return found


def checkout() -> Path:
    """Where the sources are: wheels and kernels are compiled from them."""
    root = Path.cwd()
    if not (root / "devices" / "toolchains").is_dir():
        raise UserError("the kernels are compiled from the sources; call it in the project's own folder")
    return root


def built(folder: Path, architectures: Sequence[str]) -> dict[str, Path]:
    from edgecore.devices import wheels

    return wheels.build(checkout(), folder, architectures)


def gather(names: str, folder: Path) -> dict[str, Path]:
    """Paths of models by name; a file goes by its own name."""
    files = {Path(name).stem: Path(name) for name in names.split(",") if name.endswith(".tflite")}
    rest = [name for name in names.split(",") if not name.endswith(".tflite")]
    return {**sources.collect(rest, folder, None), **files}


def tables(
    found: Sequence[counts.Count],
    paths: Mapping[str, Path],
    verdicts: Sequence[loops.Verdict],
    steps: str | None,
) -> str:
    seen = {each.cpu for each in found}
    columns = {cpu: TITLES.get(cpu, cpu) for cpu in [*TITLES, *sorted(seen - set(TITLES))] if cpu in seen}
    plans: dict[str, dict[str, tuple[counts.Step, ...]]] = {}
    for each in found:
        if each.steps:
            plans.setdefault(each.model, {})[each.cpu] = each.steps
    moved = [traffic(model, paths[model], by_core) for model, by_core in plans.items()]
    parts = [[METHOD, ""], report.counts_table(found, columns)]
    if verdicts:
        parts += [["", LOOPS, ""], report.loops_table(verdicts)]
    parts += [["", TRAFFIC, ""], report.traffic_table(moved, columns)]
    if steps:
        parts += [
            ["", f"The steps of {steps} on the {next(iter(columns))}:", ""],
            report.steps_table(plans[steps][next(iter(columns))]),
        ]
    return "\n".join(line for part in parts for line in part) + "\n"


def run(options: argparse.Namespace) -> None:
    if (options.publish or options.freeze) and not report.PAGE.is_file():
        raise UserError(f"{report.PAGE} is not here; call it in the project's own folder")
    chosen = cores(options.cpus)
    architectures = list(dict.fromkeys(arch for arch, _ in chosen))
    if options.steps and options.steps not in options.models.split(","):
        raise UserError(f"--steps {options.steps}: no such model; choose from {options.models}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheels = (
            wheels_in(options.wheels, architectures)
            if options.wheels
            else built(folder / "wheels", architectures)
        )
        paths = gather(options.models, folder)
        found = counts.count_all(
            paths,
            wheels,
            chosen,
            progress=lambda each: print(
                f"{each.model}, {each.cpu}, {each.runtime}: {each.instructions / 1e6:.2f} M",
                file=sys.stderr,
                flush=True,
            ),
        )
        verdicts = [
            verdict
            for arch in architectures
            for verdict in loops.judge_all(checkout(), arch, folder / f"kernels-{arch}")
        ]
        text = tables(found, paths, loops.best(verdicts), options.steps)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "arm.json").write_text(
        json.dumps(counts.to_json(found), indent=1) + "\n", encoding="utf-8"
    )
    (options.out / "arm.md").write_text(text, encoding="utf-8")
    print(text)
    if options.freeze:
        counts.freeze(found, FROZEN)
    if options.publish:
        report.publish(text, Path())


def main(arguments: Sequence[str] | None = None) -> int:
    return exit_status(lambda: run(parse(arguments)))


if __name__ == "__main__":
    raise SystemExit(main())
