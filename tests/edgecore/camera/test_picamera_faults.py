"""Cameras of picam: that hang, are missing or are taken, each made of the software camera."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from software_camera.frames import SHORT, camera, take

from edgecore.camera import SourceLost, picamera
from edgecore.camera.picamera import BUFFERS, CLOSE_TIMEOUT
from edgecore.camera.source import TIMEOUT
from edgecore.errors import UserError


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """Set it to let go what the test holds up."""
    event = threading.Event()
    yield event
    event.set()


def test_camera_that_hangs(software_camera: Path, hang: threading.Event) -> None:
    source = camera()
    source.open()
    take(source, 1)
    source.timeout = SHORT
    # The thread that picamera2 serves everything from does not come back, so its stop() does not either.
    source._camera.pre_callback = lambda request: hang.wait()
    begin = time.monotonic()
    with pytest.raises(SourceLost):
        for _ in range(BUFFERS + 1):
            source.read()
    source.close()
    assert time.monotonic() - begin < SHORT + CLOSE_TIMEOUT + 2
    threads = threading.active_count()
    for _ in range(2):
        with pytest.raises(SourceLost, match="hangs since it was last used"):
            source.open()
    assert threading.active_count() == threads
    hang.set()
    source.timeout = TIMEOUT
    with source:
        take(source, 20)


def test_camera_that_does_not_open(
    software_camera: Path, hang: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    import picamera2

    monkeypatch.setattr(picamera, "STARTING", 0.1)

    def hold() -> None:
        with picamera2.Picamera2._cm._lock:
            hang.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    source = camera()
    source.timeout = 0.5
    begin = time.monotonic()
    with pytest.raises(SourceLost, match=r"did not open in 0\.6 s"):
        source.open()
    with pytest.raises(SourceLost, match="hangs since it was last used"):
        source.open()
    assert time.monotonic() - begin < 3
    hang.set()
    holder.join()
    monkeypatch.undo()
    source.timeout = TIMEOUT
    deadline = time.monotonic() + 10
    while True:  # what opened too late closes first
        try:
            source.open()
            break
        except SourceLost:
            assert time.monotonic() < deadline
    take(source, 1)
    source.close()


@pytest.mark.usefixtures("software_camera")
def test_camera_in_use() -> None:
    with camera() as first:
        second = camera()
        with pytest.raises(SourceLost, match=r"does not open .*no other program"):
            second.open()
        take(first, 1)
    with second:
        take(second, 1)


@pytest.mark.usefixtures("software_camera")
def test_missing_camera() -> None:
    with pytest.raises(
        UserError, match=r"Pi camera 7 does not exist; there are: 0 \(pictures\), 1 \(bars\)"
    ) as no:
        camera(number=7).open()
    assert not isinstance(no.value, SourceLost)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("exposure=1000", "no control for exposure"),
        ("gain=2", "no control for gain"),
    ],
)
@pytest.mark.usefixtures("software_camera")
def test_controls_that_the_camera_lacks(options: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        camera(f"&{options}").open()
    with camera() as source:
        take(source, 1)
