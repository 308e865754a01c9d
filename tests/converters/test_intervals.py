"""Wilson intervals against figures worked out by hand from the formula."""

from __future__ import annotations

import pytest

from edgecore.converters.intervals import wilson


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (5, 10, 0.2366, 0.7634),
        (1, 10, 0.0179, 0.4042),
        (81, 100, 0.7222, 0.8749),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_a_wider_interval_for_more_certainty() -> None:
    low, high = wilson(5, 10, z=2.576)
    assert low < wilson(5, 10)[0]
    assert high > wilson(5, 10)[1]
