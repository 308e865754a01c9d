"""A benchmark's report for people."""

from __future__ import annotations

from typing import Any

from edgecore.devices.machine import Machine
from edgecore.table import table


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.2f} MB"


def _stage_table(stages: dict[str, dict[str, float | None]], name: str) -> str:
    head = [name, "min", "mean", *(key for key in next(iter(stages.values())) if key.startswith("p"))]
    keys = head[1:]
    rows = [[stage, *(_milliseconds(found[key]) for key in keys)] for stage, found in stages.items()]
    return table(head, rows, left=(0,))


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def text(report: dict[str, Any]) -> str:
    """The report for people."""
    threads = f"{report['threads']} thread{'s' if report['threads'] > 1 else ''}"
    frame = report["frame"]
    size = f", frames {frame[1]}x{frame[0]}" if frame else ""
    lines = [
        f"{report['model']}: {report['runs']} runs after {report['warmup']} to warm up, {threads}{size}",
        _stage_table(report["stages_ms"], "ms"),
    ]
    engine = report["engine"]
    if engine:
        nodes = f"{engine['claimed_nodes']} of {engine['nodes']} nodes in {engine['steps']} steps"
        arena, weights = _megabytes(engine["arena_bytes"]), _megabytes(engine["weight_bytes"])
        lines.append(f"engine: {engine['isa']}, {nodes}, arena {arena}, weights {weights}")
    else:
        lines.append(f"engine: none, {report['runtime']} runs every node")
    lines.append(f"peak memory of the process: {_megabytes(report['peak_rss_bytes'])}")
    heat = report["temperature_celsius"]
    lines.append(f"machine: {Machine(**report['machine'])}" + (f", {heat:.0f} °C" if heat else ""))
    peak = report["peak"]
    if peak:
        lines.append(
            f"{peak['board']}: {peak['gmacs']:.1f} GMAC/s is {peak['share']:.0%} of the most that "
            f"{peak['tier']} could do on these cores ({peak['peak_gmacs']:.1f})"
        )
    compare = report.get("compare")
    if compare:
        lines += [
            _stage_table(compare["stages_ms"], compare["runtime"]),
            f"inference with the engine is {compare['ratio']:.2f} times as fast by the medians, "
            f"{compare['ratio_of_fastest']:.2f} times by the fastest runs, taking turns",
        ]
    if any(value is None for found in report["stages_ms"].values() for value in found.values()):
        lines.append("- : too few runs for this percentile; p95 needs 130, p99 662 (--runs)")
    if report.get("steps"):
        lines += ["", _step_table(report["steps"])]
    if report["notice"]:
        lines.append(report["notice"])
    return "\n".join(lines)


def _step_table(steps: list[dict[str, Any]]) -> str:
    whole = sum(step["ms"] for step in steps) or 1.0
    rows = []
    for number, step in enumerate(steps):
        rate = step["macs"] / step["ms"] / 1e6 if step["ms"] and step["macs"] else 0.0
        rows.append(
            [
                str(number),
                step["name"],
                "x".join(map(str, step["shape"])),
                ",".join(map(str, step["nodes"])),
                f"{step['ms']:.3f}",
                f"{step['ms'] / whole:.1%}",
                f"{rate:.1f}" if rate else "",
            ]
        )
    return table(["#", "step", "output", "nodes", "ms", "share", "GMAC/s"], rows, left=(1, 2, 3))
