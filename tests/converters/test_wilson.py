"""Wilson's interval against published values and against its own definition."""

from __future__ import annotations

import math

import pytest

from edgecore.converters.wilson import Z, interval


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_values(hits: int, of: int, low: float, high: float) -> None:
    assert interval(hits, of) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("hits", "of"), [(1, 2), (7, 9), (5000, 10_000), (9_999, 10_000)])
def test_the_share_is_z_deviations_from_both_ends(hits: int, of: int) -> None:
    for end in interval(hits, of):
        assert abs(hits / of - end) / math.sqrt(end * (1 - end) / of) == pytest.approx(Z, rel=1e-6)


def test_the_ends_hold_the_share_and_nothing_has_no_interval() -> None:
    for of in (1, 3, 49, 10_000):
        assert interval(0, of)[0] == 0
        assert interval(of, of)[1] == 1
    assert all(map(math.isnan, interval(0, 0)))
