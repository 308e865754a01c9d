"""What a run's epochs decide: the best one, when to stop, and when a plateau lowers the rate."""

from __future__ import annotations

import csv
import io

import pytest

from edgecore.converters.recipes import Training
from edgecore.converters.training.history import Epoch, as_csv, best, is_over, plateau_factor


def epochs(*results: tuple[float, float]) -> list[Epoch]:
    """A history of (validation loss, validation accuracy)."""
    return [
        Epoch(number, 1.0, 0.5, loss, accuracy, accuracy / 2, 0.1, 1.0)
        for number, (loss, accuracy) in enumerate(results, start=1)
    ]


def test_the_best_epoch_has_the_highest_accuracy_then_the_lowest_loss_then_came_first() -> None:
    assert best(epochs((1.0, 0.5), (2.0, 0.9), (1.0, 0.8))).epoch == 2
    assert best(epochs((1.0, 0.9), (0.5, 0.9), (0.5, 0.9))).epoch == 2


def test_a_run_ends_with_its_epochs_or_when_patience_does() -> None:
    history = epochs((1.0, 0.5), (0.9, 0.6), (0.9, 0.6), (0.9, 0.6))
    assert not is_over([], Training(epochs=1))
    assert is_over(history, Training(epochs=4))
    assert not is_over(history, Training(epochs=5))
    assert not is_over(history, Training(epochs=5, patience=3))
    assert is_over(history, Training(epochs=5, patience=2))


def test_a_plateau_lowers_the_rate_once_for_each_wait_down_to_the_least() -> None:
    settings = Training(schedule="plateau", rate=0.1, plateau_patience=2, plateau_factor=0.1, least_rate=5e-4)
    losses = [1.0, 0.9, 0.9, 0.95, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8]
    factors = [plateau_factor(epochs(*((x, 0.5) for x in losses[:n])), settings) for n in range(len(losses))]
    assert factors == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.005, 0.005])


def test_metrics_are_a_line_per_epoch_that_read_back() -> None:
    history = epochs((1.25, 0.5), (0.75, 0.625))
    rows = list(csv.DictReader(io.StringIO(as_csv(history))))
    assert list(rows[0]) == [
        *("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "val_miou", "rate", "seconds")
    ]
    assert [(row["epoch"], float(row["val_loss"]), float(row["val_accuracy"])) for row in rows] == [
        ("1", 1.25, 0.5),
        ("2", 0.75, 0.625),
    ]
