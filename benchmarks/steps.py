"""Where the time of one model goes: every step of edgecore's plan with its time, work and traffic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgecore.bench.report import contestant, step_seconds
from edgecore.benchmarks import peak
from edgecore.errors import UserError
from edgecore.network import Network
from edgecore.table import table


def measure(name: str, path: Path, threads: int, isa: str | None) -> dict[str, Any]:
    """The steps of a model as JSON values: names, times in ms (medians), MACs, bytes moved.

    Raises UserError: the engine runs none of it.
    """
    network = Network(path, threads, isa=isa)
    engines = network.engines()
    if not engines or network.delegate is None:
        raise UserError(
            f"{path}: the engine runs no operator of it, so it has no steps; see edgecore inspect"
        )
    seconds = step_seconds(network, contestant(network, None))
    steps = [step for engine in engines for step in engine.steps()]
    tier = engines[0].isa
    return {
        "model": name,
        "threads": threads,
        "isa": tier,
        "nodes": [network.delegate.claimed_nodes, network.delegate.total_nodes],
        "arena_bytes": sum(engine.arena_bytes for engine in engines),
        "weight_bytes": sum(engine.weight_bytes for engine in engines),
        "peak_gmacs": peak.measured(tier, threads),
        "steps": [
            {
                "name": step.name,
                "nodes": list(step.nodes),
                "shape": list(step.output_shape),
                "macs": step.macs,
                "bytes": step.bytes,
                "ms": taken * 1e3,
            }
            for step, taken in zip(steps, seconds, strict=True)
        ],
    }


def _cells(step: dict[str, Any], whole: float, peak_gmacs: float | None) -> list[str]:
    rate = step["macs"] / step["ms"] / 1e6 if step["ms"] else 0.0
    return [
        f"{step['ms']:.3f}",
        f"{step['ms'] / whole:.1%}",
        f"{step['macs'] / 1e6:.2f}" if step["macs"] else "",
        f"{rate:.1f}" if rate else "",
        f"{rate / peak_gmacs:.0%}" if rate and peak_gmacs else "",
        f"{step['bytes'] / 1e3:,.0f}",
        f"{step['macs'] / step['bytes']:.0f}" if step["macs"] and step["bytes"] else "",
    ]


def text(found: dict[str, Any]) -> str:
    """The steps as a table for people, with their sum as its last line."""
    steps, peak_gmacs = found["steps"], found["peak_gmacs"]
    total = {key: sum(step[key] for step in steps) for key in ("ms", "macs", "bytes")}
    whole = total["ms"] or 1.0
    rows = [
        [
            str(number),
            step["name"],
            "x".join(map(str, step["shape"])),
            ",".join(map(str, step["nodes"])),
            *_cells(step, whole, peak_gmacs),
        ]
        for number, step in enumerate(steps)
    ]
    rows.append(["", "all", "", "", *_cells(total, whole, peak_gmacs)])
    head = ["#", "step", "output", "nodes", "ms", "share", "MMAC", "GMAC/s", "of peak", "KB", "MAC/byte"]
    claimed, nodes = found["nodes"]
    of_peak = f"{peak_gmacs:.0f} GMAC/s is its measured peak" if peak_gmacs else "its peak is not known"
    lines = [
        f"{found['model']}: {found['isa']}, {found['threads']} thread{'s' if found['threads'] > 1 else ''}; "
        f"{of_peak}; {claimed} of {nodes} operators; "
        f"arena {found['arena_bytes'] / 1e6:.2f} MB, weights {found['weight_bytes'] / 1e6:.2f} MB",
        table(head, rows, left=(1, 2, 3)),
    ]
    return "\n".join(lines)
