"""The table of a cross-validation that `edgecore train --folds` leaves, folds.csv."""

from __future__ import annotations

import csv
import statistics
from dataclasses import dataclass
from pathlib import Path

from edgecore.converters.training.folds import summary
from edgecore.errors import UserError


@dataclass(frozen=True)
class Folds:
    """The accuracy on each fold's held-out images, in the order of the folds."""

    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Of the accuracies."""
        return statistics.mean(self.accuracies)

    @property
    def spread(self) -> tuple[float, float] | None:
        """Variance and standard deviation, see `training.folds.summary`; None of one fold."""
        return summary(list(self.accuracies))[1:] if len(self.accuracies) > 1 else None


def read(path: Path) -> Folds:
    """Reads the columns fold and accuracy; rows whose fold is no number are sums of the others.

    Raises UserError: the file does not read, or holds no fold.
    """
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            rows = [row for row in csv.DictReader(lines) if (row["fold"] or "").isdigit()]
        accuracies = tuple(float(row["accuracy"]) for row in rows)
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise UserError(
            f"{path} does not read as a table with the columns fold and accuracy: {error}"
        ) from error
    if not accuracies:
        raise UserError(f"{path} holds no finished fold; go on with its `edgecore train` and --resume")
    return Folds(accuracies)
