"""A comparison as a picture: how many times faster edgecore is than each peer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgecore.benchmarks.environments import OURS


def plot(result: dict[str, Any], path: Path) -> bool:
    """Draws one column of bars per peer; False without matplotlib, or without a peer."""
    from edgecore.benchmarks.report import groups, peers_of, ratio

    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = OURS
    from matplotlib import pyplot

    peers = peers_of(result)
    if not peers:
        return False
    counts = sorted({row["threads"] for row in result["rows"]})
    models = list(dict.fromkeys(row["model"] for row in result["rows"]))
    figure, axes = pyplot.subplots(
        1,
        len(peers),
        figsize=(2.2 + 2.6 * len(peers), 0.9 + 0.36 * len(models)),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    height = 0.8 / len(counts)
    for axis, peer in zip(axes[0], peers, strict=True):
        for number, threads in enumerate(counts):
            values = {
                model: ratio(rows[peer], rows[OURS])[0]
                for model, count, rows in groups(result)
                if count == threads and peer in rows
            }
            places = [models.index(model) + (number - (len(counts) - 1) / 2) * height for model in values]
            label = f"{threads} thread{'s' if threads > 1 else ''}"
            bars = axis.barh(places, list(values.values()), height, label=label)
            axis.bar_label(bars, fmt="%.1f", padding=2, fontsize=7)
        axis.axvline(1, color="black", linewidth=0.8)
        axis.set_title(f"times faster than\n{peer} {result['runtimes'][peer]}", fontsize=9)
        axis.margins(x=0.15)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0][0].set_yticks(range(len(models)), models, fontsize=8)
    axes[0][0].invert_yaxis()
    figure.legend(*axes[0][0].get_legend_handles_labels(), fontsize=8, loc="outside lower center", ncols=2)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    return True
