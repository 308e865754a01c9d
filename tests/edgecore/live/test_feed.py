"""A source in a thread of its own: drained, watched, and opened again when it is lost."""

from __future__ import annotations

import threading
import time

import pytest
from materials import until
from scripted import Camera

from edgecore.camera import source_of
from edgecore.camera.source import Source
from edgecore.errors import UserError
from edgecore.live import feed as feed_module
from edgecore.live.feed import Feed, Taken


def take(feed: Feed, seconds: float = 10.0) -> Taken | None:
    """The next frame; None when the feed has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        taken = feed.take(0.05)
        if taken is not None or feed.ended:
            return taken
    raise AssertionError(f"no frame in {seconds} s; {feed.waiting}")


def test_a_file_gives_every_frame_in_order_to_a_slow_caller() -> None:
    camera = Camera(live=False, frames=40)
    feed = Feed(camera.make)
    feed.start()
    seen = []
    while (taken := take(feed)) is not None:
        seen.append(taken.frame.index)
        taken.frame.release()
        time.sleep(0.002)
    assert seen == list(range(40)) and feed.dropped == 0 and feed.ended
    assert feed.close()
    assert camera.held == 0 and camera.closed == 1


def test_a_live_source_gives_the_newest_frame_and_counts_the_others() -> None:
    camera = Camera()
    feed = Feed(camera.make)
    feed.start()
    indices = []
    for _ in range(10):
        time.sleep(0.03)
        taken = take(feed)
        assert taken is not None and time.monotonic() - taken.frame.captured < 0.025
        indices.append(taken.frame.index)
        taken.frame.release()
    assert indices == sorted(indices) and indices[-1] > 30
    assert feed.dropped == indices[-1] - len(indices) + 1
    assert feed.close()
    assert camera.held == 0


@pytest.mark.parametrize(("live", "newest"), [(True, False), (False, True)])
def test_the_policy_can_be_named(live: bool, newest: bool) -> None:
    camera = Camera(live=live, frames=None if live else 50)
    feed = Feed(camera.make, newest=newest)
    feed.start()
    time.sleep(0.1)
    first, second = take(feed), take(feed)
    assert first is not None
    assert first.frame.index == (49 if newest else 0)
    assert (second is None) == newest
    feed.close()


def test_a_lost_source_is_opened_again_and_both_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "FIRST_PAUSE", 0.02)
    camera, said = Camera(), list[str]()
    feed = Feed(camera.make, notice=said.append)
    feed.start()
    last = take(feed)
    assert last is not None and feed.waiting is None
    camera.present = False
    until(lambda: feed.waiting is not None)
    assert "waiting for camera 0, " in str(feed.waiting)
    until(lambda: "no such device" in str(feed.waiting))
    camera.present = True
    until(lambda: feed.waiting is None)
    again = take(feed)
    assert again is not None and again.frame.index > last.frame.index  # numbers go on
    assert camera.opened == 2
    assert [line.split(" after ")[0] for line in said] == [
        "camera 0 is lost: it was unplugged; trying again",
        "camera 0 is back",
    ]
    feed.close()


def test_what_a_camera_gives_instead_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "FIRST_PAUSE", 0.02)
    camera, said = Camera(), list[str]()

    def make() -> Source:
        source = camera.make()
        opening = source.open

        def settled() -> None:
            opening()
            source.title = "camera 0 (gives 320x240 instead)"

        monkeypatch.setattr(source, "open", settled)
        return source

    feed = Feed(make, notice=said.append)
    feed.start()
    for _ in range(2):
        take(feed)
        camera.present = False
        until(lambda: feed.waiting is not None)
        camera.present = True
        until(lambda: feed.waiting is None)
    feed.close()
    assert said.count("camera 0 (gives 320x240 instead)") == 1 and len(said) == 5


def test_pauses_grow_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = Camera()
    feed = Feed(camera.make)
    pauses = [feed.lost(feed._worker, "gone") for _ in range(8)]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]
    feed.close()


def test_giving_up() -> None:
    camera = Camera()
    camera.present = False
    feed = Feed(camera.make, give_up_after=0.1)
    feed.start()
    with pytest.raises(UserError, match="camera 0 gave nothing for 0 s: no such device"):
        take(feed)
    feed.close()


def test_a_capture_that_blocks_for_ever_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "PATIENCE", 0.05)
    camera = Camera(timeout=0.02)
    feed = Feed(camera.make)
    feed.start()
    assert take(feed) is not None
    camera.hangs.set()
    hung = feed._worker
    until(lambda: feed.take(0.01) is None and feed._worker is not hung)
    assert "does not answer" in str(feed.waiting)
    until(lambda: feed.take(0.01) is None and "hangs in its driver" in str(feed.waiting))
    assert len(feed._hanging) == feed_module.MOST_HANGING
    camera.hangs.clear()
    until(lambda: not any(worker.is_alive() for worker in feed._hanging))
    taken = take(feed)
    assert taken is not None and feed.waiting is None
    assert feed.close()


def test_close_does_not_wait_for_a_capture_that_blocks() -> None:
    camera = Camera()
    camera.hangs.set()
    feed = Feed(camera.make)
    feed.start()
    time.sleep(0.05)
    begin = time.monotonic()
    assert not feed.close()
    assert time.monotonic() - begin < 1
    camera.hangs.clear()


def test_what_is_wrong_with_a_source_reaches_the_caller(tmp_path: object) -> None:
    feed = Feed(lambda: source_of("97"))
    feed.start()
    with pytest.raises(UserError, match="camera 97 does not exist"):
        take(feed)
    feed.close()


def test_frames_before_an_error_are_not_lost(clip: object, tmp_path: object) -> None:
    camera = Camera(live=False, frames=3)

    class Damaged(type(camera.make())):  # type: ignore[misc]
        def read(self) -> object:
            frame = super().read()
            if frame is None:
                raise UserError("it is damaged")
            return frame

    feed = Feed(lambda: Damaged(camera))
    feed.start()
    assert [take(feed).frame.index for _ in range(3)] == [0, 1, 2]  # type: ignore[union-attr]
    with pytest.raises(UserError, match="it is damaged"):
        take(feed)
    feed.close()


def test_a_feed_that_is_halted_while_it_looks_for_a_hanging_source_opens_no_other() -> None:
    camera = Camera()
    feed = Feed(camera.make)
    feed.start()
    until(lambda: camera.opened == 1)
    worker = feed._worker
    feed.halt()
    worker.join()
    worker.busy_since = time.monotonic() - 1000
    feed._watch()
    assert feed._worker is worker and feed.close() and camera.opened == 1


def test_whoever_is_told_may_take_his_time() -> None:
    """A notice that blocks holds up its own thread, not the end of the feed."""
    camera, told = Camera(), threading.Event()

    def block(text: str) -> None:
        told.set()
        time.sleep(2)

    feed = Feed(camera.make, notice=block)
    camera.present = False
    feed.start()
    assert told.wait(10)
    begin = time.monotonic()
    feed.close()
    assert time.monotonic() - begin < 1
