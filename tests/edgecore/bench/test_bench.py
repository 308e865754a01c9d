"""Measuring: the counts, the turns, and figures that are there only when they may be believed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgecore.bench.memory import peak_rss_bytes
from edgecore.bench.peak import of_peak
from edgecore.bench.report import Picture, Plan, bench
from edgecore.bench.text import text
from edgecore.bench.timing import BLOCK, LEAD_IN, figures, measure
from edgecore.camera.opencv import read_image
from edgecore.network import Network


def test_figures() -> None:
    found = figures([index / 1000 for index in range(1, 131)])
    assert (found["min"], found["p50"], found["p90"], found["p95"]) == (1.0, 65.0, 117.0, 124.0)
    assert found["mean"] == 65.5
    assert found["p99"] is None  # 662 runs are needed
    assert figures([0.002] * 662)["p99"] == 2.0
    assert figures([0.002])["p90"] is None


def test_contestants_take_turns() -> None:
    calls: list[str] = []

    def contestant(name: str) -> dict[str, float]:
        calls.append(name)
        return {"inference": 1.0}

    first, second = measure(
        [lambda: contestant("a"), lambda: contestant("b")], runs=BLOCK + 3, seconds=0, warmup=4
    )
    assert first.count == second.count == BLOCK + 3
    turn, last = BLOCK + LEAD_IN, 3 + LEAD_IN
    assert "".join(calls) == "aaaabbbb" + "a" * turn + "b" * turn + "a" * last + "b" * last


def test_seconds() -> None:
    (samples,) = measure([lambda: {"inference": 1.0}], runs=None, seconds=0.05, warmup=0)
    assert samples.count >= BLOCK and samples.count % BLOCK == 0


def test_report_of_a_classifier(model: Path) -> None:
    network, plain = Network(model, threads=1), Network(model, threads=1, delegate=False)
    frame = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    report = bench(network, plain, Picture(frame), Plan(runs=70, warmup=2, steps=True))
    assert (report["runs"], report["threads"], report["frame"]) == (70, 1, [60, 80, 3])
    stages = report["stages_ms"]
    assert list(stages) == ["preprocess", "inference", "total"]
    assert stages["total"]["min"] >= stages["inference"]["min"] > 0
    assert stages["total"]["p90"] is not None and stages["total"]["p95"] is None
    assert report["engine"]["claimed_nodes"] == report["engine"]["nodes"] == 7
    assert report["engine"]["arena_bytes"] > 0 and report["engine"]["weight_bytes"] > 0
    assert len(report["steps"]) == report["engine"]["steps"]
    assert sum(step["ms"] for step in report["steps"]) > 0
    assert report["compare"]["ratio"] > 0
    assert 1e6 < report["peak_rss_bytes"] <= peak_rss_bytes()
    json.dumps(report)
    shown = text(report)
    assert "7 of 7 nodes" in shown and "times as fast" in shown and "GMAC/s" in shown
    assert "p95 needs 130" in shown


def test_decoding_is_a_stage_of_its_own(model: Path, photos: Path) -> None:
    path = photos / "b.jpg"
    report = bench(Network(model), None, Picture(read_image(path), path), Plan(runs=3, warmup=0))
    stages = report["stages_ms"]
    assert list(stages) == ["decode", "preprocess", "inference", "total"]
    assert stages["total"]["min"] > stages["decode"]["min"] > 0


def test_report_without_the_engine(model: Path) -> None:
    report = bench(Network(model, delegate=False), None, None, Plan(runs=3, warmup=0))
    assert report["engine"] is None and "compare" not in report and "steps" not in report
    assert list(report["stages_ms"]) == ["inference"]
    assert "runs every node" in text(report)


@pytest.mark.parametrize("name", ["kws_dscnn_int8", "resnet8_cifar10_float"])
def test_models_that_take_no_frames(shared: Path, name: str) -> None:
    network = Network(shared / f"models/mlperf_tiny/{name}.tflite")
    report = bench(network, None, Picture(np.zeros((60, 80, 3), np.uint8)), Plan(runs=3, warmup=0))
    assert report["frame"] is None and list(report["stages_ms"]) == ["inference"]


def test_share_of_the_boards_peak(tmp_path: Path, model: Path) -> None:
    tree = tmp_path / "proc/device-tree"
    tree.mkdir(parents=True)
    (tree / "model").write_text("Raspberry Pi 5 Model B Rev 1.0\0")
    found = of_peak(349_000_000, 0.0100, "dotprod", 2, tmp_path)
    assert found == {
        "board": "Raspberry Pi 5",
        "tier": "dotprod",
        "gmacs": 34.9,
        "peak_gmacs": 153.6,  # two cores at 2400 MHz, 32 a cycle
        "share": 0.2272,
    }
    clock = tmp_path / "sys/devices/system/cpu/cpu0/cpufreq"
    clock.mkdir(parents=True)
    (clock / "cpuinfo_max_freq").write_text("1200000\n")  # the system's word counts
    slower = of_peak(349_000_000, 0.0100, "dotprod", 2, tmp_path)
    assert slower is not None and slower["peak_gmacs"] == 76.8
    assert of_peak(1, 1.0, "avx2", 2, tmp_path) is None
    report = bench(Network(model), None, None, Plan(runs=3, warmup=0))
    assert "could do on these cores" not in text({**report, "peak": None})
    assert "Raspberry Pi 5: 34.9 GMAC/s is 23% of the most that dotprod could" in text(
        {**report, "peak": found}
    )
