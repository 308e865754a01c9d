"""The tables of `python -m edgecore.benchmarks.arm`, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from edgecore.benchmarks.arm.counts import LITERT, OURS, TFLITE, Count, Step
from edgecore.benchmarks.arm.loops import Verdict
from edgecore.benchmarks.arm.traffic import Traffic
from edgecore.errors import UserError

PAGE = Path("benchmarks/README.md")
BEGIN, END = "<!-- arm -->", "<!-- end of arm -->"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _head(*titles: str) -> list[str]:
    return [_row(titles), "|" + "---|" * len(titles)]


def counts_table(counts: Sequence[Count], columns: Mapping[str, str]) -> list[str]:
    """One row a model; `columns` is {core: title}. tflite-runtime has one count an architecture."""
    found = {(each.model, each.cpu, each.runtime): each for each in counts}
    models = list(dict.fromkeys(each.model for each in counts))
    lines = _head("model", *columns.values())
    for model in models:
        cells = [model]
        for cpu in columns:
            ours = found.get((model, cpu, OURS))
            if ours is None:
                cells.append("")
                continue
            peers = [found.get((model, cpu, LITERT)), found.get((model, cpu, TFLITE))]
            text = " / ".join(f"{peer.instructions / 1e6:.1f}" for peer in peers if peer)
            best = min((peer.instructions for peer in peers if peer), default=0)
            ratio = f" ({best / ours.instructions:.2f} x)" if best else ""
            cells.append(
                f"**{ours.instructions / 1e6:.1f}** : {text}{ratio}"
                if text
                else f"**{ours.instructions / 1e6:.1f}**"
            )
        lines.append(_row(cells))
    return lines


def loops_table(verdicts: Sequence[Verdict]) -> list[str]:
    lines = _head("kernel", "function", "core", "MAC a cycle", "instructions a MAC")
    for each in verdicts:
        lines.append(
            _row(
                [
                    each.kernel,
                    each.loop.function,
                    each.core,
                    f"{each.macs_per_cycle:.1f}",
                    f"{each.per_mac:.3f}",
                ]
            )
        )
    return lines


def traffic_table(found: Sequence[Traffic], columns: Mapping[str, str]) -> list[str]:
    """One row a model, KB; `columns` is {core: title}. In brackets: how many times as much operators move."""
    lines = _head("model", *columns.values(), "operator by operator")
    for each in found:
        ours = [
            f"{each.fused[cpu] / 1e3:,.0f} ({each.by_operator / each.fused[cpu]:.2f} x)" for cpu in columns
        ]
        lines.append(_row([each.model, *ours, f"{each.by_operator / 1e3:,.0f}"]))
    return lines


def steps_table(steps: Sequence[Step]) -> list[str]:
    """A step whose bytes outweigh its MACs waits for memory, however good its kernel is."""
    lines = _head("step", "", "MAC, M", "KB moved", "MAC a byte")
    for number, step in enumerate(steps):
        ratio = step.macs / step.bytes if step.bytes else 0.0
        lines.append(
            _row(
                [str(number), step.name, f"{step.macs / 1e6:.2f}", f"{step.bytes / 1e3:,.0f}", f"{ratio:.0f}"]
            )
        )
    return lines


def publish(text: str, root: Path) -> None:
    """Puts the tables into benchmarks/README.md. Raises UserError: its two marks are not there."""
    page = root / PAGE
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise UserError(f"{page} has no lines {BEGIN} and {END}; restore them")
    page.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", encoding="utf-8")
