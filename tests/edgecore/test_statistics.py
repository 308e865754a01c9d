"""Percentiles, exact and streamed."""

from __future__ import annotations

import numpy as np
import pytest

from edgecore.statistics import Histogram, percentile


def test_nearest_rank() -> None:
    assert [percentile([1, 2, 3, 4], rank) for rank in (1, 25, 26, 50, 75, 99, 100)] == [1, 1, 2, 2, 3, 4, 4]
    assert percentile([7.5], 50) == 7.5
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 50)


def test_histogram_is_within_a_percent() -> None:
    values = np.random.default_rng(1).lognormal(-6, 1.5, 20_000)
    histogram = Histogram()
    for value in values:
        histogram.add(float(value))
    ordered = sorted(values.tolist())
    for rank in (1, 50, 90, 95, 99, 99.9):
        assert histogram.percentile(rank) == pytest.approx(percentile(ordered, rank), rel=0.01)
    assert histogram.mean == pytest.approx(values.mean())
    assert histogram.count == 20_000


def test_histogram_holds_anything() -> None:
    histogram = Histogram()
    assert histogram.percentile(50) == 0 and histogram.mean == 0
    for value in (0.0, 1e-12, 1e9):
        histogram.add(value)
    assert histogram.percentile(1) < 1e-6 and histogram.percentile(100) > 9e3
