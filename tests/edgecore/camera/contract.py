"""What every source must do. A test gives a Promise, and calls each of CHECKS with it.

@pytest.mark.parametrize("check", CHECKS)
def test_contract(check, ...):
    check(Promise(lambda: source_of("picam:0"), size=(640, 480), live=True))
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from materials import until

from edgecore.bench.memory import holdings
from edgecore.camera.source import COLOURS, FORMATS, PLANAR, Frame, Source

SOME = 5  # frames of a source that has no end
LATE = 10.0  # seconds for a library to end its threads, on a machine that is busy with something else


@dataclass(frozen=True)
class Promise:
    """What a test knows of a source.

    Attributes:
        make: gives a new source, not opened.
        size: (width, height) of its frames.
        count: how many frames there are; None: no end.
        order, clock: as of its frames.
        live: whether it is.
        secret: a text that must not appear in its title.
    """

    make: Callable[[], Source]
    size: tuple[int, int]
    count: int | None = None
    order: str = "BGR"
    clock: str = "arrival"
    live: bool = False
    secret: str = "secret"


def taken(source: Source, promise: Promise) -> list[Frame]:
    """All frames of an open source, or SOME; not released."""
    frames: list[Frame] = []
    while promise.count is not None or len(frames) < SOME:
        frame = source.read()
        if frame is None:
            break
        frames.append(frame)
    return frames


def check_frames(promise: Promise) -> None:
    """Numbers, times, layout."""
    begin = time.monotonic()
    with promise.make() as source:
        frames = taken(source, promise)
        end = time.monotonic()
        for frame in frames:
            check_layout(frame, promise)
            assert (frame.name is not None) == source.named
            frame.release()
    assert len(frames) == (SOME if promise.count is None else promise.count)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    times = [frame.captured for frame in frames]
    assert all(one <= other for one, other in pairwise(times))
    # A camera that was not closed long ago may begin with a picture that it already had.
    assert begin - (1.0 if promise.clock == "exposure" else 0.0) <= times[0] and times[-1] <= end


def check_layout(frame: Frame, promise: Promise) -> None:
    """Shape, strides, format."""
    pixels = frame.pixels
    assert pixels.dtype == np.uint8
    assert frame.order == promise.order and frame.order in FORMATS
    assert frame.clock == promise.clock and frame.colour in COLOURS
    assert (frame.width, frame.height) == promise.size
    width, height = promise.size
    if frame.order in PLANAR:
        assert pixels.ndim == 2 and pixels.shape[0] == height * 3 // 2 and pixels.shape[1] >= width
        assert pixels.flags.c_contiguous
    else:
        dense = (3, 1) if frame.order != "GREY" else (1,)
        assert pixels.shape == (height, width, 3)[: pixels.ndim]
        assert pixels.ndim == 1 + len(dense) and pixels.strides[1:] == dense
        assert pixels.strides[0] >= width * dense[0]


def check_frames_stay_until_released(promise: Promise) -> None:
    """Later frames leave an earlier one's pixels alone while it is held."""
    with promise.make() as source:
        held = [frame for _ in range(2) if (frame := source.read()) is not None]
        copies = [frame.pixels.copy() for frame in held]
        for _ in range(3):
            later = source.read()
            if later is not None:
                later.release()
        for frame, copy in zip(held, copies, strict=True):
            assert (frame.pixels == copy).all()
            frame.release()
    assert held


def check_end(promise: Promise) -> None:
    """After the last frame there is none, as often as one asks; a source without an end goes on."""
    with promise.make() as source:
        for frame in taken(source, promise):
            frame.release()
        for _ in range(2):
            after = source.read()
            assert (after is None) == (promise.count is not None)
            if after is not None:
                after.release()


def check_opened_again(promise: Promise) -> None:
    """One object can be opened again after close(), and then begins again."""
    source = promise.make()
    for _ in range(2):
        with source:
            frame = source.read()
            assert frame is not None and frame.index == 0
            frame.release()
    source.close()
    source.close()


def check_closed_before_opened(promise: Promise) -> None:
    """What a source is can be asked before it is opened, and close() then does nothing."""
    source = promise.make()
    assert source.title and promise.secret not in source.title
    assert source.live == promise.live
    assert source.timeout > 0
    source.close()


def check_nothing_stays_behind(promise: Promise) -> None:
    """Neither open files nor threads pile up over openings."""
    threads = set(threading.enumerate())
    files = 0
    for number in range(4):
        with promise.make() as source:
            frame = source.read()
            assert frame is not None
            frame.release()
        if number == 0:  # what a library opens once it may keep
            files = holdings().files
    until(lambda: holdings().files <= files, "files", LATE)
    until(lambda: not set(threading.enumerate()) - threads, "threads", LATE)


CHECKS: tuple[Callable[[Promise], None], ...] = (
    check_frames,
    check_frames_stay_until_released,
    check_end,
    check_opened_again,
    check_closed_before_opened,
    check_nothing_stays_behind,
)
