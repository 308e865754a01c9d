"""One benchmark of one model: what is run, and the report of it as JSON values."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgecore.bench.memory import peak_rss_bytes
from edgecore.bench.peak import of_peak
from edgecore.bench.timing import Run, Samples, measure
from edgecore.devices import machine
from edgecore.model import preprocessing_of, takes_images
from edgecore.network import Network
from edgecore.statistics import percentile

if TYPE_CHECKING:
    import numpy as np

PROFILED_RUNS = 30


@dataclass(frozen=True)
class Plan:
    """What to measure. `runs` None: for `seconds`."""

    runs: int | None = None
    seconds: float = 5.0
    warmup: int = 10
    steps: bool = False


@dataclass(frozen=True)
class Picture:
    """What a run gets: pixels, uint8 (height, width, 3) BGR, and the file to decode them from."""

    pixels: np.ndarray
    path: Path | None = None


def contestant(network: Network, picture: Picture | None) -> Run:
    """One run: the picture through preprocessing and inference, and before that its decoding where it is a
    file; without a picture inference over what stands in the inputs."""
    clock = time.perf_counter
    if picture is None:
        _fill(network)

        def infer() -> dict[str, float]:
            begin = clock()
            network.invoke()
            return {"inference": clock() - begin}

        return infer

    from edgecore.camera.opencv import read_image
    from edgecore.preprocess import Preprocessor

    spec = network.inputs[0]
    prepare = Preprocessor(preprocessing_of(network), spec.dtype, spec.scale, spec.zero_point)
    decoded = picture.pixels

    def prepare_and_infer() -> dict[str, float]:
        begin = clock()
        frame = decoded if picture.path is None else read_image(picture.path)
        got = clock()
        prepare(frame, network.input()[0])
        prepared = clock()
        network.invoke()
        done = clock()
        times = {"preprocess": prepared - got, "inference": done - prepared, "total": done - begin}
        return times if picture.path is None else {"decode": got - begin, **times}

    return prepare_and_infer


def _fill(network: Network) -> None:
    """Random inputs, the same every time."""
    import numpy as np

    random = np.random.default_rng(0)
    for position, spec in enumerate(network.inputs):
        dtype = np.dtype(spec.dtype)
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            low, high = max(limits.min, -128), min(limits.max, 255)
            values = random.integers(low, high, spec.shape, dtype=dtype, endpoint=True)
        else:
            values = random.random(spec.shape).astype(dtype)
        network.input(position)[...] = values


def step_seconds(network: Network, run: Run) -> list[float]:
    """The median time of every step of the network's engines, in their order."""
    engines = network.engines()
    for engine in engines:
        engine.set_profiling(True)
    runs = []
    for _ in range(PROFILED_RUNS):
        run()
        runs.append([step.nanoseconds for engine in engines for step in engine.steps()])
    for engine in engines:
        engine.set_profiling(False)
    return [percentile(sorted(times), 50) * 1e-9 for times in zip(*runs, strict=True)]


def bench(network: Network, plain: Network | None, picture: Picture | None, plan: Plan) -> dict[str, Any]:
    """Measures a network, and in turns with it the plain interpreter's one where it is given.

    Returns the report as JSON values; times in milliseconds.
    """
    # One channel without a word about preprocessing may as well be sound.
    if not takes_images(network) or (network.artefact is None and network.inputs[0].shape[3] == 1):
        picture = None
    runs = [contestant(item, picture) for item in (network, plain) if item is not None]
    samples = measure(runs, plan.runs, plan.seconds, plan.warmup)
    engines = network.engines()
    report: dict[str, Any] = {
        "model": str(network.path),
        "runtime": network.runtime,
        "threads": network.threads,
        "runs": samples[0].count,
        "warmup": plan.warmup,
        "frame": list(picture.pixels.shape) if picture is not None else None,
        "stages_ms": samples[0].to_json(),
        "peak_rss_bytes": peak_rss_bytes(),
        "machine": machine.identify().to_json(),
        "temperature_celsius": machine.temperature(),
        "engine": None,
        "peak": None,
        "notice": network.notice,
    }
    if network.delegate is not None and engines:
        report["engine"] = {
            "isa": engines[0].isa,
            "claimed_nodes": network.delegate.claimed_nodes,
            "nodes": network.delegate.total_nodes,
            "steps": sum(len(engine.steps()) for engine in engines),
            "arena_bytes": sum(engine.arena_bytes for engine in engines),
            "weight_bytes": sum(engine.weight_bytes for engine in engines),
        }
        if network.delegate.claimed_nodes == network.delegate.total_nodes:
            macs = sum(step.macs for engine in engines for step in engine.steps())
            seconds = samples[0].median("inference")
            report["peak"] = of_peak(macs, seconds, engines[0].isa, engines[0].threads)
    if plain is not None:
        report["compare"] = _comparison(samples[0], samples[1], plain)
    if plan.steps:
        report["steps"] = _steps(network, runs[0])
    return report


def _comparison(ours: Samples, theirs: Samples, plain: Network) -> dict[str, Any]:
    stage = "inference"
    return {
        "runtime": plain.runtime,
        "stages_ms": theirs.to_json(),
        "ratio": round(theirs.median(stage) / ours.median(stage), 3),
        "ratio_of_fastest": round(min(theirs.stages[stage]) / min(ours.stages[stage]), 3),
    }


def _steps(network: Network, run: Run) -> list[dict[str, Any]]:
    steps = [step for engine in network.engines() for step in engine.steps()]
    return [
        {
            "name": step.name,
            "nodes": list(step.nodes),
            "shape": list(step.output_shape),
            "macs": step.macs,
            "bytes": step.bytes,
            "ms": round(seconds * 1e3, 4),
        }
        for step, seconds in zip(steps, step_seconds(network, run), strict=True)
    ]
