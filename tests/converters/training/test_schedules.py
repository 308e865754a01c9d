"""Learning rates over a run: where they rise, where they end, and that the published shapes are met."""

from __future__ import annotations

import math

import pytest

from edgecore.converters.recipes import Training
from edgecore.converters.training.schedules import rate_at

STEPS = 10


def rates(**settings: float | str | int) -> list[float]:
    """The rate of every step of a run with 10 steps an epoch."""
    training = Training(**{"epochs": 11, "rate": 0.5, "warmup": 1, **settings})  # type: ignore[arg-type]
    return [rate_at(training, step, STEPS) for step in range(training.epochs * STEPS + 1)]


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant", "plateau"])
def test_the_rate_rises_linearly_over_the_warm_up(schedule: str) -> None:
    assert rates(schedule=schedule)[:STEPS] == pytest.approx([0.05 * (step + 1) for step in range(STEPS)])


def test_linear_falls_to_zero() -> None:
    values = rates(schedule="linear")
    assert [values[10], values[60], values[110]] == pytest.approx([0.5, 0.25, 0.0])


def test_cosine_falls_along_half_a_cosine() -> None:
    values = rates(schedule="cosine")
    assert [values[10], values[35], values[60], values[110]] == pytest.approx(
        [0.5, 0.25 * (1 + math.cos(math.pi / 4)), 0.25, 0.0]
    )


def test_constant_stays_and_a_plateau_scales_it() -> None:
    assert set(rates(schedule="constant", warmup=0)) == {0.5}
    training = Training(epochs=3, rate=0.5, warmup=0, schedule="plateau")
    assert rate_at(training, 12, STEPS, factor=0.1) == pytest.approx(0.05)


def test_one_cycle_begins_at_a_25th_tops_after_three_tenths_and_ends_near_zero() -> None:
    values = rates(schedule="onecycle", epochs=10, warmup=0)
    assert [values[0], values[30], values[100]] == pytest.approx([0.02, 0.5, 0.5 / 25e4])
    assert max(values) == values[30]
    assert values[:31] == sorted(values[:31])
    assert values[30:] == sorted(values[30:], reverse=True)
