"""Pictures of a training run: its curves, and the confusion matrix of its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgecore.converters.evaluate import Report

TRAINING, VALIDATION, RATE = "#9a9a9a", "#1f5fa8", "#c0562b"


def curves(epochs: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draws loss, accuracy and learning rate over the epochs, rows of metrics.csv, into a PNG."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(10, 3.4), dpi=130, layout="constrained")
    numbers = [row["epoch"] for row in epochs]
    marker = "o" if len(epochs) < 30 else ""
    top = max(epochs, key=lambda row: (row["val_accuracy"], -row["val_loss"]))
    for axes, name in zip(figure.subplots(1, 3), ("loss", "accuracy", "rate"), strict=True):
        if name == "rate":
            axes.plot(numbers, [row["rate"] for row in epochs], color=RATE, marker=marker, markersize=3)
            axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
            axes.set_ylim(bottom=0)
        else:
            for key, label, colour in (
                (name, "training", TRAINING),
                (f"val_{name}", "validation", VALIDATION),
            ):
                axes.plot(
                    numbers,
                    [row[key] for row in epochs],
                    color=colour,
                    marker=marker,
                    markersize=3,
                    label=label,
                )
            axes.plot(top["epoch"], top[f"val_{name}"], "o", color=VALIDATION, markersize=7, fillstyle="none")
            axes.annotate(
                f"{top[f'val_{name}']:.3f}",
                (top["epoch"], top[f"val_{name}"]),
                xytext=(0, -14 if name == "accuracy" else 8),
                textcoords="offset points",
                ha="right" if top["epoch"] > sum(numbers) / len(numbers) else "left",
                color=VALIDATION,
            )
            axes.legend(frameon=False)
        axes.set_title("learning rate" if name == "rate" else name)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.3)
    figure.savefig(path)


def confusion(report: Report, path: Path) -> None:
    """Draws the confusion matrix into a PNG: a row per true class, shaded by its share of that class."""
    import numpy as np
    from matplotlib.figure import Figure

    count = len(report.classes)
    side = min(24.0, max(4.0, 1.6 + 0.55 * count))
    figure = Figure(figsize=(side + 0.8, side), dpi=130 if count <= 40 else 80, layout="constrained")
    axes = figure.subplots()
    totals = report.confusion.sum(axis=1, keepdims=True)
    shares = report.confusion / np.maximum(totals, 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, shrink=0.7, label="share of the true class")
    axes.set_xticks(range(count), report.classes, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(count), report.classes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(
        f"accuracy {report.accuracy:.4f}, mIoU {report.miou:.4f}, {report.images} images", fontsize="medium"
    )
    axes.tick_params(length=0)
    if count <= 40:
        for (row, column), number in _cells(report.confusion):
            if number:
                colour = "white" if shares[row, column] > 0.55 else "black"
                axes.text(column, row, str(number), ha="center", va="center", color=colour, fontsize="small")
    figure.savefig(path)


def _cells(matrix: Any) -> Any:
    import numpy as np

    return np.ndenumerate(matrix)
