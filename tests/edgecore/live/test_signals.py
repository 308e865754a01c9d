"""SIGTERM and SIGINT end `edgecore run` within a second, whatever it is doing, with everything written."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import cv2
import pytest
from materials import until
from running import Run
from servers import mjpeg, rtsp

SERVERS = {"rtsp": rtsp, "http": mjpeg}
WITHIN = 1.0  # seconds
TERM, INT = signal.SIGTERM, signal.SIGINT


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def ended_well(run: Run, number: signal.Signals, out: Path | None = None, clip: Path | None = None) -> None:
    """Sends the signal; nothing is lost by it, and nothing said that is not the user's."""
    seconds = run.stop(number)
    assert run.status == 0, run.said
    assert seconds < WITHIN
    assert not any("Traceback" in line for line in run.said)
    assert run.summary["frames"] == len(run.results) - 1
    if out is not None:
        text = out.read_text()
        assert text.endswith("\n")
        assert [json.loads(line)["frame"] for line in text.splitlines()] == run.indices
    if clip is not None:
        assert pictures(clip) > 0


def pictures(clip: Path) -> int:
    """How many pictures of a clip decode."""
    capture = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG)
    count = 0
    while capture.read()[0]:
        count += 1
    capture.release()
    return count


@pytest.mark.parametrize("number", [TERM, INT])
@pytest.mark.parametrize("source", ["pattern", "file", "rtsp", "http"])
def test_a_run_that_is_well(
    model: Path, clip: Path, tmp_path: Path, source: str, number: signal.Signals
) -> None:
    out, recorded = tmp_path / "results.jsonl", tmp_path / "recorded.mp4"
    addresses = {"pattern": "test:pattern?fps=50&live=1", "file": f"file:{clip}?loop=1&fps=50"}
    with SERVERS[source]() if source in SERVERS else nullcontext() as server:
        address = server.url if server is not None else addresses[source]
        with Run(address, "--model", model, "--out", out, "--record", recorded) as run:
            run.frames(60)
            ended_well(run, number, out, recorded)


@pytest.mark.parametrize("number", [TERM, INT])
@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_lost_server(model: Path, tmp_path: Path, scheme: str, number: signal.Signals) -> None:
    out, recorded = tmp_path / "results.jsonl", tmp_path / "recorded.mp4"
    words = ("--model", model, "--out", out, "--record", recorded)
    with SERVERS[scheme]() as server, Run(server.url, *words) as run:
        run.frames(20)
        server.stop()
        run.hears("is lost")
        run.hears("waiting for")
        ended_well(run, number, out, recorded)


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_stalled_server(model: Path, tmp_path: Path, scheme: str) -> None:
    """The thread is in a call that returns seconds later."""
    out = tmp_path / "results.jsonl"
    with SERVERS[scheme]() as server, Run(server.url, "--model", model, "--out", out) as run:
        run.frames(20)
        server.pause()
        time.sleep(0.5)
        ended_well(run, TERM, out)


@pytest.mark.parametrize("number", [TERM, INT])
@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_server_that_never_answers(model: Path, scheme: str, number: signal.Signals, deaf: int) -> None:
    with Run(f"{scheme}://127.0.0.1:{deaf}/cam#timeout=20", "--model", model) as run:
        until(lambda: connected(deaf), "a connection")
        ended_well(run, number)
        assert run.summary["frames"] == 0


def connected(port: int) -> bool:
    """Whether somebody is connected to a port of this machine."""
    hexadecimal = f":{port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[2].endswith(hexadecimal) and line.split()[3] == "01" for line in lines)


@pytest.mark.parametrize("number", [TERM, INT])
def test_an_event_command_that_hangs(model: Path, tmp_path: Path, number: signal.Signals) -> None:
    out, begun = tmp_path / "results.jsonl", tmp_path / "begun"
    command = f"echo $$ >> {begun}; trap '' TERM; while :; do sleep 1; done"
    words = ("--confirm", "1/1", "--on-event", command)
    with Run("test:pattern?fps=50&live=1", "--model", model, "--out", out, *words) as run:
        until(lambda: begun.exists() and begun.read_text().endswith("\n"), "the command")
        ended_well(run, number, out)
        process = int(begun.read_text().split()[0])
        until(lambda: not Path(f"/proc/{process}").exists(), "the end of the command")


def test_a_second_ctrl_c_kills(model: Path) -> None:
    """Here the end itself hangs: nobody reads what is printed."""
    run = Run("test:pattern?live=1&fps=500", "--model", model, reads=False)
    with run:
        until(lambda: blocked(run.pid), "a full pipe")
        run.process.send_signal(INT)
        time.sleep(0.5)
        assert run.process.poll() is None
        assert run.stop(INT) < WITHIN
        assert run.status == -INT


def blocked(pid: int) -> bool:
    """Whether the main thread of a process waits for the reader of a pipe."""
    return Path(f"/proc/{pid}/wchan").read_text() in ("pipe_write", "anon_pipe_write")
