"""The epochs of a run, and what follows from them alone: the best one, the plateau's factor, when to stop."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from edgecore.converters.recipes.settings import Training


@dataclass(frozen=True)
class Epoch:
    """A line of metrics.csv.

    `loss` and `accuracy` are means over the epoch's steps, on varied images and changing weights; those with
    `val_` are of the weights after the epoch, on the validation part. `rate` is that of the last step.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    val_miou: float
    rate: float
    seconds: float

    @property
    def merit(self) -> tuple[float, float]:
        """What makes an epoch the better one: its validation accuracy, then its validation loss."""
        return self.val_accuracy, -self.val_loss


def as_csv(history: Sequence[Epoch]) -> str:
    """metrics.csv: a header and a line per epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [entry.name for entry in fields(Epoch)], lineterminator="\n")
    writer.writeheader()
    writer.writerows({**asdict(epoch), "rate": f"{epoch.rate:.6g}"} for epoch in history)
    return text.getvalue()


def best(history: Sequence[Epoch]) -> Epoch:
    """The first epoch of the highest merit; there must be one."""
    return max(history, key=lambda epoch: epoch.merit)


def is_over(history: Sequence[Epoch], settings: Training) -> bool:
    """Whether all epochs are done, or so many that early stopping ends the run."""
    if not history:
        return False
    waited = history[-1].epoch - best(history).epoch
    return len(history) >= settings.epochs or (0 < settings.patience <= waited)


def plateau_factor(history: Sequence[Epoch], settings: Training) -> float:
    """What the schedule "plateau" multiplies the rate by: each wait without a lower loss lowers it once."""
    factor, lowest, waited = 1.0, float("inf"), 0
    for epoch in history:
        if epoch.val_loss < lowest:
            lowest, waited = epoch.val_loss, 0
            continue
        waited += 1
        if waited >= settings.plateau_patience:
            least = min(1.0, settings.least_rate / settings.rate)
            factor, waited = max(factor * settings.plateau_factor, least), 0
    return factor
