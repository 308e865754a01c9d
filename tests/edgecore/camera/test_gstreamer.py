"""GStreamer's pipelines, under the system's Python: its OpenCV has GStreamer, that of the wheels has not."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest
from needs import missing

import edgecore
from edgecore.camera import source_of
from edgecore.errors import UserError

SYSTEM_PYTHON = "/usr/bin/python3"
PROBE = "import cv2; raise SystemExit(not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER))"
LIVE = "videotestsrc is-live=true pattern=white ! video/x-raw,width=320,height=240,framerate=30/1"

READ = """
import json, sys, time
import cv2  # before time is taken
from edgecore.camera import SourceLost, source_of
from edgecore.errors import UserError

said = {"frames": [], "error": None, "kind": None, "seconds": 0.0}
stream = source_of("gst:" + sys.argv[1])
stream.timeout = 1.0
said["title"], said["live"] = stream.title, stream.live
try:
    for _ in range(2):
        began = time.monotonic()
        with stream:
            for _ in range(int(sys.argv[2])):
                frame = stream.read()
                shown = [frame.index, frame.order, frame.height, frame.width, int(frame.pixels[0].min())]
                said["frames"].append(shown)
                assert 0 <= time.monotonic() - frame.captured < 1
except UserError as error:
    said["seconds"], said["error"], said["kind"] = time.monotonic() - began, str(error), type(error).__name__
stream.close()
stream.close()
print(json.dumps(said))
"""

OPEN = """
import sys, threading
from edgecore.camera import SourceLost, source_of

stream = source_of("gst:" + sys.argv[1])
stream.timeout = 0.3
for _ in range(6):
    try:
        stream.open()
    except SourceLost as lost:
        said = str(lost)
print(threading.active_count(), said)
"""

Read = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """system(script, words) -> what a script says under the system's Python."""
    try:
        found = subprocess.run([SYSTEM_PYTHON, "-c", PROBE], capture_output=True).returncode == 0
    except OSError:
        found = False
    if not found:
        missing(
            "an OpenCV with GStreamer; "
            "apt-get install --no-install-recommends python3-opencv gstreamer1.0-plugins-base"
        )
    folder = tmp_path_factory.mktemp("system")
    (folder / "edgecore").symlink_to(Path(edgecore.__file__).parent)

    def run(script: str, *words: str) -> str:
        done = subprocess.run(
            [SYSTEM_PYTHON, "-c", script, *words],
            capture_output=True,
            text=True,
            timeout=60,
            env=os.environ | {"PYTHONPATH": str(folder)},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def read(system: Callable[..., str]) -> Read:
    """read(pipeline, frames) -> what became of reading that many frames twice."""

    def run(pipeline: str, frames: int = 5) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(system(READ, pipeline, str(frames)))
        return said

    return run


def test_contract(read: Read) -> None:
    said = read(LIVE)
    assert said["error"] is None and said["live"] and said["title"].startswith("gst:videotestsrc")
    assert [frame[0] for frame in said["frames"]] == [*range(5), *range(5)]
    assert {tuple(frame[1:]) for frame in said["frames"]} == {("BGR", 240, 320, 255)}


@pytest.mark.parametrize(
    ("name", "order"), [("NV12", "NV12"), ("I420", "YUV420"), ("GRAY8", "GREY"), ("BGR", "BGR")]
)
def test_formats(read: Read, name: str, order: str) -> None:
    said = read(f"{LIVE},format={name} ! appsink drop=true max-buffers=1", 1)
    assert said["error"] is None
    assert {tuple(frame[1:4]) for frame in said["frames"]} == {(order, 240, 320)}


@pytest.mark.parametrize("name", ["UYVY", "NV21", "GRAY16_LE"])
def test_formats_that_are_not_taken(read: Read, name: str) -> None:
    said = read(f"{LIVE},format={name} ! appsink", 1)
    assert said["kind"] == "UserError" and "end it in video/x-raw" in said["error"]


def test_padded_planes(read: Read) -> None:
    said = read(LIVE.replace("320", "324") + ",format=I420 ! appsink", 1)
    assert said["kind"] == "UserError" and "324 pixels wide" in said["error"]


@pytest.mark.parametrize(
    ("pipeline", "says"),
    [
        ("videotestsrc num-buffers=3", "ended after 3 frames"),
        ("videotestsrc ! nonsense", "does not start"),
        ("filesrc location=/nonexistent ! decodebin", "does not start"),
        ("videotestsrc ! fakesink name=appsink", "does not start"),
    ],
)
def test_ends_and_mistakes(read: Read, pipeline: str, says: str) -> None:
    said = read(pipeline)
    assert said["kind"] == "SourceLost" and says in said["error"]


@pytest.mark.parametrize(
    ("frames", "says"), [(0, "gives no frame within 1 s"), (3, "has given no frame for 1 s")]
)
def test_stall(read: Read, tmp_path: Path, frames: int, says: str) -> None:
    """A pipe into which somebody writes some frames, and then holds it open."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    holder = os.open(pipe, os.O_RDWR)
    try:
        os.write(holder, bytes(32 * 16 * frames))
        said = read(
            f"filesrc location={pipe} blocksize={32 * 16}"
            " ! rawvideoparse width=32 height=16 format=gray8 framerate=30/1"
        )
    finally:
        os.close(holder)
    assert said["kind"] == "SourceLost" and says in said["error"]
    assert len(said["frames"]) == frames and said["seconds"] < 4


def test_a_pipeline_that_hangs_again_and_again_piles_up_no_threads(
    system: Callable[..., str], tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    holder = os.open(pipe, os.O_RDWR)
    try:
        said = system(OPEN, f"filesrc location={pipe} ! rawvideoparse width=32 height=16 format=gray8")
    finally:
        os.close(holder)
    assert said.startswith("4 ") and "hangs in GStreamer" in said


def test_wheels_have_no_gstreamer() -> None:
    if cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
        pytest.skip("this OpenCV has GStreamer")
    with pytest.raises(UserError, match=r"has no GStreamer.*apt's python3-opencv"):
        source_of(f"gst:{LIVE}").open()


def test_no_pipeline() -> None:
    with pytest.raises(UserError, match="has no pipeline"):
        source_of("gst: ")


def test_passwords_stay_out_of_sight() -> None:
    title = source_of("gst:rtspsrc location=rtsp://me:secret@door/1 user-pw=secret ! decodebin").title
    assert "secret" not in title and "me:***@door" in title
