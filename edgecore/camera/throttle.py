"""Frames no faster than a rate."""

from __future__ import annotations

import math
import time

LONGEST = 1e8  # seconds; more does not fit time.sleep()


class Throttle:
    """Waits until the next frame is due, `rate` times a second; None: never waits.

    Who comes late gets the next frame at once, and no burst after it. With `fixed` the frames appear when
    they appear, as a camera's do, and who comes late waits for the next.
    """

    def __init__(self, rate: float | None, fixed: bool = False) -> None:
        self.rate = rate
        self._fixed = fixed
        self._due = 0.0

    def start(self) -> None:
        """Time runs from here."""
        self._due = time.monotonic()

    def wait(self) -> None:
        """Returns when the next frame is due."""
        if self.rate is None:
            return
        period = min(1 / self.rate, LONGEST)
        now = time.monotonic()
        if self._due < now:
            self._due = self._due + math.ceil((now - self._due) / period) * period if self._fixed else now
        time.sleep(max(0.0, self._due - now))
        self._due += period
