"""`edgecore run` as new users try it: raw frames from a pipe, a terminal, every output at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import edgecore
from edgecore.camera import BUNDLED_CLIP

RUN = [sys.executable, "-m", "edgecore.cli", "run"]
WIDTH, HEIGHT = 320, 240


@pytest.fixture(scope="module")
def frame() -> np.ndarray:
    """The first of the bundled clip, (HEIGHT, WIDTH, 3), blue-green-red."""
    clip = cv2.VideoCapture(str(BUNDLED_CLIP))
    _, found = clip.read()
    clip.release()
    return cv2.resize(found, (WIDTH, HEIGHT))


def raw(bgr: np.ndarray, order: str) -> bytes:
    """What ffmpeg writes for a picture."""
    if order in ("BGR", "RGB", "GREY"):
        codes = {"RGB": cv2.COLOR_BGR2RGB, "GREY": cv2.COLOR_BGR2GRAY}
        return bytes((cv2.cvtColor(bgr, codes[order]) if order in codes else bgr).tobytes())
    planar = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420).reshape(-1)
    luma, chroma = np.split(planar, [WIDTH * HEIGHT])
    if order == "NV12":
        chroma = chroma.reshape(2, -1).T.reshape(-1)
    return bytes(np.concatenate([luma, chroma]).tobytes())


def test_raw_frames_of_every_format_get_the_same_answer(frame: np.ndarray) -> None:
    answers = {}
    for order in ("BGR", "RGB", "YUV420", "NV12", "GREY"):
        source = f"-?size={WIDTH}x{HEIGHT}&format={order}"
        done = subprocess.run([*RUN, source, "--json"], input=raw(frame, order) * 3, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")
        first, *_, last = (json.loads(line) for line in done.stdout.splitlines())
        assert last["summary"]["frames"] == 3
        answers[order] = first["predictions"][0]
    assert answers["BGR"] == answers["RGB"]
    assert answers["YUV420"] == answers["NV12"]
    assert answers["NV12"]["label"] == answers["BGR"]["label"] == "dog"
    assert answers["NV12"]["score"] == pytest.approx(answers["BGR"]["score"], abs=0.1)


def shown(*words: object) -> list[str]:
    """Everything that a terminal of 80 columns is told to draw, line by line and redraw by redraw."""
    parent, child = os.openpty()
    wide = {**os.environ, "COLUMNS": "80"}
    process = subprocess.Popen([*RUN, *map(str, words)], stdin=child, stdout=child, stderr=child, env=wide)
    os.close(child)
    text = b""
    try:
        while part := os.read(parent, 65536):
            text += part
    except OSError:  # the other side has closed the terminal
        pass
    os.close(parent)
    assert process.wait(timeout=30) in (0, 2)
    return [line.removesuffix("\x1b[K") for line in text.decode().replace("\n", "\r").split("\r") if line]


def test_a_terminal_of_80_columns(model: Path) -> None:
    lines = shown("test:pattern?fps=60&live=1", "--model", model, "--frames", 40)
    status = [line for line in lines if " fps  latency p50/p95 " in line]
    assert len(status) >= 3 and all(len(line) < 80 for line in lines)
    assert "frame " in status[-1] and status[0].split()[1].endswith("?")


def test_images_on_a_terminal_get_a_line_each(frame: np.ndarray, model: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), frame)
    lines = shown(tmp_path, "--model", model)
    assert [line.split("  ")[0] for line in lines[:2]] == [str(tmp_path / "a.png"), str(tmp_path / "b.png")]


def test_a_terminal_is_no_source_of_raw_frames() -> None:
    (line,) = shown("-?size=64x64")
    assert line.startswith("edgecore: standard input is a terminal; pipe raw frames into it: ffmpeg ")


def test_every_output_at_once(tmp_path: Path) -> None:
    words = ["--out", "r.jsonl", "--record", "c.mp4", "--on-event", "cat >> events.jsonl"]
    words += ["--save-uncertain", "u", "--uncertain", "0.3,0.8", "--uncertain-every", "0.01"]
    done = subprocess.run([*RUN, *words], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    results = list(edgecore.read_results(tmp_path / "r.jsonl"))
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert events and events == [line["event"] for line in results if "event" in line][: len(events)]
    clip = cv2.VideoCapture(str(tmp_path / "c.mp4"))
    assert clip.get(cv2.CAP_PROP_FRAME_COUNT) == len(results)
    clip.release()
    saved = list(edgecore.read_results(tmp_path / "u" / "scores.jsonl"))
    assert saved and all((tmp_path / "u" / line["picture"]).is_file() for line in saved)
    assert all(0.3 <= line["predictions"][0]["score"] <= 0.8 for line in saved)
