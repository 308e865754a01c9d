"""Evaluations for people, as columns of text."""

from __future__ import annotations

import math

from edgecore.converters.evaluation.evaluation import ENGINE, FLOAT, INTERPRETER, REFERENCE, Evaluation
from edgecore.converters.evaluation.report import Interval, Report, intervals
from edgecore.table import table

TITLES = {
    FLOAT: "float, Keras",
    INTERPRETER: "int8, interpreter",
    REFERENCE: "int8, reference kernels",
    ENGINE: "int8, engine",
}
NOTHING = "-"


def share(value: float | None) -> str:
    """Four digits, or a dash for what has no value."""
    return NOTHING if value is None or math.isnan(value) else f"{value:.4f}"


def between(pair: Interval) -> str:
    """Both ends of an interval, or a dash."""
    return NOTHING if math.isnan(pair[0]) else f"{pair[0]:.4f}-{pair[1]:.4f}"


def milliseconds(value: float | None) -> str:
    """Three significant digits at least."""
    if value is None:
        return NOTHING
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def megabytes(value: int | None) -> str:
    """10^6 bytes."""
    return NOTHING if value is None else f"{value / 1e6:.2f}"


def summary(found: Evaluation) -> str:
    """A row for each way of running the model, and what the figures are."""
    images = found.shipped.report.images
    head = ("", "accuracy", "95 % interval", "mIoU", "as the engine", "same bytes", "ms", "MB")
    rows = []
    for run in found.runs:
        same = NOTHING if run.same_answers is None else f"{run.same_answers / images:.2%}"
        equal = (
            NOTHING
            if run.same_bytes is None
            else "all"
            if run.same_bytes == images
            else f"{run.same_bytes / images:.2%}"
        )
        accuracy = (share(run.report.accuracy), between(run.report.accuracy_interval), share(run.report.miou))
        size = (milliseconds(run.milliseconds), megabytes(run.size))
        rows.append((TITLES[run.name], *accuracy, same, equal, *size))
    lines = [table(head, rows, left=(0,))]
    if any(run.milliseconds is not None for run in found.runs):
        threads = "1 thread" if found.threads == 1 else f"{found.threads} threads"
        whole = "; float: its .tflite in the interpreter" if found.run(FLOAT) else ""
        lines.append(f"ms: median of one inference at batch 1 on {threads}{whole}. MB: 10^6 bytes.")
    return "\n".join(lines)


def by_class(report: Report) -> str:
    """A row for each class: precision, recall and IoU with their 95 % intervals."""
    head = ["class", "images"]
    columns = [list(report.classes), [str(count) for count in report.occurring]]
    for title, values, of in (
        ("precision", report.precision, report.answered),
        ("recall", report.recall, report.occurring),
        ("IoU", report.iou, report.union),
    ):
        head += [title, "95 % interval"]
        columns += [
            [share(value) for value in values],
            [between(pair) for pair in intervals(report.hits, of)],
        ]
    return table(head, list(zip(*columns, strict=True)), left=(0,))


def confusion(report: Report) -> str:
    """The confusion matrix: a row per true class, a column per predicted one, in the same order."""
    width = max(len(name) for name in report.classes)
    cell = max(5, len(str(report.confusion.max())) + 1)
    rows = [
        f"{name:<{width}}" + "".join(f"{count:{cell}d}" for count in report.confusion[index])
        for index, name in enumerate(report.classes)
    ]
    return "\n".join(rows)
