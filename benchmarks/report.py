"""What a comparison found, as Markdown tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from edgecore.benchmarks import picture
from edgecore.benchmarks.environments import OURS
from edgecore.errors import UserError

Row = dict[str, Any]
PAGE = Path("benchmarks/README.md")
MARKER, END = "<!-- results -->", "<!-- end of results -->"
PICTURE = Path("docs/compare.svg")


def peers_of(result: dict[str, Any]) -> list[str]:
    """The runtimes that took part beside edgecore."""
    return [name for name in result["runtimes"] if name != OURS]


def groups(result: dict[str, Any]) -> Iterator[tuple[str, int, dict[str, Row]]]:
    """The rows of each (model, threads), by runtime, in the order in which they were measured."""
    found: dict[tuple[str, int], dict[str, Row]] = {}
    for row in result["rows"]:
        rows = found.setdefault((row["model"], row["threads"]), {})
        if "failed" not in row:
            rows[row["runtime"]] = row
    for (model, threads), rows in found.items():
        yield model, threads, rows


def ratio(peer: Row, ours: Row) -> tuple[float, float]:
    """How many times longer the peer takes: by the minima of the run, and half the spread of that ratio.

    The spread is the interquartile range of the ratios of the single rounds' minima.
    """
    rounds = sorted(a / b for a, b in zip(peer["turn_min_ms"], ours["turn_min_ms"], strict=True))
    if len(rounds) < 2:
        return peer["min_ms"] / ours["min_ms"], 0.0
    low, _, high = statistics.quantiles(rounds, n=4, method="inclusive")
    return peer["min_ms"] / ours["min_ms"], (high - low) / 2


def best_peer(rows: dict[str, Row]) -> str | None:
    """The fastest runtime beside edgecore by its minimum; None where there is none."""
    others = [name for name in rows if name != OURS]
    return min(others, key=lambda name: float(rows[name]["min_ms"])) if others else None


def markdown(result: dict[str, Any]) -> str:
    """The tables, with the machine, the versions and the method above and the remarks below them."""
    parts = [_heading(result), _times(result), _ratios(result), _memory(result)]
    remarks = list(dict.fromkeys(_remarks(result)))
    if remarks:
        parts.append("\n".join(f"- {line}" for line in remarks))
    return "\n\n".join(parts) + "\n"


def _heading(result: dict[str, Any]) -> str:
    place = result["machine"]
    names = ", ".join(f"{name} {version}" for name, version in result["runtimes"].items())
    held = "both sides held to" if result["forced"] else "edgecore's tier:"
    peaks = [
        f"{value:.0f} GMAC/s on {threads} thread{'s' if threads != '1' else ''}"
        for threads, value in result["peaks"].items()
        if value
    ]
    lines = [
        f"{place['name']}, {place['cores']} cores, {place['system']}; {result['date']},",
        f"load {result['load_average']:.1f} when it began.",
        f"{names}; {held} {result['isa']}.",
        *([f"Measured peak of {result['peak_instruction']}: {', '.join(peaks)}."] if peaks else []),
        f"Batch 1, ms: minimum / median over {result['rounds']} turns of {result['turn_ms']:.0f} ms each,",
        "the runtimes taking turns in one run.",
    ]
    return "\n".join(lines)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def _times(result: dict[str, Any]) -> str:
    peers = peers_of(result)
    rows = []
    for model, threads, found in groups(result):
        macs, ours, best = result["models"][model]["macs"], found[OURS], best_peer(found)
        rate, most = macs / ours["min_ms"] / 1e6, result["peaks"].get(str(threads))
        times = [_pair(found.get(name)) for name in (OURS, *peers)]
        lead = f"{_spread(found[best], ours)} ({best})" if best else "-"
        share = f"{rate / most:.0%}" if most else "-"
        rows.append([model, f"{macs / 1e6:.0f}", str(threads), *times, lead, f"{rate:.0f}", share])
    head = ["model", "MMAC", "threads", OURS, *peers, "x the best peer", "GMAC/s", "of peak"]
    return _table(head, rows)


def _pair(row: Row | None) -> str:
    return f"{row['min_ms']:.2f} / {row['median_ms']:.2f}" if row else "-"


def _spread(peer: Row, ours: Row) -> str:
    value, spread = ratio(peer, ours)
    return f"{value:.2f} ± {spread:.2f}"


def _ratios(result: dict[str, Any]) -> str:
    """Ratios to each peer; at the end their geometric means, which take in the models that a peer runs."""
    peers = peers_of(result)
    rows = []
    every: dict[int, dict[str, list[float]]] = {}
    for model, threads, found in groups(result):
        kept = every.setdefault(threads, {})
        cells = []
        for name in peers:
            if name not in found:
                cells.append("-")
                continue
            kept.setdefault(name, []).append(ratio(found[name], found[OURS])[0])
            cells.append(_spread(found[name], found[OURS]))
        if best := best_peer(found):
            kept.setdefault("best", []).append(ratio(found[best], found[OURS])[0])
        rows.append([model, str(threads), *cells])
    for threads, kept in every.items():
        means = [f"{statistics.geometric_mean(kept[name]):.2f}" if name in kept else "-" for name in peers]
        rows.append(["geometric mean", str(threads), *means])
    bests = [
        f"{statistics.geometric_mean(kept['best']):.2f} with {threads} thread{'s' if threads > 1 else ''}"
        for threads, kept in every.items()
        if "best" in kept
    ]
    text = [
        "How many times longer each peer takes (minima, with half the interquartile range of the rounds).",
        *([f"Against each model's best peer, the geometric mean is {', '.join(bests)}."] if bests else []),
    ]
    return "\n".join(text) + "\n\n" + _table(["model", "threads", *(f"x {peer}" for peer in peers)], rows)


def _memory(result: dict[str, Any]) -> str:
    peers = peers_of(result)
    threads = min((row["threads"] for row in result["rows"]), default=1)
    rows = []
    for model, count, found in groups(result):
        if count != threads:
            continue
        cells = []
        for name in (OURS, *peers):
            cells.append(_footprint(found.get(name)))
        parts = [f"{found[OURS][key] / 1e6:.2f}" for key in ("arena_bytes", "weight_bytes")]
        rows.append([model, *cells, *parts])
    text = (
        f"MB that a loaded model adds to the process / MB of the process at its peak / ms from the start of "
        f"the process to the first result,\nwith {threads} thread{'s' if threads > 1 else ''}; and MB of "
        "edgecore's arena and of its packed weights, which are in the first figure."
    )
    return text + "\n\n" + _table(["model", OURS, *peers, "arena", "weights"], rows)


def _footprint(row: Row | None) -> str:
    if row is None:
        return "-"
    added, most = row["added_bytes"] / 1e6, row["peak_bytes"] / 1e6
    return f"{added:.1f} / {most:.0f} / {row['first_result_ms']:.0f}"


def _remarks(result: dict[str, Any]) -> Iterator[str]:
    yield from result["left_out"]
    worst: dict[str, tuple[float, str]] = {}
    for model, facts in result["models"].items():
        for runtime, reason in facts["refused"].items():
            yield f"{model} on {runtime}: {reason}."
        for runtime, found in facts["looked"].items():
            outside, total = found.get("float_layers", (0, 0))
            if outside:
                yield f"{model}: {runtime} runs {outside} of its {total} layers with weights in float."
            if result["forced"] and "avx512" not in result["isa"] and found.get("avx512_layers"):
                count, tier = found["avx512_layers"], result["isa"]
                yield f"{model}: {runtime} runs {count} layers with AVX-512 although it is held to {tier}."
            if "difference" in found:
                worst[runtime] = max(worst.get(runtime, (0.0, model)), (found["difference"], model))
    for row in result["rows"]:
        if "failed" in row:
            yield f"{row['model']}: {row['failed']}."
        elif row["runtime"] == OURS and row["nodes"][0] < row["nodes"][1]:
            claimed, total = row["nodes"]
            others = "the interpreter the others"
            yield f"{row['model']}: the engine runs {claimed} of {total} operators, {others}."
    if worst:
        said = [
            f"{name} {value:g} ({model})" if value else f"{name} 0" for name, (value, model) in worst.items()
        ]
        what = "Largest difference of an output from TFLite's reference kernels, in its own steps"
        yield f"{what}: {', '.join(said)}."


def publish(result: dict[str, Any], root: Path) -> None:
    """Put the tables and the picture where the project's pages show them."""
    page = root / PAGE
    head, marker, rest = page.read_text(encoding="utf-8").partition(MARKER)
    _, end, tail = rest.partition(END)
    if not marker or not end:
        raise UserError(f"{page} lacks the line {END if marker else MARKER}; restore it")
    if not picture.plot(result, root / PICTURE):
        raise UserError("matplotlib draws the picture; pip install 'edgecore[bench]'")
    shown = f"![How many times faster edgecore is](../{PICTURE.as_posix()})"
    page.write_text(f"{head}{marker}\n\n{markdown(result)}\n{shown}\n\n{END}{tail}", encoding="utf-8")
