"""How far a share that was counted on few images may be from the true one."""

from __future__ import annotations

import math


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The Wilson score interval of a share, `hits` of `n`; (0, 1) where nothing was counted.

    z: 1.96 gives 95 %. Source: E. B. Wilson, Probable inference, the law of succession, and statistical
    inference, JASA 22 (1927).
    """
    if n == 0:
        return 0.0, 1.0
    share = hits / n
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    whole = 1 + z * z / n
    # With no or only hits the bound is 0 or 1 exactly; rounding would miss it by a hair.
    low = 0.0 if hits == 0 else (centre - spread) / whole
    high = 1.0 if hits == n else (centre + spread) / whole
    return low, high
