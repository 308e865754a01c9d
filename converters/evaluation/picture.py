"""Accuracy against latency and against size: a point for each float and each int8 model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgecore.converters.evaluation.evaluation import ENGINE, FLOAT, Evaluation, Run
from edgecore.converters.plots import without_glyph_warnings
from edgecore.errors import UserError

Value = Callable[[Run], float | None]
PANELS: tuple[tuple[str, Value], ...] = (
    ("ms of one inference", lambda run: run.milliseconds),
    ("MB", lambda run: None if run.size is None else run.size / 1e6),
)
LEGEND = {FLOAT: ("float, interpreter", "white"), ENGINE: ("int8, edgecore", "#444444")}
COLOURS = "tab10"
SPOT = 8  # pixels that a label should keep from what is drawn
# Where a label may stand beside its point: points to the right and up, and its alignment.
PLACES = [
    (
        right * distance,
        up * distance,
        {1: "left", 0: "center", -1: "right"}[right],
        {1: "bottom", 0: "center", -1: "top"}[up],
    )
    for distance in (7, 12, 22)
    for right, up in ((1, 1), (1, -1), (1, 0), (-1, 1), (-1, -1), (-1, 0), (0, 1), (0, -1))
]


class Point(NamedTuple):
    """A model's place in a panel, and the ends of its accuracy's interval."""

    x: float
    accuracy: float
    low: float
    high: float


def draw(rows: Sequence[Evaluation], paths: Sequence[Path]) -> None:
    """Draws one picture, with a panel for latency and one for size where they are known, into each path.

    Vertical lines are the accuracies' 95 % intervals; a thin line joins the two forms of a network.

    Raises UserError: a path cannot be written. Needs matplotlib.
    """
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    known = [panel for panel in PANELS if any(panel[1](run) is not None for row in rows for run in row.runs)]
    if not known:
        return
    figure = Figure(figsize=(1.2 + 5.4 * len(known), 4.8), layout="constrained")
    axes = figure.subplots(1, len(known), sharey=True, squeeze=False)[0]
    for axis, (title, value) in zip(axes, known, strict=True):
        _panel(axis, rows, value)
        axis.set_xlabel(title)
    axes[0].set_ylabel("accuracy")
    kinds = [
        Line2D([], [], marker="o", linestyle="", color="#444444", markerfacecolor=face, label=label)
        for label, face in LEGEND.values()
    ]
    figure.legend(handles=kinds, loc="outside upper center", ncols=2, frameon=False)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # every further drawing would move things a little
    # With a fixed salt the SVG has the same bytes every time.
    with without_glyph_warnings(), matplotlib.rc_context({"svg.hashsalt": "edgecore"}):
        for axis, (_, value) in zip(axes, known, strict=True):
            _label(axis, rows, value)
        for path in paths:
            try:
                figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
            except OSError as error:
                raise UserError(f"cannot write {path}: {error.strerror}; choose another --out") from error


def _points(row: Evaluation, value: Value) -> dict[str, Point]:
    found = {}
    for name in LEGEND:
        run = row.run(name)
        x = None if run is None else value(run)
        if run is not None and x is not None:
            found[name] = Point(x, run.report.accuracy, *run.report.accuracy_interval)
    return found


def _colours(count: int) -> list[Any]:
    from matplotlib import colormaps

    colours = colormaps[COLOURS](range(10))
    return [colours[number % len(colours)] for number in range(count)]


def _panel(axis: Any, rows: Sequence[Evaluation], value: Value) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for row, colour in zip(rows, _colours(len(rows)), strict=True):
        points = _points(row, value)
        line = [point[:2] for point in points.values()]
        axis.plot(*np.transpose(line or np.empty((0, 2))), color=colour, alpha=0.35, linewidth=1, zorder=1)
        for name, point in points.items():
            axis.vlines(point.x, point.low, point.high, color=colour, linewidth=1.2, alpha=0.35, zorder=2)
            face = "white" if name == FLOAT else colour
            axis.plot(*point[:2], "o", color=colour, markerfacecolor=face, markersize=7, zorder=3)
    axis.set_xscale("log")
    axis.margins(x=0.2, y=0.08)
    low, high = axis.get_xlim()
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high > 20 * low else (1, 1.5, 2, 3, 4, 5, 7)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)


def _label(axis: Any, rows: Sequence[Evaluation], value: Value) -> None:
    """Names each network beside its int8 point, where it covers the least of points and other names."""
    from matplotlib.transforms import Bbox

    def box_at(place: Any) -> Any:
        return Bbox.from_bounds(place[0] - SPOT / 2, place[1] - SPOT / 2, SPOT, SPOT)

    taken = [box_at(place) for row in rows for place in _drawn(axis, row, value)]
    labels: list[Any] = []
    inside = axis.get_window_extent()
    for row, colour in zip(rows, _colours(len(rows)), strict=True):
        points = _points(row, value)
        if not points:
            continue
        point = points.get(ENGINE) or points[FLOAT]
        tried: list[tuple[float, int, Any, Any]] = []
        for right, up, horizontal, vertical in PLACES:
            text = axis.annotate(
                row.name,
                point[:2],
                xytext=(right, up),
                textcoords="offset points",
                ha=horizontal,
                va=vertical,
                fontsize=9,
                color=colour,
                zorder=4,
                parse_math=False,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.5},
            )
            box = text.get_window_extent()
            covered = sum(_overlap(box, other) for other in taken)
            illegible = sum(_overlap(box, other) for other in labels)
            illegible += box.width * box.height - _overlap(box, inside)
            text.remove()
            tried.append((covered + 10 * illegible, len(tried), text, box))
        _, _, text, box = min(tried, key=lambda place: place[:2])
        axis.add_artist(text)
        labels.append(box)


def _drawn(axis: Any, row: Evaluation, value: Value) -> NDArray[np.float64]:
    """Places on a network's points, intervals and line, in pixels (n, 2), close enough to stand for them."""
    points = _points(row, value).values()
    lines = [[(point.x, point.low), (point.x, point.high)] for point in points]
    lines.append([point[:2] for point in points])
    steps = np.linspace(0, 1, 30)[:, None]
    ends = [axis.transData.transform(line) for line in lines if line]
    return np.concatenate([line[0] + (line[-1] - line[0]) * steps for line in ends] or [np.empty((0, 2))])


def _overlap(one: Any, other: Any) -> float:
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return max(0.0, width) * max(0.0, height)
