"""Recorded clips: time, sizes, and that they play whatever happened to them."""

from __future__ import annotations

import errno
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from disks import SmallDisk
from materials import until
from published import growth_of, result_of

from edgecore.camera.source import Frame
from edgecore.errors import UserError
from edgecore.live.outputs import record
from edgecore.live.outputs.record import Recording, fitted, rate_of
from edgecore.live.result import Result


def plain(picture: np.ndarray, label: str | None, score: float, latency: float, rate: float) -> np.ndarray:
    """No overlay, so that a frame's brightness can be read back."""
    return picture


def bright(value: int, captured: float, width: int = 64, height: int = 48) -> Result:
    result = result_of(value, captured=captured)
    frame = Frame(np.full((height, width, 3), value, np.uint8), "BGR", captured, value)
    return Result(value, None, result.predictions, result.stages, 0.01, "cat", 0.9, None, frame)


def played(path: Path) -> tuple[list[int], float]:
    """(each frame's brightness, frames a second)."""
    clip = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    values: list[int] = []
    while True:
        ok, picture = clip.read()
        if not ok:
            return values, clip.get(cv2.CAP_PROP_FPS)
        values.append(round(float(picture.mean())))


def test_the_clips_time_is_the_cameras_time(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "clip.mp4", rate=10, draw=plain)
    # At 0.0 and 0.1 s, two too early at 0.11 and 0.12 s, a gap until 0.5 s, and one that is late by a third.
    for value, captured in ((20, 0.0), (60, 0.1), (99, 0.11), (99, 0.12), (120, 0.5), (180, 0.63)):
        recording.publish(bright(value, 1000 + captured))
    recording.close()
    recording.close()
    values, rate = played(tmp_path / "clip.mp4")
    assert rate == 10
    assert np.allclose(values, [20, 60, 60, 60, 60, 120, 180], atol=4)


def test_the_rate_of_a_live_source_is_measured(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "clip.mp4", draw=plain)
    rng = np.random.default_rng(1)
    for index in range(60):
        recording.publish(bright(index * 4, 1000 + index / 15 + rng.uniform(-0.02, 0.02)))
    recording.close()
    values, rate = played(tmp_path / "clip.mp4")
    assert rate == 15
    assert abs(len(values) - 60) <= 1


def test_a_clip_shorter_than_the_measurement_is_written(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "clip.mp4", draw=plain)
    recording.publish(bright(100, 1000))
    recording.close()
    assert np.allclose(played(tmp_path / "clip.mp4")[0], [100], atol=4)
    Recording(tmp_path / "none.mp4", draw=plain).close()
    assert not (tmp_path / "none.mp4").exists()


def test_rate_of_slow_fast_and_stalling_sources() -> None:
    assert rate_of([0, 20, 40]) == 1
    assert rate_of([0, 0.001, 0.002]) == 60
    assert rate_of([index / 29.97 for index in range(30)] + [9.0]) == 30
    assert rate_of([3.0]) == 10


def test_a_file_keeps_every_frame_whenever_it_was_read(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "clip.mp4", rate=12.5, live=False, draw=plain)
    for index in range(30):
        recording.publish(bright(index * 8, 1000 + index / 500))
    recording.close()
    values, rate = played(tmp_path / "clip.mp4")
    assert (len(values), rate) == (30, 12.5)
    assert np.allclose(values, np.arange(30) * 8, atol=4)


def test_a_long_pause_is_shortened(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "clip.mp4", rate=30, draw=plain)
    for captured in (0, 1000, 1000.1):
        recording.publish(bright(50, captured))
    recording.close()
    assert len(played(tmp_path / "clip.mp4")[0]) == 1 + 150 + 1 + 3


def test_frames_of_other_sizes_and_orders(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "clip.mp4", rate=10, draw=plain)
    recording.publish(bright(200, 0, 64, 48))
    recording.publish(bright(200, 0.1, 640, 480))
    recording.publish(bright(200, 0.2, 48, 64))
    recording.publish(bright(200, 0.3, 31, 17))
    grey = Frame(np.full((48, 64), 200, np.uint8), "GREY", 0.4, 0)
    recording.publish(Result(0, None, [], {}, 0.0, frame=grey))
    recording.close()
    values, _ = played(tmp_path / "clip.mp4")
    assert np.allclose(values, [200, 200, 200 * 36 / 64, 200 * 35 / 48, 200], atol=5)


def test_pictures_are_fitted_between_bars() -> None:
    tall = fitted(np.full((100, 50, 3), 9, np.uint8), 80, 40)
    assert tall.shape == (40, 80, 3)
    assert (tall[:, 30:50] == 9).all() and not tall[:, :30].any() and not tall[:, 50:].any()
    assert fitted(np.full((1, 5000, 3), 9, np.uint8), 8, 8).shape == (8, 8, 3)


@pytest.mark.parametrize(("width", "height"), [(65, 49), (2, 2), (1920, 1080)])
def test_odd_tiny_and_large_frames(tmp_path: Path, width: int, height: int) -> None:
    recording = Recording(tmp_path / "clip.mp4", rate=10, draw=plain)
    for index in range(3):
        recording.publish(bright(200, index / 10, width, height))
    recording.close()
    assert np.allclose(played(tmp_path / "clip.mp4")[0], [200] * 3, atol=4)


def test_a_frame_that_no_clip_can_hold_is_refused(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "clip.mp4", rate=10, draw=plain)
    for _ in range(2):
        with pytest.raises(UserError, match="pictures of 1x1 cannot be recorded"):
            recording.publish(bright(200, 0, 1, 1))
    recording.close()
    assert list(tmp_path.iterdir()) == []


def test_a_clip_that_exists_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"precious")
    (tmp_path / "clip-1.mp4").write_bytes(b"too")
    recording = Recording(tmp_path / "clip.mp4", rate=10, clip_seconds=1, draw=plain)
    for index in range(25):
        recording.publish(bright(100, index / 10))
    assert recording.path == tmp_path / "clip-4.mp4"
    recording.close()
    assert (tmp_path / "clip.mp4").read_bytes() == b"precious"
    assert (tmp_path / "clip-1.mp4").read_bytes() == b"too"
    assert [len(played(tmp_path / f"clip-{number}.mp4")[0]) for number in (2, 3, 4)] == [10, 10, 5]


def test_a_killed_process_leaves_a_clip_that_plays(tmp_path: Path) -> None:
    program = (
        "import sys, os, time; sys.path[:0] = sys.argv[2:]\n"
        "from test_record import bright, plain\n"
        "from edgecore.live.outputs.record import Recording\n"
        "recording = Recording(sys.argv[1], rate=10, draw=plain)\n"
        "for index in range(100): recording.publish(bright(index, index / 10))\n"
        "time.sleep(0.3)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    here = Path(__file__).parent
    path = tmp_path / "clip.mp4"
    run = subprocess.run([sys.executable, "-c", program, str(path), str(here), *map(str, here.parents[1:3])])
    assert run.returncode == -signal.SIGKILL
    values, _ = played(path)
    assert 84 <= len(values) < 100  # all but the fragment that was begun
    assert np.allclose(values, np.arange(len(values)), atol=4)


def test_any_beginning_of_a_clip_plays(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "clip.mp4", rate=10, draw=plain)
    for index in range(50):
        recording.publish(result_of(index, captured=index / 10))
    recording.close()
    whole = (tmp_path / "clip.mp4").read_bytes()
    assert whole[4:24] == b"ftypiso5\x00\x00\x02\x00iso5mp41"
    for part in (0.25, 0.5, 0.75, 0.99):
        (tmp_path / "cut.mp4").write_bytes(whole[: int(len(whole) * part)])
        assert abs(len(played(tmp_path / "cut.mp4")[0]) - 50 * part) < 14


def test_a_full_disk_leaves_a_clip_that_plays_and_another_begins(small_disk: SmallDisk) -> None:
    path = small_disk.path / "clip.mp4"
    recording = Recording(path, rate=10, reserve=0, draw=plain)
    rng = np.random.default_rng(0)

    def noisy(index: int) -> Result:
        result = bright(index % 256, index / 10)
        assert result.frame is not None
        result.frame.pixels[:] = rng.integers(0, 256, (48, 64, 3), np.uint8)
        return result

    small_disk.fill(leave=60_000)
    count = 0

    def full() -> bool:
        nonlocal count
        try:
            recording.publish(noisy(count))
        except OSError as error:
            assert error.errno == errno.ENOSPC
            return True
        count += 1
        return False

    until(full)
    assert len(played(path)[0]) > count * 0.5
    size = path.stat().st_size
    small_disk.clear()
    for index in range(30):
        recording.publish(noisy(index))
    recording.close()
    assert path.stat().st_size == size
    assert len(played(small_disk.path / "clip-1.mp4")[0]) == 30


def test_recording_stops_before_the_disk_is_full(
    small_disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = Recording(small_disk.path / "clip.mp4", rate=10, reserve=300_000, draw=plain)
    recording.publish(bright(1, 0))
    small_disk.fill(leave=250_000)
    monkeypatch.setattr(record, "LOOK_SECONDS", 0)
    with pytest.raises(OSError, match="No space left"):
        recording.publish(bright(1, 0.1))
    with pytest.raises(OSError, match="No space left"):
        recording.publish(bright(1, 0.2))
    assert len(played(small_disk.path / "clip.mp4")[0]) == 1
    recording.close()


def test_a_folder_that_is_removed_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    recording = Recording(folder / "clip.mp4", rate=10, draw=plain)
    recording.publish(bright(1, 0))
    shutil.rmtree(folder)
    monkeypatch.setattr(record, "LOOK_SECONDS", 0)
    for index in range(2):
        with pytest.raises(FileNotFoundError):
            recording.publish(bright(1, 0.1 * index))
    folder.mkdir()
    recording.publish(bright(1, 0.3))
    recording.close()
    assert len(played(folder / "clip.mp4")[0]) == 1


def test_what_cannot_be_recorded_is_said_at_the_start(tmp_path: Path, small_disk: SmallDisk) -> None:
    with pytest.raises(UserError, match=r"clips are recorded as mp4; name it clip\.mp4"):
        Recording(tmp_path / "clip.avi")
    with pytest.raises(UserError, match=r"there is no folder .*/none; make it"):
        Recording(tmp_path / "none" / "clip.mp4")
    with pytest.raises(UserError, match="this OpenCV cannot write xxxx clips; there is mp4v"):
        Recording(tmp_path / "clip.mp4", codec="xxxx")
    small_disk.read_only(True)
    with pytest.raises(UserError, match="is read-only; name another folder"):
        Recording(small_disk.path / "clip.mp4")
    small_disk.read_only(False)


def test_memory_and_descriptors_stay_flat(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "clip.mp4", rate=30, clip_seconds=60, draw=plain)

    def step(index: int) -> None:
        recording.publish(bright(index % 200, index / 30))

    memory, descriptors = growth_of(step)
    recording.close()
    assert memory < 1 << 20
    assert descriptors == 0


def test_the_overlay_is_in_the_clip(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "clip.mp4", rate=10)
    recording.publish(bright(200, 0, 320, 240))
    recording.close()
    _, picture = cv2.VideoCapture(str(tmp_path / "clip.mp4"), cv2.CAP_FFMPEG).read()
    assert picture[:120].mean() > 190
    assert picture[200:].mean() < 150
