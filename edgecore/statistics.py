"""Percentiles: exact ones of a measurement, and of an endless stream in constant memory."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

# How many samples a percentile needs before it may be believed: 99 % confidence, early stopping of MLPerf
# LoadGen.
SAMPLES_NEEDED = {50: 1, 90: 64, 95: 130, 99: 662}


def percentile(ordered: Sequence[float], rank: float) -> float:
    """The nearest-rank percentile (0 < rank <= 100) of samples that are already sorted."""
    if not ordered:
        raise ValueError("no samples")
    return ordered[max(math.ceil(len(ordered) * rank / 100), 1) - 1]


class Recent:
    """The last values of an endless stream, as many as a status line is about."""

    LENGTH = 256

    def __init__(self) -> None:
        self._values: deque[float] = deque(maxlen=self.LENGTH)

    def add(self, value: float) -> None:
        """Takes a value, and forgets the oldest."""
        self._values.append(value)

    def percentiles(self, *ranks: float) -> tuple[float, ...]:
        """The percentiles; zeros without values."""
        ordered = sorted(self._values)
        return tuple(percentile(ordered, rank) if ordered else 0.0 for rank in ranks)


class Histogram:
    """Counts of values in buckets 1 % wide, from 1e-7 to 1e4: a percentile is within 1 % of the exact one."""

    LOWEST = 1e-7
    RATIO = 1.01
    BUCKETS = math.ceil(math.log(1e11) / math.log(RATIO))

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self._buckets = [0] * (self.BUCKETS + 1)

    def add(self, value: float) -> None:
        """Counts a value; those outside the range count at its edge."""
        self.count += 1
        self.total += value
        place = int(math.log(value / self.LOWEST) / math.log(self.RATIO)) if value > self.LOWEST else 0
        self._buckets[min(place, self.BUCKETS)] += 1

    @property
    def mean(self) -> float:
        """The mean, exact; 0 without values."""
        return self.total / self.count if self.count else 0.0

    def percentile(self, rank: float) -> float:
        """The middle of the bucket that holds the percentile; 0 without values."""
        wanted = math.ceil(self.count * rank / 100)
        seen = 0
        for place, count in enumerate(self._buckets):
            seen += count
            if count and seen >= wanted:
                return self.LOWEST * self.RATIO ** (place + 0.5)
        return 0.0
