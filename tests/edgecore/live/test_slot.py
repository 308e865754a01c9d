"""One place between two threads: nothing waits that should not, and nothing is lost in silence."""

from __future__ import annotations

import threading
import time

from edgecore.live.slot import Slot


def test_every_item_in_order() -> None:
    slot: Slot[int] = Slot()
    writer = threading.Thread(target=lambda: [slot.put(number) for number in range(2000)])
    writer.start()
    assert [slot.take(5) for _ in range(2000)] == list(range(2000))
    writer.join(5)
    assert slot.dropped == 0 and slot.take(0) is None


def test_newest_wins_and_the_others_are_counted() -> None:
    discarded: list[int] = []
    slot = Slot(newest=True, discard=discarded.append)
    for number in range(10):
        assert slot.put(number)
    assert slot.take(0) == 9
    assert discarded == list(range(9)) and slot.dropped == 9


def test_take_waits_no_longer_than_it_may() -> None:
    begin = time.monotonic()
    assert Slot[int]().take(0.05) is None
    assert 0.04 < time.monotonic() - begin < 2


def test_close_wakes_both_sides_and_discards_what_is_left() -> None:
    discarded: list[int] = []
    slot = Slot(discard=discarded.append)
    slot.put(1)
    refused: list[bool] = []
    writer = threading.Thread(target=lambda: refused.append(slot.put(2)))
    writer.start()
    slot.close()
    writer.join(5)
    assert refused == [False] and discarded == [1]
    assert slot.take(5) is None and not slot.put(3)

    empty: Slot[int] = Slot()
    reader = threading.Thread(target=lambda: empty.take(60))
    reader.start()
    empty.close()
    reader.join(5)
    assert not reader.is_alive()


def test_items_that_cannot_be_joined_wait_though_the_newest_wins() -> None:
    slot = Slot[str](newest=True, join=lambda old, new: old + new if old.islower() else None)
    assert slot.put("a") and slot.put("b") and slot.put("C")
    slot.take(0)
    assert slot.put("C")
    writer = threading.Thread(target=lambda: slot.put("d"))
    writer.start()
    time.sleep(0.05)
    assert writer.is_alive()
    assert slot.take(0) == "C"
    writer.join(5)
    assert slot.take(0) == "d" and slot.dropped == 2


def test_finish_ends_the_waiting_and_leaves_what_is_there() -> None:
    slot: Slot[int] = Slot()
    slot.put(1)
    slot.finish()
    begin = time.monotonic()
    assert slot.take(60) == 1 and slot.take(60) is None
    assert time.monotonic() - begin < 5
