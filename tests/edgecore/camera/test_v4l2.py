"""What V4L2 cameras say where there is none; tests/vivid has cameras, in a virtual machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from edgecore.camera import SourceLost, source_of
from edgecore.camera.v4l2 import Camera, card
from edgecore.errors import UserError


def test_options() -> None:
    camera = source_of("v4l2:/dev/v4l/by-id/usb-Cam-index0?size=640x480&fps=29.97&fourcc=MJPG&timeout=0.5")
    assert camera.live and not camera.named and camera.title == "camera /dev/v4l/by-id/usb-Cam-index0"
    assert isinstance(source_of("0"), Camera) and source_of("0").title == "camera 0"


@pytest.mark.parametrize(
    "options", ["fourcc=MJPEG", "fourcc=", "fourcc=M%0APG", "size=640", "fps=0", "timeout=-1", "bitrate=3"]
)
def test_bad_options(options: str) -> None:
    with pytest.raises(UserError, match=options.split("=")[0]):
        source_of(f"v4l2:0?{options}")


def test_a_number_that_never_was_is_final() -> None:
    with pytest.raises(
        UserError, match=r"camera 97 does not exist \(/dev/video97\); (there are|no camera)"
    ) as caught:
        source_of("97").open()
    assert not isinstance(caught.value, SourceLost)


def test_a_name_is_waited_for() -> None:
    with pytest.raises(SourceLost, match="does not exist"):
        source_of("v4l2:/dev/v4l/by-id/usb-Nobody-index0").open()


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_other_devices(device: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="is no camera") as caught:
        source_of(device).open()
    assert not isinstance(caught.value, SourceLost)
    assert card(Path(device)) is None
    assert capfd.readouterr().err == ""


def test_files_and_folders_are_no_cameras(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0")
    os.mkfifo(tmp_path / "pipe")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "socket"))
    for name in ("file", "pipe", "socket", "."):
        with pytest.raises(UserError, match="is no camera"):
            source_of(f"v4l2:{tmp_path / name}").open()
    listener.close()


def test_not_open() -> None:
    camera = source_of("0")
    camera.close()
    with pytest.raises(SourceLost):
        camera.read()
