"""The thread that does what the loop must not wait for."""

from __future__ import annotations

import threading
import time

from materials import until

from edgecore.live.outputs.worker import Worker


class Bench:
    """What a worker did, and a gate that holds it up."""

    def __init__(self, limit: int) -> None:
        self.gate = threading.Event()
        self.done: list[int] = []
        self.dropped: list[int] = []
        self.errors: list[Exception] = []
        self.worker = Worker("test-worker", self._work, limit, self.errors.append, self.dropped.append)

    def _work(self, item: int) -> None:
        self.gate.wait()
        if item < 0:
            raise ValueError(f"{item} is negative")
        self.done.append(item)


def test_items_are_done_in_order_and_errors_end_one_alone() -> None:
    bench = Bench(limit=10)
    bench.gate.set()
    for item in (1, -2, 3):
        bench.worker.put(item)
    assert bench.worker.close(5)
    assert bench.done == [1, 3]
    assert [str(error) for error in bench.errors] == ["-2 is negative"]
    assert bench.dropped == []


def test_the_oldest_that_waits_is_dropped() -> None:
    bench = Bench(limit=2)
    bench.worker.put(0)
    until(lambda: not bench.worker._waiting)
    for item in range(1, 6):
        bench.worker.put(item)
    assert bench.dropped == [1, 2, 3]
    assert not bench.worker.idle
    bench.gate.set()
    assert bench.worker.close(5)
    assert bench.worker.idle
    assert bench.done == [0, 4, 5]
    assert bench.worker.dropped == 3


def test_close_waits_no_longer_than_it_may_and_takes_nothing_more() -> None:
    bench = Bench(limit=5)
    for item in range(3):
        bench.worker.put(item)
    begin = time.monotonic()
    assert not bench.worker.close(0.1)
    assert time.monotonic() - begin < 2
    bench.worker.put(9)
    assert bench.dropped == [1, 2, 9]
    bench.gate.set()
    assert bench.worker.close(5)
    assert bench.done == [0]


def test_no_thread_without_work_and_none_after_it() -> None:
    before = threading.active_count()
    idle = Bench(limit=1)
    assert threading.active_count() == before
    assert idle.worker.close(0)
    busy = Bench(limit=1)
    busy.gate.set()
    busy.worker.put(1)
    assert busy.worker.close(5)
    assert threading.active_count() == before
