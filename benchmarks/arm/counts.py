"""Instructions of one inference on emulated cores, edgecore beside its peers.

A count is exact and repeatable, whatever the machine does meanwhile, but it is not a time: it knows neither
latencies nor caches. It shows what a kernel asks of a core, and catches growth that no clock would.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from edgecore.devices.emulation.inference import count_inference
from edgecore.devices.emulation.qemu import Emulator
from edgecore.devices.emulation.sites import site_for

# Cores by architecture: one of every tier. A55 and A53 execute what the A72 does.
CORES: tuple[tuple[str, str], ...] = (
    ("aarch64", "cortex-a72"),
    ("aarch64", "cortex-a76"),
    ("aarch64", "max"),
    ("armv7l", "cortex-a15"),
)
OURS, LITERT, TFLITE = "edgecore", "ai-edge-litert", "tflite-runtime"
# LiteRT has no armv7l wheel.
RUNTIMES = {"aarch64": (OURS, LITERT, TFLITE), "armv7l": (OURS, TFLITE)}
GROWTH = 0.02  # of a count, beyond which it is worse and not just other


@dataclass(frozen=True)
class Step:
    """One step of edgecore's plan: what it multiplies, and the bytes that it moves to and from memory."""

    name: str
    macs: int
    bytes: int


@dataclass(frozen=True)
class Count:
    """One inference of a model with one thread."""

    model: str
    cpu: str
    runtime: str
    instructions: int
    simd: int
    memory: int  # loads and stores
    dot: int
    sha256: str  # of the outputs
    isa: str = ""
    steps: tuple[Step, ...] = ()


def count(model: str, path: Path, arch: str, cpu: str, runtime: str, wheel: Path) -> Count:
    """Counts one inference. Raises UserError: the emulator is not installed, or the model did not run."""
    site = site_for([wheel], arch) if runtime == OURS else None
    found = count_inference(Emulator(arch, cpu), path, runtime, site=site)
    seen = found.counts
    return Count(
        model=model,
        cpu=cpu,
        runtime=runtime,
        instructions=seen.total,
        simd=seen.simd,
        memory=seen.memory,
        dot=seen.dot,
        sha256=found.sha256,
        isa=", ".join(dict.fromkeys(found.facts.get("isa", []))),
        steps=tuple(Step(**step) for step in found.facts.get("steps", [])),
    )


def count_all(
    models: Mapping[str, Path],
    wheels: Mapping[str, Path],
    cores: Sequence[tuple[str, str]] = CORES,
    runtimes: Mapping[str, Sequence[str]] = RUNTIMES,
    *,
    jobs: int = 2,
    progress: Callable[[Count], None] = lambda count: None,
) -> list[Count]:
    """Every model on every core with every runtime, `jobs` emulators at a time.

    tflite-runtime picks no kernels by the core, so that one core of an architecture speaks for all.
    """
    work = []
    for name, path in models.items():
        told: set[str] = set()
        for arch, cpu in cores:
            for runtime in runtimes[arch]:
                if runtime == TFLITE and arch in told:
                    continue
                told |= {arch} if runtime == TFLITE else set()
                work.append((name, path, arch, cpu, runtime, wheels[arch]))

    def run(job: tuple[str, Path, str, str, str, Path]) -> Count:
        found = count(*job)
        progress(found)
        return found

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(run, work))


def freeze(counts: Sequence[Count], path: Path) -> None:
    """Writes edgecore's counts as {model: {core: instructions}}, the file of the gate in CI."""
    frozen: dict[str, dict[str, int]] = {}
    for each in counts:
        if each.runtime == OURS:
            frozen.setdefault(each.model, {})[each.cpu] = each.instructions
    path.write_text(json.dumps(frozen, indent=2) + "\n", encoding="utf-8")


def grown(counts: Sequence[Count], frozen: Mapping[str, Mapping[str, int]]) -> list[str]:
    """A line for every count of edgecore's that grew by more than GROWTH, or that the file does not know."""
    lines = []
    for each in counts:
        if each.runtime != OURS:
            continue
        before = frozen.get(each.model, {}).get(each.cpu)
        if before is None:
            lines.append(f"{each.model} on {each.cpu}: no count to compare with")
        elif each.instructions > before * (1 + GROWTH):
            more = f"{100 * (each.instructions / before - 1):.1f} % more than {before:,}"
            lines.append(f"{each.model} on {each.cpu}: {each.instructions:,} instructions, {more}")
    return lines


def to_json(counts: Sequence[Count]) -> list[dict[str, object]]:
    return [asdict(each) for each in counts]
