"""Pictures of a training run: its curves, and the confusion matrix of its result."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgecore.converters.evaluate import Report

TRAINING, VALIDATION, RATE = "#9a9a9a", "#1f5fa8", "#c0562b"


@contextlib.contextmanager
def without_glyph_warnings() -> Iterator[None]:
    """Names in letters that the font does not have are drawn as boxes, without a complaint about each."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+", UserWarning)
        yield


def curves(epochs: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draws loss, accuracy and learning rate over the epochs, rows of metrics.csv, into a PNG.

    The best epoch is marked: that of the highest validation accuracy, then the lowest loss.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(10, 3.4), dpi=130, layout="constrained")
    top = max(epochs, key=lambda row: (row["val_accuracy"], -row["val_loss"]))
    for axes, name in zip(figure.subplots(1, 3), ("loss", "accuracy", "rate"), strict=True):
        if name == "rate":
            _line(axes, epochs, name, RATE)
            axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
            axes.set_ylim(bottom=0)
        else:
            _line(axes, epochs, name, TRAINING, "training")
            _line(axes, epochs, f"val_{name}", VALIDATION, "validation")
            _mark(axes, top["epoch"], top[f"val_{name}"], above=name == "loss")
            axes.legend(frameon=False)
        axes.set_title("learning rate" if name == "rate" else name)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.3)
    figure.savefig(path)


def _line(
    axes: Any, epochs: Sequence[Mapping[str, float]], key: str, colour: str, label: str | None = None
) -> None:
    marker = "o" if len(epochs) < 30 else ""
    values = [row[key] for row in epochs]
    numbers = [row["epoch"] for row in epochs]
    axes.plot(numbers, values, color=colour, marker=marker, markersize=3, label=label, clip_on=False)


def _mark(axes: Any, epoch: float, value: float, *, above: bool) -> None:
    """A ring around a point, and its value beside it."""
    from matplotlib.patheffects import withStroke

    axes.plot(epoch, value, "o", color=VALIDATION, markersize=7, fillstyle="none")
    first, last = axes.get_xlim()
    axes.annotate(
        f"{value:.3f}",
        (epoch, value),
        xytext=(0, 8 if above else -16),
        textcoords="offset points",
        ha="right" if epoch > (first + last) / 2 else "left",
        color=VALIDATION,
        path_effects=[withStroke(linewidth=3, foreground="white")],
    )


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
    axes.set_xticks(
        range(count), report.classes, rotation=45, ha="right", rotation_mode="anchor", parse_math=False
    )
    axes.set_yticks(range(count), report.classes, parse_math=False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(
        f"accuracy {report.accuracy:.4f}, mIoU {report.miou:.4f}, {report.images} images", fontsize="medium"
    )
    axes.tick_params(length=0)
    if count <= 40:
        for (row, column), number in np.ndenumerate(report.confusion):
            if number:
                colour = "white" if shares[row, column] > 0.55 else "black"
                axes.text(column, row, str(number), ha="center", va="center", color=colour, fontsize="small")
    with without_glyph_warnings():
        figure.savefig(path)
