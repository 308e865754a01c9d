"""Many models on the same images as one table: text, Markdown and CSV.

The columns are those of Table 1 of the Res-SqueezeNet paper, for the float and the int8 model each; a
cross-validation gets a table like Table II of the SPP-COVID-Net paper.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgecore.converters.evaluation.evaluation import ENGINE, FLOAT, INTERPRETER, Evaluation, Run
from edgecore.converters.evaluation.folds import Folds
from edgecore.converters.evaluation.text import NOTHING, between, megabytes, milliseconds, share
from edgecore.table import table

Value = Callable[[Run], float | None]


@dataclass(frozen=True)
class CrossValidated:
    """A network that was trained once for each fold; `parameters` None: not known."""

    name: str
    parameters: int | None
    folds: Folds


@dataclass(frozen=True)
class Column:
    """A figure of the float or the int8 model; `sign` is 1 where more is better, else -1."""

    title: str
    run: str
    value: Value
    shown: Callable[[Run], str]
    sign: int


def _accuracy(run: Run) -> str:
    return f"{share(run.report.accuracy)} ({between(run.report.accuracy_interval)})"


COLUMNS = [
    Column(f"{title}, {kind}", run, value, shown, sign)
    for title, value, shown, sign in (
        ("accuracy", lambda run: run.report.accuracy, _accuracy, 1),
        ("mIoU", lambda run: run.report.miou, lambda run: share(run.report.miou), 1),
        ("ms", lambda run: run.milliseconds, lambda run: milliseconds(run.milliseconds), -1),
        ("MB", lambda run: run.size, lambda run: megabytes(run.size), -1),
    )
    for kind, run in (("float", FLOAT), ("int8", ENGINE))
]


def _cells(found: Evaluation, emphasis: Callable[[Column, Run, str], str]) -> list[str]:
    cells = [found.name, f"{found.parameters:,}"]
    for column in COLUMNS:
        run = found.run(column.run)
        cells.append(NOTHING if run is None else emphasis(column, run, column.shown(run)))
    return cells


def as_text(rows: Sequence[Evaluation]) -> str:
    """The table for a terminal."""
    head = ["model", "parameters", *(column.title for column in COLUMNS)]
    return table(head, [_cells(row, lambda _column, _run, cell: cell) for row in rows], left=(0,))


def as_markdown(rows: Sequence[Evaluation]) -> str:
    """The table for a paper or a README; the best of each column is bold where there are several models."""
    best: dict[str, float] = {}
    for column in COLUMNS:
        values = [column.value(run) for row in rows if (run := row.run(column.run)) is not None]
        known = [column.sign * value for value in values if value is not None]
        if len(known) > 1:
            best[column.title] = max(known)

    def emphasis(column: Column, run: Run, cell: str) -> str:
        value = column.value(run)
        bold = value is not None and column.sign * value == best.get(column.title)
        return f"**{cell}**" if bold else cell

    head = ["model", "parameters", *(column.title for column in COLUMNS)]
    return _markdown(head, [_cells(row, emphasis) for row in rows])


def explanation(rows: Sequence[Evaluation], data: str, machine: str) -> str:
    """What the figures of the table are and where they come from, in a few sentences."""
    first = rows[0]
    threads = "1 thread" if first.threads == 1 else f"{first.threads} threads"
    runtimes = {name: run.runtime for row in rows for name in (FLOAT, ENGINE) if (run := row.run(name))}
    ran = "; ".join(f"{'int8' if name == ENGINE else name}: {runtime}" for name, runtime in runtimes.items())
    text = (
        f"{first.shipped.report.images:,} images of {data}, {len(first.shipped.report.classes)} classes. "
        f"Answers by {ran}. Accuracy with Wilson's 95 % interval; mIoU: mean over the classes of "
        "TP / (TP + FP + FN)."
    )
    if any(run.milliseconds is not None for row in rows for run in row.runs):
        text += (
            f" ms: median of one inference at batch 1 on {threads}, float: in the TFLite interpreter, int8: "
            f"in edgecore's engine, on {machine}."
        )
    return text + " MB: 10^6 bytes of the .tflite."


def as_csv(rows: Sequence[Evaluation]) -> str:
    """Everything, a line per model: shares from 0 to 1, milliseconds, bytes; empty where there is none."""
    lines: list[dict[str, object]] = []
    for row in rows:
        report = row.shipped.report
        line: dict[str, object] = {
            "model": row.name,
            "parameters": row.parameters,
            "images": report.images,
            "skipped": row.skipped,
            "threads": row.threads,
        }
        for prefix, name in (("float", FLOAT), ("interpreter", INTERPRETER), ("int8", ENGINE)):
            line |= _figures(prefix, row.run(name), report.images)
        lines.append(line)
    text = io.StringIO()
    writer = csv.DictWriter(text, lines[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def _figures(prefix: str, run: Run | None, images: int) -> dict[str, object]:
    names = ["accuracy", "accuracy_low", "accuracy_high", "miou", "ms", "bytes"]
    values: list[object] = [None] * len(names)
    if run is not None:
        report = run.report
        values = [report.accuracy, *report.accuracy_interval, report.miou, run.milliseconds, run.size]
    if prefix != "int8":
        names.append("as_the_engine")
        values.append(None if run is None or run.same_answers is None else run.same_answers / images)
    return {f"{prefix}_{name}": value for name, value in zip(names, values, strict=True)}


FOLDS_EXPLAINED = (
    "Accuracy on the held-out images of each fold; the variance is that of a sample, over n - 1."
)


def folds_markdown(rows: Sequence[CrossValidated]) -> str:
    """The accuracy on each fold, their mean, variance and standard deviation."""
    head, lines = _folds(rows)
    return _markdown(head, lines)


def folds_text(rows: Sequence[CrossValidated]) -> str:
    """The same for a terminal."""
    head, lines = _folds(rows)
    return table(head, lines, left=(0,))


def _folds(rows: Sequence[CrossValidated]) -> tuple[list[str], list[list[str]]]:
    count = max(len(row.folds.accuracies) for row in rows)
    head = ["model", "parameters", *(f"fold {number + 1}" for number in range(count))]
    head += ["mean accuracy", "variance", "standard deviation"]
    lines = []
    for row in rows:
        folds = row.folds
        cells = [share(value) for value in folds.accuracies] + [NOTHING] * (count - len(folds.accuracies))
        spread = [f"{value:.3g}" for value in folds.spread] if folds.spread else [NOTHING, NOTHING]
        parameters = NOTHING if row.parameters is None else f"{row.parameters:,}"
        lines.append([row.name, parameters, *cells, share(folds.mean), *spread])
    return head, lines


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(head) - 1)]
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    return "".join("| " + " | ".join(row) + " |\n" for row in (head, rule, *escaped))
