"""How old frames are by the time their result is there, at a third of the camera's rate."""

from __future__ import annotations

import time

import pytest
from servers import rtsp

import edgecore
from edgecore.benchmarks.frame_age import MOST, age, watch, windows
from edgecore.errors import UserError
from edgecore.live.decision import Rules

SECONDS = 10.0


@pytest.mark.slow
@pytest.mark.parametrize("way", ["pace", "caller"])
def test_frames_stay_fresh(way: str) -> None:
    with rtsp() as server:
        seen = watch(way, server.url, SECONDS + 1)
    # A stream begins with the second that the decoder looked at before it gave the first frame.
    (window,) = windows([(when, seconds) for when, seconds in seen if when >= 1], length=60.0)
    assert window["frames"] >= 60
    assert window["p95"] < MOST * 1e3, window


@pytest.mark.slow
def test_opencv_alone_falls_behind() -> None:
    """So the ages above are those of the loop, and not of a server that cannot be late."""
    with rtsp() as server:
        seen = watch("opencv", server.url, 6.0)
    assert seen[-1][1] > 2


def test_a_caller_who_takes_long_gets_a_frame_of_now(model: str) -> None:
    stream = edgecore.stream("test:pattern?live=1&fps=50", model)
    ages = []
    for _ in range(8):
        result = next(stream)
        assert result.frame is not None
        ages.append(age(result.frame.pixels, time.monotonic()))
        time.sleep(0.2)
    stream.close()
    # A queue of one result between inference and caller would make it 0.2 s, one of two 0.4 s.
    assert sorted(ages[2:])[2] < 0.15, ages


def test_every_result_has_its_number_and_the_limit_counts_those_that_were_given(model: str) -> None:
    given = []
    for result in edgecore.stream("test:pattern?live=1&fps=100", model, frames=10):
        given.append(result.index)
        time.sleep(0.03)
    assert len(given) == 10 and given == sorted(set(given)) and given[-1] > 15


def test_a_slow_caller_gets_every_event(model: str) -> None:
    """Pictures of noise have a new label all the time, and three are seen for each that is given."""
    found = []
    rules = Rules()
    for result in edgecore.stream("test:pattern?live=1&fps=100", model, frames=60, rules=rules):
        found.append(result)
        time.sleep(0.03)
    events = [result.event for result in found if result.event is not None]
    assert [event.previous for event in events] == [None, *(event.label for event in events[:-1])]


def test_a_picture_without_a_clock() -> None:
    import numpy as np

    with pytest.raises(UserError, match="show no clock"):
        age(np.full((360, 640, 3), 128, np.uint8), time.monotonic())
    assert windows([(0.0, 0.1), (0.5, 0.3), (31.0, 0.2)]) == [
        {"from": 0.0, "frames": 2, "p50": 100.0, "p95": 300.0, "p100": 300.0},
        {"from": 30.0, "frames": 1, "p50": 200.0, "p95": 200.0, "p100": 200.0},
    ]
