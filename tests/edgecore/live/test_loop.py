"""The loop over real sources and a real model."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from scripted import Camera

import edgecore
from edgecore.camera import source_of
from edgecore.errors import UserError
from edgecore.live.classes import ClassMap
from edgecore.live.decision import Rules
from edgecore.live.loop import Loop, Settings
from edgecore.live.pacing import Pace
from edgecore.live.region import Region
from edgecore.live.result import Result


def results(loop: Loop, seconds: float = 30.0) -> list[Result]:
    """All of them, and the loop is closed."""
    found = []
    end = time.monotonic() + seconds
    loop.start()
    try:
        while not loop.ended:
            assert time.monotonic() < end
            result = loop.next()
            if result is not None:
                found.append(result)
    finally:
        loop.close()
    return found


def test_every_frame_once_with_the_models_answer(model: Path, photos: Path) -> None:
    loaded = edgecore.load(model, threads=1)
    found = results(Loop(lambda: source_of(photos), loaded, Settings(top=3)))
    with source_of(photos) as source:
        expected = [loaded.classify(frame.pixels, 3) for frame in source]
    assert [result.predictions for result in found] == expected
    assert [Path(result.name or "").name for result in found] == ["a.png", "b.jpg", "c.bmp"]
    for result in found:
        assert set(result.stages) == {"read", "preprocess", "inference"}
        # Latency begins when the frame has arrived, so reading is no part of it.
        assert result.latency >= result.stages["preprocess"] + result.stages["inference"]
        assert result.label == result.predictions[0].label and result.frame is None


@pytest.mark.parametrize(("limit", "count"), [(None, 12), (5, 5), (100, 12)])
def test_frame_limit(model: Path, clip: Path, limit: int | None, count: int) -> None:
    loop = Loop(lambda: source_of(clip), edgecore.load(model), Settings(frames=limit))
    assert [result.index for result in results(loop)] == list(range(count))


def test_a_slow_reader_of_a_live_source_gets_new_frames_and_holds_none(model: Path) -> None:
    camera = Camera()
    loop = Loop(camera.make, edgecore.load(model, threads=1), Settings(pictures=True))
    loop.start()
    found: list[Result] = []
    while len(found) < 10:
        time.sleep(0.02)
        result = loop.next(10)
        assert result is not None and result.frame is not None
        found.append(result)
    assert loop.close()
    # Kept pictures are copies: the camera has its buffers back.
    assert camera.held == 0
    assert [int(result.frame.pixels[0, 0, 0]) for result in found if result.frame] == [
        result.index % 256 for result in found
    ]
    assert found[-1].dropped > 10 and found[-1].index > 20


def test_region_is_what_the_model_sees(model: Path, photos: Path) -> None:
    loaded = edgecore.load(model, threads=1)
    settings = Settings(region=Region.parse("16,8,32,24"), top=10)
    found = results(Loop(lambda: source_of(photos), loaded, settings))
    with source_of(photos) as source:
        expected = [loaded.classify(np.ascontiguousarray(frame.pixels[8:32, 16:48]), 10) for frame in source]
    assert [result.predictions for result in found] == expected
    outside = Settings(region=Region.parse("60,0,5,5"))
    with pytest.raises(UserError, match="reaches out of a frame of 64x48"):
        results(Loop(lambda: source_of(photos), loaded, outside))


def test_class_map_and_rules_make_the_label(model: Path, clip: Path) -> None:
    loaded = edgecore.load(model, threads=1)
    everything = {"merge": {"thing": loaded.labels}}
    settings = Settings(
        classes=lambda model: ClassMap(model.labels, everything), rules=Rules(wins=3, frames=3)
    )
    found = results(Loop(lambda: source_of(clip), loaded, settings))
    assert [result.label for result in found] == [None, None] + ["thing"] * 10
    events = [result.event for result in found if result.event is not None]
    assert [(event.label, event.previous, event.frame) for event in events] == [("thing", None, 2)]
    assert {result.predictions[0].label for result in found} == {"thing"}


def test_frame_rate_cap(model: Path, clip: Path) -> None:
    begin = time.monotonic()
    settings = Settings(pace=Pace(max_fps=50), frames=11)
    assert len(results(Loop(lambda: source_of(clip), edgecore.load(model), settings))) == 11
    assert time.monotonic() - begin >= 0.19


def test_a_clip_is_smoothed_over_its_own_seconds(model: Path, clip: Path) -> None:
    rules = Rules("exponential", 0.3)
    fast, slow = (
        [result.score for result in edgecore.stream(clip, model, rules=rules, max_fps=rate)]
        for rate in (None, 40)
    )
    assert fast == slow and len(fast) == 12


def test_capture_and_inference_overlap(model: Path) -> None:
    """The loop takes as long as its slowest stage, not as the sum: here camera and caller, 60 ms each."""
    camera = Camera(live=False, frames=20)
    make = camera.make

    class Slow(type(make())):  # type: ignore[misc]
        def read(self) -> object:
            time.sleep(0.06)
            return super().read()

    loop = Loop(lambda: Slow(camera), edgecore.load(model, threads=1))
    loop.start()
    begin = time.monotonic()
    while not loop.ended:
        if loop.next() is not None:
            time.sleep(0.06)
    loop.close()
    assert time.monotonic() - begin < 2.0  # one after the other it would be 2.4 and more


def test_a_source_that_is_not_there_is_refused_at_once(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no file"):
        Loop(lambda: source_of(tmp_path / "absent.mp4"), edgecore.load(model))


def test_stop_gives_the_result_under_way_and_ends_soon(model: Path) -> None:
    loop = Loop(Camera().make, edgecore.load(model))
    loop.start()
    while loop.next() is None:
        pass
    begin = time.monotonic()
    loop.stop()
    while not loop.ended:
        loop.next()
    assert loop.close() and time.monotonic() - begin < 1


def test_nothing_is_left_of_a_loop(model: Path, clip: Path) -> None:
    loaded = edgecore.load(model)
    before = threading.active_count()
    for _ in range(5):
        stream = edgecore.stream(clip, loaded)
        assert next(stream).index == 0
        stream.close()
    assert threading.active_count() == before


def test_stream_gives_pictures(model: Path, clip: Path) -> None:
    found = list(edgecore.stream(clip, model, top=1, frames=4, region="0,0,50%,50%"))
    assert [result.index for result in found] == [0, 1, 2, 3]
    for result in found:
        assert result.frame is not None and result.frame.pixels.shape == (48, 64, 3)


def test_stream_says_what_is_wrong(model: Path) -> None:
    with pytest.raises(UserError, match="there is no file"):
        next(edgecore.stream("absent.mp4", model))
    with pytest.raises(UserError, match="is not X,Y,WIDTH,HEIGHT"):
        next(edgecore.stream("0", model, region="1"))
