"""How tests take frames of the software camera."""

from __future__ import annotations

import pytest

from edgecore.camera import Frame, SourceLost, source_of
from edgecore.camera.picamera import BUFFERS, PiCamera
from edgecore.camera.source import TIMEOUT

SHORT = 0.3  # seconds; the timeout of a read that is meant to fail


def camera(options: str = "", number: int = 0) -> PiCamera:
    source = source_of(f"picam:{number}?size=640x480{options}")
    assert isinstance(source, PiCamera)
    return source


def frame_of(source: PiCamera) -> Frame:
    frame = source.read()
    assert frame is not None
    return frame


def take(source: PiCamera, count: int) -> None:
    for _ in range(count):
        frame_of(source).release()


def starve(source: PiCamera) -> list[Frame]:
    """Holds every buffer until a read fails; the frames."""
    held = [frame_of(source) for _ in range(BUFFERS)]
    source.timeout = SHORT
    with pytest.raises(SourceLost, match=rf"gave no frame for {SHORT} s after [0-9]+ frames"):
        source.read()
    source.timeout = TIMEOUT
    return held
