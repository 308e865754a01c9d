"""benchmarks/report: ratios, the table and its remarks, the picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgecore.benchmarks import report
from edgecore.errors import UserError


def row(
    runtime: str, minima: list[float], model: str = "small", threads: int = 1, **facts: Any
) -> dict[str, Any]:
    return {
        "model": model,
        "threads": threads,
        "runtime": runtime,
        "min_ms": min(minima),
        "median_ms": sorted(minima)[len(minima) // 2],
        "turn_min_ms": minima,
        **facts,
    }


def result(*rows: dict[str, Any]) -> dict[str, Any]:
    return {
        "date": "2026-01-01 00:00 UTC",
        "machine": {"name": "a board", "cores": 4, "system": "Linux"},
        "runtimes": {"edgecore": "0.1.0", "tflite-runtime": "2.14.0", "ai-edge-litert": None},
        "load_average": 0.25,
        "rounds": 4,
        "turn_ms": 5.0,
        "rows": list(rows),
    }


def test_ratio_of_the_minima_with_the_spread_of_the_rounds() -> None:
    ours = row("edgecore", [1.0, 1.0, 1.0, 1.0, 1.0])
    peer = row("tflite-runtime", [2.0, 3.0, 4.0, 5.0, 6.0])
    assert report.ratio(peer, ours) == (2.0, 1.0)
    assert report.ratio(row("tflite-runtime", [3.0]), row("edgecore", [2.0])) == (1.5, 0.0)


def test_table_names_what_was_measured_and_what_the_engine_left_out() -> None:
    text = report.markdown(
        result(
            row("edgecore", [1.0, 2.0], nodes=[7, 9], isa=["avx2"]),
            row("tflite-runtime", [4.0, 5.0]),
            row("edgecore", [0.5, 0.5], threads=2, nodes=[7, 9], isa=["avx2"]),
            row("tflite-runtime", [4.0, 4.0], threads=2),
        )
    )
    assert "a board, 4 cores, Linux" in text and "load 0.2 when it began" in text
    assert "edgecore 0.1.0, tflite-runtime 2.14.0; edgecore's tier: avx2." in text
    assert "| small | 1 | 1.00 / 2.00 | 4.00 / 5.00 | 4.00 ± 0.38 |" in text
    assert "| small | 2 | 0.50 / 0.50 | 4.00 / 4.00 | 8.00 ± 0.00 |" in text
    assert text.count("the engine runs 7 of 9 operators") == 1
    assert "litert" not in text


def test_publishing_replaces_what_stood_there(tmp_path: Path, need_module: Callable[[str], None]) -> None:
    need_module("matplotlib")
    for name in ("benchmarks", "docs"):
        (tmp_path / name).mkdir()
    page = tmp_path / report.PAGE
    page.write_text(f"How.\n\n{report.MARKER}\n\nold figures\n")
    rows = [row("edgecore", [1.0], nodes=[9, 9]), row("tflite-runtime", [4.0])]
    report.publish(result(*rows), tmp_path)
    text = page.read_text()
    assert text.startswith(f"How.\n\n{report.MARKER}\n\na board, ")
    assert "| small | 1 |" in text and "old figures" not in text
    assert (tmp_path / report.PICTURE).stat().st_size > 0
    page.write_text("no marker")
    with pytest.raises(UserError, match="restore it"):
        report.publish(result(*rows), tmp_path)


def test_picture_has_every_model(tmp_path: Path, need_module: Callable[[str], None]) -> None:
    need_module("matplotlib")
    rows = [row("edgecore", [1.0], model=name) for name in ("small", "large")]
    rows += [row("tflite-runtime", [3.0], model=name) for name in ("small", "large")]
    path = tmp_path / "picture.svg"
    assert report.plot(result(*rows), path)
    assert path.read_text().lstrip().startswith("<?xml")
