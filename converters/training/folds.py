"""Cross-validation: a run for each held-out part, and what their accuracies come to."""

from __future__ import annotations

import csv
import io
import statistics
from dataclasses import dataclass
from pathlib import Path

from edgecore.converters.training import files

TABLE = "folds.csv"


@dataclass(frozen=True)
class Fold:
    """The result of one fold, on its held-out images."""

    number: int
    images: int
    accuracy: float
    miou: float
    epoch: int


def folder_of(out: Path, number: int) -> Path:
    """Where fold `number`, counted from 1, is trained."""
    return out / f"fold{number}"


def is_begun(out: Path, number: int) -> bool:
    """Whether there is something of a fold to resume."""
    return (folder_of(out, number) / files.CONFIG).exists()


def results(out: Path, count: int) -> list[Fold]:
    """What the finished ones of `count` folds came to."""
    found = (result_of(out, number) for number in range(1, count + 1))
    return [fold for fold in found if fold is not None]


def result_of(out: Path, number: int) -> Fold | None:
    """What a finished fold came to; None: it is not finished."""
    path = folder_of(out, number) / files.REPORT
    if not path.exists():
        return None
    report = files.read_json(path)
    return Fold(number, report["images"], report["accuracy"], report["miou"], report["epoch"])


def summary(accuracies: list[float]) -> tuple[float, float, float]:
    """(mean, variance, standard deviation) of two or more accuracies.

    The variance is that of a sample, over n - 1, which reproduces Table II of the SPP-COVID-Net paper.
    """
    return statistics.mean(accuracies), statistics.variance(accuracies), statistics.stdev(accuracies)


def write_table(path: Path, finished: list[Fold]) -> None:
    """folds.csv: a line per fold, then mean, variance and standard deviation of the accuracy."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["fold", "images", "epoch", "accuracy", "miou"])
    lines.writerows([fold.number, fold.images, fold.epoch, fold.accuracy, fold.miou] for fold in finished)
    if len(finished) > 1:
        names = ("mean", "variance", "standard deviation")
        for name, value in zip(names, summary([fold.accuracy for fold in finished]), strict=True):
            lines.writerow([name, "", "", value, ""])
    files.write_text(path, text.getvalue())


def as_text(finished: list[Fold], name: str) -> str:
    """The table of the paper as Markdown: accuracy of each fold, mean, variance, standard deviation."""
    heads = [f"fold {fold.number}" for fold in finished]
    cells = [f"{fold.accuracy:.4f}" for fold in finished]
    if len(finished) > 1:
        heads += ["mean", "variance", "standard deviation"]
        mean, variance, deviation = summary([fold.accuracy for fold in finished])
        cells += [f"{mean:.4f}", f"{variance:.3g}", f"{deviation:.3g}"]
    rows = (["model", *heads], ["---"] * (len(heads) + 1), [name, *cells])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
