"""What goes wrong in the weeks that `edgecore run` is left running: each against real servers and files."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from disks import SmallDisk, mounted
from materials import until
from running import Run
from scripted import Camera
from servers import Server, mjpeg, rtsp

import edgecore
from edgecore.bench.memory import Holdings, holdings
from edgecore.camera import Source, source_of
from edgecore.camera.picamera import PiCamera
from edgecore.errors import UserError
from edgecore.live import feed as feed_module
from edgecore.live.loop import Loop, Settings

TIMEOUT = 1.0  # of the sources, in seconds
NOTICED = 2 * TIMEOUT + 4.0  # until a loss is said, on a busy machine
MOST_GROWTH = 3e6  # bytes; four frames
FEW_SECONDS = 8.0  # the longest pause between tries after five seconds, and opening


@pytest.fixture(params=["rtsp", "http"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that is up."""
    with {"rtsp": rtsp, "http": mjpeg}[request.param]() as running:
        yield running


def running(server: Server, model: Path, *words: object) -> Run:
    return Run(f"{server.url}#timeout={TIMEOUT}", "--model", model, *words)


def numbered_on(run: Run) -> bool:
    """Whether the frames' numbers grow through all losses; they skip what was dropped."""
    return all(before < after for before, after in pairwise(run.indices))


# Servers.


def test_killed_and_back_after_five_seconds(server: Server, model: Path) -> None:
    with running(server, model) as run:
        run.frames(20)
        server.stop()
        assert run.hears("is lost: ") < NOTICED
        run.hears(f"waiting for {server.url}, ")
        before = len(run.results)
        time.sleep(5)
        assert len(run.results) == before
        server.restart()
        assert run.frames(20) < FEW_SECONDS
        run.hears(f"{server.url} is back after ")
        run.stop()
        assert run.status == 0 and numbered_on(run)
    assert sum("is lost" in line for line in run.said) == 1


def test_stalled_and_going_on(server: Server, model: Path) -> None:
    with running(server, model) as run:
        run.frames(20)
        server.pause()
        assert run.hears("has sent no frame for 1 s") < NOTICED
        run.hears("waiting for")
        time.sleep(2)
        server.resume()
        assert run.frames(20) < FEW_SECONDS
        run.stop()
        assert run.status == 0 and numbered_on(run)


def test_restarted_on_another_port(server: Server, model: Path) -> None:
    with running(server, model) as run:
        run.frames(10)
        old = server.url
        server.restart(port=0)
        assert server.url != old
        run.hears(f"waiting for {old}, ")
        before = len(run.results)
        time.sleep(2)
        assert len(run.results) == before and run.process.poll() is None
        run.stop()
        assert run.status == 0 and run.summary["frames"] == before


def test_giving_up(server: Server, model: Path) -> None:
    with running(server, model, "--give-up-after", 3) as run:
        run.frames(10)
        server.stop()
        assert 2.5 < run.wait() < 3 + NOTICED
        assert run.status == 2
        assert [line for line in run.said if line.startswith("edgecore: ")] == run.said[-1:]
        assert f"{server.url} gave nothing for 3 s: " in run.said[-1]
        assert run.summary["frames"] == len(run.results) - 1


def test_giving_up_while_a_call_hangs(server: Server, model: Path) -> None:
    """The source's thread is in native code then, and the process ends all the same."""
    with Run(f"{server.url}#timeout=20", "--model", model, "--give-up-after", 2) as run:
        run.frames(10)
        server.pause()
        assert run.wait() < 2 + NOTICED
        assert run.status == 2
        assert run.said == [
            f"edgecore: {server.url} gave nothing for 2 s: no frame came; check it and start again"
        ]
        assert run.summary["frames"] > 0


def test_never_there(server: Server, model: Path) -> None:
    server.stop()
    with running(server, model) as run:
        run.hears(f"waiting for {server.url}, ")
        server.restart()
        assert run.frames(10) < 30
        run.stop()
        assert run.status == 0 and run.indices == sorted(set(run.indices))
    server.stop()
    with running(server, model, "--give-up-after", 1) as run:
        run.wait()
        assert run.status == 2 and "refuses the connection" in run.said[-1]
        assert run.results == []


def test_stream_goes_on_after_a_loss(server: Server, model: Path) -> None:
    said: list[str] = []
    stream = edgecore.stream(f"{server.url}#timeout={TIMEOUT}", model, notice=said.append)
    first = next(stream)
    server.restart()
    until(lambda: next(stream) and len(said) == 2, "the stream")
    result = next(stream)
    assert result.index > first.index
    assert result.frame is not None and result.frame.pixels.shape == (360, 640, 3)
    assert "is lost" in said[0] and "is back" in said[1]
    stream.close()


def test_stream_gives_up(server: Server, model: Path) -> None:
    stream = edgecore.stream(f"{server.url}#timeout={TIMEOUT}", model, give_up_after=1.5)
    next(stream)
    server.stop()
    with pytest.raises(UserError, match="gave nothing for"):
        for _ in stream:
            pass


def test_frames_of_another_size(model: Path, tmp_path: Path) -> None:
    recorded = tmp_path / "clip.mp4"
    with mjpeg() as http, Run(http.at("sizes"), "--model", model, "--record", recorded) as run:
        run.frames(60)
        run.stop()
        assert run.status == 0 and run.said == []
    capture = cv2.VideoCapture(str(recorded), cv2.CAP_FFMPEG)
    ok, picture = capture.read()
    capture.release()
    assert ok and picture.shape in ((360, 640, 3), (480, 640, 3))


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_twenty_losses_leave_nothing_behind(
    scheme: str, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "LONGEST_PAUSE", 0.2)
    seen: list[Holdings] = []
    with {"rtsp": rtsp, "http": mjpeg}[scheme]() as server:
        said: list[str] = []
        stream = edgecore.stream(f"{server.url}#timeout={TIMEOUT}", model, notice=said.append)
        next(stream)
        for loss in range(1, 21):
            server.restart()
            until(lambda losses=loss: next(stream) and len(said) >= 2 * losses, "the stream")  # type: ignore[misc]
            for _ in range(5):
                next(stream)
            seen.append(holdings())
        stream.close()
    for name in ("files", "threads", "python_threads"):
        assert getattr(seen[-1], name) <= getattr(seen[0], name), (name, seen)
    assert seen[-1].rss - seen[0].rss < MOST_GROWTH, seen


# Files.


def test_file_whose_index_is_cut_off(model: Path, clip: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    with Run(cut, "--model", model) as run:
        run.wait()
        assert run.status == 2 and run.results == []
        assert len(run.said) == 1 and "does not decode as a video" in run.said[0]


def test_file_whose_end_is_cut_off(model: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.avi", tmp_path / "cut.avi"
    writer = cv2.VideoWriter(str(whole), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for index in range(40):
        writer.write(np.full((48, 64, 3), 6 * index, np.uint8))
    writer.release()
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    out = tmp_path / "results.jsonl"
    with Run(cut, "--model", model, "--out", out) as run:
        run.wait()
        assert run.status == 2
        assert len(run.said) == 1 and "truncated or damaged" in run.said[0]
        # What could be read has its results, and a summary.
        assert 5 < run.summary["frames"] < 40
        assert len(list(edgecore.read_results(out))) == run.summary["frames"]


# Cameras.


def test_camera_whose_capture_blocks_for_ever(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "PATIENCE", 0.2)
    camera = Camera(timeout=0.1)
    loop = Loop(camera.make, edgecore.load(model, threads=1))
    loop.start()
    until(loop.next, "a result")
    camera.hangs.set()
    until(lambda: loop.next() is None and loop.feed.waiting is not None, "the loss")
    assert "does not answer" in str(loop.feed.waiting)
    until(lambda: loop.next() is None and "hangs in its driver" in str(loop.feed.waiting), "giving up")
    count = threading.active_count()
    for _ in range(10):
        assert loop.next() is None
    assert threading.active_count() == count
    camera.hangs.clear()
    until(lambda: loop.feed.waiting is None, "its return")
    until(loop.next, "a result")
    assert loop.close()


def test_blocked_camera_does_not_keep_the_loop_from_ending(model: Path) -> None:
    camera = Camera()
    loop = Loop(camera.make, edgecore.load(model, threads=1))
    loop.start()
    until(loop.next, "a result")
    camera.hangs.set()
    until(lambda: loop.next() is None, "the end of the frames")
    begin = time.monotonic()
    assert not loop.close()
    assert time.monotonic() - begin < 1
    camera.hangs.clear()


def test_pi_camera_that_hangs_and_comes_back(software_camera: Path, model: Path) -> None:
    sources: list[PiCamera] = []

    def make() -> Source:
        source = source_of("picam:0?size=640x480&timeout=0.5")
        assert isinstance(source, PiCamera)
        sources.append(source)
        return source

    hang = threading.Event()
    said: list[str] = []
    loop = Loop(make, edgecore.load(model, threads=1), Settings(notice=said.append))
    loop.start()
    try:
        until(loop.next, "a result")
        # The thread that picamera2 serves everything from does not come back.
        sources[-1]._camera.pre_callback = lambda request: hang.wait()
        until(lambda: loop.next() is None and loop.feed.waiting is not None, "the loss")
        # Where the thread stops decides whether waiting for a frame ends by itself or the call never returns.
        assert "gave no frame for 0.5 s" in said[0] or "it does not answer" in said[0]
        refused = ("hangs since it was last used", "Device or resource busy")
        until(lambda: loop.next() is None and any(words in str(loop.feed.waiting) for words in refused))
        hang.set()
        until(lambda: loop.next() is not None and loop.feed.waiting is None, "its return")
    finally:
        hang.set()
        loop.close()
    assert [line.split(" after ")[0] for line in said[1:]] == ["Pi camera 0 is back"]


def test_a_source_that_may_take_long_is_not_taken_for_hanging() -> None:
    assert source_of("rtsp://127.0.0.1/cam#timeout=20").timeout == 20
    assert source_of("http://127.0.0.1/cam#timeout=20").timeout == 20


# Outputs.


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 160 MiB: clips leave 64 free."""
    with mounted(tmp_path / "disk", 160) as disk:
        yield disk


@pytest.mark.slow
def test_full_disk(model: Path, disk: SmallDisk) -> None:
    out, clip = disk.path / "results.jsonl", disk.path / "clip.mp4"
    words = ("--model", model, "--out", out, "--record", clip)
    with Run("test:pattern?size=320x240&fps=20&live=1", *words) as run:
        run.frames(60)
        disk.fill()
        run.hears(f"{out}: no space left on device")
        run.hears(f"{clip}: no space left on device")
        run.frames(20 * 7)  # beyond the next try
        assert len([line for line in run.said if "no space left" in line]) == 2
        disk.clear()
        run.hears(f"{out}: works again")
        run.hears(f"{clip}: works again")
        run.frames(40)
        run.stop()
        # Frames were taken all the while; that results are missing is what the status says.
        assert run.status == 2 and len(run.said) == 4
        assert run.summary["dropped"] < run.summary["frames"] / 2
    reader = edgecore.read_results(out)
    kept = [line["frame"] for line in reader]
    assert kept[0] == run.indices[0] and kept[-1] == run.indices[-1]
    assert 60 < len(kept) < len(run.indices) and reader.damaged == 0
    assert sorted(path.name for path in disk.path.glob("*.mp4")) == ["clip-1.mp4", "clip.mp4"]


def test_event_command_that_hangs(model: Path) -> None:
    words = ("--confirm", "1/1", "--on-event", "sleep 60", "--event-timeout", 1)
    with Run("test:pattern?fps=50&live=1", "--model", model, *words) as run:
        run.hears("event command: was ended after 1 s")
        before = len(run.results)
        seconds = run.frames(100)
        assert before > 20 and seconds < 2 * 100 / 50 + 2
        run.stop()
        assert run.status == 0
        assert run.summary["dropped"] < run.summary["frames"] / 2
