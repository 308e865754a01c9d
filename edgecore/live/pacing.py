"""When the next frame is due: a cap on the frame rate, and a lower one while nothing happens."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from edgecore.errors import UserError

LONGEST_NAP = 0.1  # seconds; a change of label in another thread is noticed that soon


class Pace:
    """Holds a loop to a frame rate.

    Frames are due on a grid, so that short delays do not add up; after a longer one the grid begins anew, so
    that no burst follows. `wait` and `changed` may be called from different threads.

    Args:
        max_fps: frames a second at most; None: as they come.
        idle_fps: the same once the label has not changed for a while; None: no low-power mode.
        idle_after: how long a while is, in seconds.
        clock: a monotonic clock in seconds.

    Raises UserError: a rate or time that is not a number above 0, or an idle rate above the usual one.
    """

    def __init__(
        self,
        max_fps: float | None = None,
        idle_fps: float | None = None,
        idle_after: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        for name, value in (("rate", max_fps), ("idle rate", idle_fps), ("idle time", idle_after)):
            if value is not None and not (math.isfinite(value) and value > 0):
                raise UserError(f"the {name} is {value:g}; give a number above 0")
        if max_fps is not None and idle_fps is not None and idle_fps > max_fps:
            raise UserError(
                f"the idle rate of {idle_fps:g} is above the frame rate of {max_fps:g}; give a lower one"
            )
        self._period = 1 / max_fps if max_fps is not None else 0.0
        self._idle_period = 1 / idle_fps if idle_fps is not None else self._period
        self._idle_after = idle_after
        self._clock = clock
        self._changed = clock()
        self._due: float | None = None  # when the frame before was due

    def changed(self) -> None:
        """The label has changed: the usual rate holds again, also for a `wait` that has begun."""
        self._changed = self._clock()

    @property
    def idle(self) -> bool:
        """Whether the lower rate holds."""
        return self._idle_period > self._period and self._clock() - self._changed >= self._idle_after

    def wait(self, stop: threading.Event) -> bool:
        """Sleeps until the next frame is due. Returns whether there is to be one: False once `stop` is set.

        The first frame is due at once.
        """
        while not stop.is_set():
            now = self._clock()
            period = self._idle_period if self.idle else self._period
            due = now if self._due is None else self._due + period
            if now >= due:
                self._due = due if now - due < period else now
                return True
            stop.wait(min(due - now, LONGEST_NAP))
        return False
