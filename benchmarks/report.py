"""What a comparison found, as a Markdown table and as a picture."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgecore.errors import UserError

Row = dict[str, Any]
OURS = "edgecore"
PAGE, MARKER = Path("benchmarks/README.md"), "<!-- results -->"
PICTURE = Path("docs/compare.svg")


def groups(result: dict[str, Any]) -> Iterator[tuple[str, int, dict[str, Row]]]:
    """The rows of each (model, threads), by runtime, in the order in which they were measured."""
    found: dict[tuple[str, int], dict[str, Row]] = {}
    for row in result["rows"]:
        found.setdefault((row["model"], row["threads"]), {})[row["runtime"]] = row
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


def markdown(result: dict[str, Any]) -> str:
    """The table, with the machine, the versions and the method above and the remarks below it."""
    place = result["machine"]
    peers = [name for name, version in result["runtimes"].items() if version and name != OURS]
    names = [f"{name} {version}" for name, version in result["runtimes"].items() if version]
    tiers = sorted({tier for row in result["rows"] for tier in row.get("isa", [])})
    lines = [
        f"{place['name']}, {place['cores']} cores, {place['system']}; {result['date']},",
        f"load {result['load_average']:.1f} when it began.",
        f"{', '.join(names)}; edgecore's tier: {', '.join(tiers) or 'none'}.",
        f"Batch 1, ms: minimum / median over {result['rounds']} turns of {result['turn_ms']:.0f} ms each,",
        "the runtimes taking turns in one run. The last columns: how many times longer the peer takes",
        "(minima, with half the interquartile range of the rounds).",
        "",
        "| model | threads | " + " | ".join([OURS, *peers, *(f"x {peer}" for peer in peers)]) + " |",
        "|---|---|" + "---|" * (1 + 2 * len(peers)),
    ]
    remarks = []
    for model, threads, rows in groups(result):
        ours = rows[OURS]
        cells = [f"{rows[name]['min_ms']:.2f} / {rows[name]['median_ms']:.2f}" for name in (OURS, *peers)]
        cells += ["{:.2f} ± {:.2f}".format(*ratio(rows[peer], ours)) for peer in peers]
        lines.append(f"| {model} | {threads} | " + " | ".join(cells) + " |")
        claimed, total = ours["nodes"]
        if claimed < total:
            remarks.append(
                f"{model}: the engine runs {claimed} of {total} operators, the interpreter the others."
            )
    return "\n".join([*lines, *([""] if remarks else []), *dict.fromkeys(remarks)]) + "\n"


def publish(result: dict[str, Any], root: Path) -> None:
    """Put the table and the picture where the project's pages show them."""
    page = root / PAGE
    head, marker, _ = page.read_text(encoding="utf-8").partition(MARKER)
    if not marker:
        raise UserError(f"{page} has no line {MARKER}; restore it")
    if not plot(result, root / PICTURE):
        raise UserError("matplotlib draws the picture; pip install 'edgecore[bench]'")
    picture = f"![How many times faster edgecore is](../{PICTURE.as_posix()})"
    page.write_text(f"{head}{marker}\n\n{markdown(result)}\n{picture}\n", encoding="utf-8")


def plot(result: dict[str, Any], path: Path) -> bool:
    """Draw how many times faster edgecore is than each peer; False without matplotlib."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = OURS
    from matplotlib import pyplot

    peers = [name for name, version in result["runtimes"].items() if version and name != OURS]
    counts = sorted({row["threads"] for row in result["rows"]})
    models = list(dict.fromkeys(row["model"] for row in result["rows"]))
    figure, axes = pyplot.subplots(
        1, len(peers), figsize=(9, 0.9 + 0.36 * len(models)), sharey=True, squeeze=False, layout="constrained"
    )
    height = 0.8 / len(counts)
    for axis, peer in zip(axes[0], peers, strict=True):
        for number, threads in enumerate(counts):
            values = {
                model: ratio(rows[peer], rows[OURS])[0]
                for model, count, rows in groups(result)
                if count == threads
            }
            places = [index + (number - (len(counts) - 1) / 2) * height for index in range(len(models))]
            label = f"{threads} thread{'s' if threads > 1 else ''}"
            bars = axis.barh(places, [values.get(model, 0.0) for model in models], height, label=label)
            axis.bar_label(bars, fmt="%.1f", padding=2, fontsize=7)
        axis.axvline(1, color="black", linewidth=0.8)
        axis.set_title(f"times faster than {peer} {result['runtimes'][peer]}", fontsize=9)
        axis.margins(x=0.12)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0][0].set_yticks(range(len(models)), models, fontsize=8)
    axes[0][0].invert_yaxis()
    axes[0][-1].legend(fontsize=8, loc="lower right")
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    return True
