"""Frames are due on a grid, without drift or bursts, and more rarely while nothing happens."""

from __future__ import annotations

import math
import threading
import time

import pytest

from edgecore.errors import UserError
from edgecore.live.pacing import LONGEST_NAP, Pace


class Clock(threading.Event):
    """A clock that stands still but for the waits on it, and a stop event at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.late = 0.0  # how much longer than asked every wait takes

    def __call__(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        assert 0 < timeout <= LONGEST_NAP
        self.now += timeout + self.late
        return self.is_set()


def starts(pace: Pace, clock: Clock, count: int, work: float = 0.0) -> list[float]:
    """When each frame begins, in seconds since the first, with `work` seconds spent on each."""
    found = []
    for _ in range(count):
        assert pace.wait(clock)
        found.append(clock.now)
        clock.now += work
    return [at - found[0] for at in found]


def test_without_a_cap_nothing_waits() -> None:
    clock = Clock()
    assert starts(Pace(clock=clock), clock, 3, work=0.01) == pytest.approx([0, 0.01, 0.02])


@pytest.mark.parametrize("work", [0.0, 0.05, 0.0999])
def test_a_cap_holds_whatever_the_work(work: float) -> None:
    clock = Clock()
    assert starts(Pace(10, clock=clock), clock, 20, work) == pytest.approx([i / 10 for i in range(20)])


def test_late_wakeups_do_not_add_up() -> None:
    clock = Clock()
    clock.late = 0.003
    found = starts(Pace(10, clock=clock), clock, 200)
    assert max(abs(at - index / 10) for index, at in enumerate(found)) <= 0.0031


def test_no_burst_follows_a_stall() -> None:
    clock = Clock()
    pace = Pace(10, clock=clock)
    starts(pace, clock, 3)
    clock.now += 5.0
    assert starts(pace, clock, 4) == pytest.approx([0, 0.1, 0.2, 0.3])


def test_work_that_takes_longer_than_a_period_runs_without_pauses() -> None:
    clock = Clock()
    assert starts(Pace(10, clock=clock), clock, 5, work=0.25) == pytest.approx([0, 0.25, 0.5, 0.75, 1])


@pytest.mark.parametrize("usual", [None, 20.0])
def test_the_rate_falls_while_nothing_happens_and_comes_back(usual: float | None) -> None:
    clock = Clock()
    pace = Pace(usual, idle_fps=2, idle_after=1.0, clock=clock)
    early = starts(pace, clock, 21, work=0.05)
    assert early == pytest.approx([i * 0.05 for i in range(21)])
    assert pace.idle
    assert starts(pace, clock, 4, work=0.05) == pytest.approx([0, 0.5, 1.0, 1.5])
    pace.changed()
    assert not pace.idle
    assert starts(pace, clock, 10, work=0.05) == pytest.approx([i * 0.05 for i in range(10)])


def test_a_change_ends_a_wait_that_has_begun() -> None:
    class Changing(Clock):
        def wait(self, timeout: float | None = None) -> bool:
            if self.now >= 1100.0:
                pace.changed()
            return super().wait(timeout)

    clock = Changing()
    pace = Pace(idle_fps=0.001, idle_after=1.0, clock=clock)
    clock.now += 2.0
    starts(pace, clock, 2)
    assert 1100.0 <= clock.now <= 1100.0 + 2 * LONGEST_NAP


def test_stop_ends_a_wait() -> None:
    stop = threading.Event()
    pace = Pace(0.01)
    assert pace.wait(stop)
    timer = threading.Timer(0.05, stop.set)
    timer.start()
    begin = time.monotonic()
    assert not pace.wait(stop)
    assert time.monotonic() - begin < 5
    assert not pace.wait(stop)
    timer.join()


@pytest.mark.parametrize(
    "values",
    [
        {"max_fps": 0},
        {"max_fps": -1},
        {"max_fps": math.nan},
        {"idle_fps": math.inf},
        {"idle_after": 0},
        {"max_fps": 5, "idle_fps": 6},
    ],
)
def test_rates_out_of_range_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(UserError, match="give a"):
        Pace(**values)  # type: ignore[arg-type]
