"""The gate: instructions of three models on every tier's core may not grow by more than two percent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edgecore.benchmarks.arm import counts
from edgecore.benchmarks.models import BUNDLED
from edgecore.devices.emulation.qemu import Emulator

FROZEN = Path(__file__).with_name("arm_counts.json")
MODELS = ("squeezenet_v1.1@224", "mobilenet_v2", BUNDLED)
ASSET = Path(__file__).resolve().parents[2] / "edgecore" / "assets" / "res_squeezenet_cifar10.tflite"


def count(model: str, cpu: str, instructions: int, runtime: str = counts.OURS) -> counts.Count:
    return counts.Count(model, cpu, runtime, instructions, 0, 0, 0, "")


def test_growth_is_named_and_a_little_is_not() -> None:
    frozen = {"a": {"cortex-a72": 1_000_000}}
    assert counts.grown([count("a", "cortex-a72", 1_020_000)], frozen) == []
    assert counts.grown([count("a", "cortex-a72", 1_020_001)], frozen) == [
        "a on cortex-a72: 1,020,001 instructions, 2.0 % more than 1,000,000"
    ]
    assert counts.grown([count("a", "max", 1)], frozen) == ["a on max: no count to compare with"]
    assert counts.grown([count("b", "max", 1, counts.LITERT)], frozen) == []


def test_freezing_keeps_our_counts_alone(tmp_path: Path) -> None:
    path = tmp_path / "counts.json"
    counts.freeze(
        [count("a", "max", 7), count("a", "cortex-a72", 9), count("a", "max", 8, counts.TFLITE)], path
    )
    assert json.loads(path.read_text()) == {"a": {"max": 7, "cortex-a72": 9}}


@pytest.mark.slow
@pytest.mark.emulated
def test_no_count_grew(
    wheels: dict[str, Path], sample: Callable[[str], Path], emulator: Callable[[str, str], Emulator]
) -> None:
    for arch, cpu in counts.CORES:
        emulator(arch, cpu)
    paths = {name: ASSET if name == BUNDLED else sample(name) for name in MODELS}
    ours = dict.fromkeys(counts.RUNTIMES, (counts.OURS,))
    found = counts.count_all(paths, wheels, runtimes=ours)
    assert {(each.model, each.cpu): each.isa for each in found} == {
        (name, cpu): tier
        for name in MODELS
        for (_, cpu), tier in zip(counts.CORES, ("neon", "dotprod", "i8mm", "neon"), strict=True)
    }
    grown = counts.grown(found, json.loads(FROZEN.read_text()))
    assert not grown, "\n".join([*grown, "where it is meant: python -m edgecore.benchmarks.arm --freeze"])
    for name in MODELS:
        outputs = {each.sha256 for each in found if each.model == name}
        assert len(outputs) == 1, f"{name}: other bytes on another core"
