"""benchmarks/report and picture: ratios, the tables and their remarks, the picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgecore.benchmarks import picture, report
from edgecore.errors import UserError


def row(
    runtime: str, minima: list[float], model: str = "small", threads: int = 1, **facts: Any
) -> dict[str, Any]:
    ours = {"nodes": [9, 9], "isa": ["avx2"], "arena_bytes": 250_000, "weight_bytes": 1_500_000}
    return {
        "model": model,
        "threads": threads,
        "runtime": runtime,
        "min_ms": min(minima),
        "median_ms": sorted(minima)[len(minima) // 2],
        "turn_min_ms": minima,
        "added_bytes": 12_300_000,
        "peak_bytes": 45_000_000,
        "first_result_ms": 99.6,
        **(ours if runtime == "edgecore" else {}),
        **facts,
    }


def result(*rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    names = dict.fromkeys(row["model"] for row in rows)
    return {
        "date": "2026-01-01 00:00 UTC",
        "machine": {"name": "a board", "cores": 4, "system": "Linux"},
        "runtimes": {row["runtime"]: "1.2" for row in rows} | {"edgecore": "0.1.0"},
        "isa": "avx2",
        "forced": False,
        "peaks": {"1": 100.0, "2": None},
        "peak_instruction": "vpmaddubsw",
        "left_out": [],
        "load_average": 0.25,
        "rounds": 4,
        "turn_ms": 5.0,
        "models": {name: {"macs": 50_000_000, "refused": {}, "looked": {}} for name in names},
        "rows": list(rows),
        **changes,
    }


def test_ratio_of_the_minima_with_the_spread_of_the_rounds() -> None:
    ours = row("edgecore", [1.0, 1.0, 1.0, 1.0, 1.0])
    peer = row("tflite-runtime", [2.0, 3.0, 4.0, 5.0, 6.0])
    assert report.ratio(peer, ours) == (2.0, 1.0)
    assert report.ratio(row("tflite-runtime", [3.0]), row("edgecore", [2.0])) == (1.5, 0.0)


def test_tables_have_times_ratios_rates_and_memory() -> None:
    text = report.markdown(
        result(
            row("edgecore", [1.0, 2.0]),
            row("tflite-runtime", [4.0, 5.0]),
            row("openvino", [2.0, 2.0]),
            row("edgecore", [0.5, 0.5], threads=2),
            row("tflite-runtime", [4.0, 4.0], threads=2),
            row("openvino", [0.4, 0.4], threads=2),
        )
    )
    assert "a board, 4 cores, Linux" in text and "load 0.2 when it began" in text
    assert "edgecore 0.1.0, tflite-runtime 1.2, openvino 1.2; edgecore's tier: avx2." in text
    assert "Measured peak of vpmaddubsw: 100 GMAC/s on 1 thread." in text
    times = "1.00 / 2.00 | 4.00 / 5.00 | 2.00 / 2.00 | 2.00 ± 0.25 (openvino) | 50 | 50%"
    assert f"| small | 50 | 1 | {times} |" in text
    assert "| 0.80 ± 0.00 (openvino) | 100 | - |" in text
    assert "| small | 1 | 4.00 ± 0.38 | 2.00 ± 0.25 |" in text
    assert "| geometric mean | 2 | 8.00 | 0.80 |" in text
    assert "the geometric mean is 2.00 with 1 thread, 0.80 with 2 threads." in text
    footprint = "12.3 / 45 / 100"
    assert f"| small | {footprint} | {footprint} | {footprint} | 0.25 | 1.50 |" in text
    assert "- " not in text.splitlines()[-1][:2]


def test_remarks_name_what_a_reader_must_know() -> None:
    looked = {
        "edgecore": {"difference": 0.0},
        "openvino": {"difference": 7.0, "float_layers": [2, 5], "avx512_layers": 3},
    }
    facts = {"macs": 1, "refused": {"onnxruntime": "tf2onnx does not convert it: no"}, "looked": looked}
    ours = row("edgecore", [1.0], nodes=[7, 9])
    failed = {"model": "small", "threads": 1, "runtime": "openvino", "failed": "openvino stopped"}
    text = report.markdown(
        result(
            ours,
            failed,
            models={"small": facts},
            forced=True,
            left_out=["tflite-runtime is left out: it has no switch."],
        )
    )
    for line in (
        "tflite-runtime is left out: it has no switch.",
        "small on onnxruntime: tf2onnx does not convert it: no.",
        "small: openvino runs 2 of its 5 layers with weights in float.",
        "small: openvino runs 3 layers with AVX-512 although it is held to avx2.",
        "small: openvino stopped.",
        "small: the engine runs 7 of 9 operators, the interpreter the others.",
        "Largest difference of an output from TFLite's reference kernels, in its own steps: edgecore 0, "
        "openvino 7 (small).",
    ):
        assert f"\n- {line}\n" in text
    assert "| small | 0 | 1 | 1.00 / 1.00 | - | - | 0 | 0% |" in text


def test_publishing_replaces_what_stood_there(tmp_path: Path, need_module: Callable[[str], None]) -> None:
    need_module("matplotlib")
    for name in ("benchmarks", "docs"):
        (tmp_path / name).mkdir()
    page = tmp_path / report.PAGE
    page.write_text(f"How.\n\n{report.MARKER}\n\nold figures\n{report.END}\n\n## More\n")
    rows = [row("edgecore", [1.0]), row("tflite-runtime", [4.0])]
    report.publish(result(*rows), tmp_path)
    text = page.read_text()
    assert text.startswith(f"How.\n\n{report.MARKER}\n\na board, ")
    assert "| small | 1 |" in text and "old figures" not in text
    assert text.endswith(f"\n\n{report.END}\n\n## More\n")
    assert (tmp_path / report.PICTURE).stat().st_size > 0
    page.write_text("no marker")
    with pytest.raises(UserError, match="restore it"):
        report.publish(result(*rows), tmp_path)


def test_picture_takes_models_that_a_peer_does_not_run(
    tmp_path: Path, need_module: Callable[[str], None]
) -> None:
    need_module("matplotlib")
    rows = [row("edgecore", [1.0], model=name) for name in ("small", "large")]
    path = tmp_path / "picture.svg"
    assert picture.plot(result(*rows, row("openvino", [3.0], model="small")), path)
    assert path.read_text().lstrip().startswith("<?xml")
    assert not picture.plot(result(*rows), path)
