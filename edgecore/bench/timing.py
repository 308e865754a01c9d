"""Timing runs of one model, or of two that take turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgecore.statistics import SAMPLES_NEEDED, percentile

BLOCK = 10  # runs before the other contestant's turn
LEAD_IN = (
    2  # runs at the start of a turn that do not count: caches and spinning threads are still the other's
)


@dataclass
class Samples:
    """Seconds of every counted run, by stage."""

    stages: dict[str, list[float]] = field(default_factory=dict)

    def add(self, times: dict[str, float]) -> None:
        """One run."""
        for stage, seconds in times.items():
            self.stages.setdefault(stage, []).append(seconds)

    @property
    def count(self) -> int:
        """The number of runs."""
        return len(next(iter(self.stages.values()), []))

    def median(self, stage: str) -> float:
        """Seconds."""
        return percentile(sorted(self.stages[stage]), 50)

    def to_json(self) -> dict[str, Any]:
        """Figures of every stage in milliseconds; null for a percentile with too few runs behind it."""
        return {stage: figures(seconds) for stage, seconds in self.stages.items()}


def figures(seconds: Sequence[float]) -> dict[str, float | None]:
    """Minimum, mean and percentiles in milliseconds; None where there are too few samples for one."""
    ordered = sorted(seconds)
    found: dict[str, float | None] = {
        "min": round(ordered[0] * 1e3, 4),
        "mean": round(sum(ordered) / len(ordered) * 1e3, 4),
    }
    for rank, needed in SAMPLES_NEEDED.items():
        enough = len(ordered) >= needed
        found[f"p{rank}"] = round(percentile(ordered, rank) * 1e3, 4) if enough else None
    return found


Run = Callable[[], dict[str, float]]


def measure(contestants: Sequence[Run], runs: int | None, seconds: float, warmup: int) -> list[Samples]:
    """Times the contestants, turn by turn when there are several, so that what slows the machine slows all.

    Args:
        contestants: each does one run and returns the seconds of its stages.
        runs: how many runs of each count; None runs for `seconds` of wall time, at least BLOCK runs of each.
        warmup: runs of each before anything counts.
    """
    for contestant in contestants:
        for _ in range(warmup):
            contestant()
    samples = [Samples() for _ in contestants]
    lead_in = LEAD_IN if len(contestants) > 1 else 0
    deadline = time.monotonic() + seconds
    while True:
        done = samples[0].count
        if runs is not None and done >= runs:
            return samples
        if runs is None and done and time.monotonic() >= deadline:
            return samples
        block = BLOCK if runs is None else min(BLOCK, runs - done)
        for contestant, kept in zip(contestants, samples, strict=True):
            for _ in range(lead_in):
                contestant()
            for _ in range(block):
                kept.add(contestant())
