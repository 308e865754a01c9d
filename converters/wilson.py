"""How far a share that was counted may be from the true one."""

from __future__ import annotations

import math

Z = 1.959963984540054  # the normal distribution's 97.5 % point: 95 % lie within +-Z


def interval(hits: int, of: int) -> tuple[float, float]:
    """The Wilson score interval of the share `hits / of` at 95 %, (low, high); (nan, nan) of nothing.

    Source: E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, J. Am. Stat.
    Assoc. 22 (1927); without continuity correction.
    """
    if of == 0:
        return math.nan, math.nan
    share, square = hits / of, Z * Z / of
    middle = (share + square / 2) / (1 + square)
    half = Z * math.sqrt(share * (1 - share) / of + square / of / 4) / (1 + square)
    # At the ends the interval includes the share itself, which rounding may miss.
    return (0.0 if hits == 0 else middle - half), (1.0 if hits == of else middle + half)
