"""The loop over real sources and a real model, and how it shows itself."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

import edgecore
from edgecore.camera import source_of
from edgecore.live.display import JsonLines, Plain, Terminal, summary
from edgecore.live.loop import results
from edgecore.live.result import Result, Tally
from edgecore.model import Prediction


def test_every_frame_once_with_the_models_answer(model: Path, photos: Path) -> None:
    loaded = edgecore.load(model, threads=1)
    with source_of(photos) as source:
        found = list(results(source, loaded, top=3))
    with source_of(photos) as source:
        expected = [loaded.classify(frame.pixels, 3) for frame in source]
    assert [result.predictions for result in found] == expected
    assert [Path(result.name or "").name for result in found] == ["a.png", "b.jpg", "c.bmp"]
    for result in found:
        assert set(result.stages) == {"read", "preprocess", "inference"}
        # Latency begins when the frame has arrived, so reading is no part of it.
        assert result.latency >= result.stages["preprocess"] + result.stages["inference"]


@pytest.mark.parametrize(("limit", "count"), [(None, 12), (5, 5), (100, 12)])
def test_frame_limit(model: Path, clip: Path, limit: int | None, count: int) -> None:
    with source_of(clip) as source:
        assert len(list(results(source, edgecore.load(model), limit))) == count


def result(index: int, label: str = "cat", latency: float = 0.01, name: str | None = None) -> Result:
    stages = {"read": 0.001, "preprocess": 0.002, "inference": 0.007}
    return Result(index, name, [Prediction(label, 0.75, 3)], stages, latency)


def run(display: Terminal | Plain | JsonLines, count: int, name: str | None = None) -> None:
    tally = Tally()
    for index in range(count):
        item = result(index, "cat" if index % 3 else "dog", 0.01 * (index + 1), name)
        tally.add(item)
        display.show(item, tally)
    display.finish(tally)


def test_tally() -> None:
    tally = Tally()
    for index in range(100):
        tally.add(result(index, "cat" if index < 60 else "dog", 0.001 * (index + 1)))
    tally.ended = tally.started + 4.0
    report = tally.to_json()
    assert (report["frames"], report["fps"]) == (100, 25.0)
    assert report["latency_ms"] == {
        "p50": pytest.approx(50, rel=0.01),
        "p95": pytest.approx(95, rel=0.01),
    }
    assert report["labels"] == {"cat": 60, "dog": 40}
    first, stages, labels = summary(tally)
    assert first.startswith("100 frames in 4.00 s, 25.0 fps")
    assert "inference 7.0" in stages and labels == "labels: cat 60, dog 40"


def test_terminal_rewrites_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = io.StringIO()
    run(Terminal(stream), 50)
    status, *rest = stream.getvalue().split("\n")
    drawn = status.split("\r")[1:]
    assert len(drawn) == 2  # the first and the last: the interval between has not passed
    assert drawn[0].startswith("frame 1  dog 0.75") and drawn[1].startswith("frame 50  cat 0.75")
    assert all(len(line.removesuffix("\x1b[K")) < 40 for line in drawn)
    assert rest[0].startswith("50 frames")


def test_plain_lines_of_a_video() -> None:
    stream = io.StringIO()
    run(Plain(stream, every=False), 50)
    lines = stream.getvalue().splitlines()
    assert [line.split("  ")[0] for line in lines[:2]] == ["frame 1", "frame 50"]
    assert len(lines) == 5 and "\r" not in stream.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_a_label_that_stays_gets_a_line_of_its_own(terminal: bool) -> None:
    stream, tally = io.StringIO(), Tally()
    display = Terminal(stream) if terminal else Plain(stream, every=False)
    for index in range(60):
        item = result(index, "dog" if index < 20 or index == 25 else "cat")
        tally.add(item)
        display.show(item, tally)
    display.finish(tally)
    shown = [line.split("\r")[-1] for line in stream.getvalue().splitlines()]
    lines = [line.split()[1:3] for line in shown if line.startswith("frame ")]
    assert lines[-3:] == [["10", "dog"], ["36", "cat"], ["60", "cat"]]


def test_plain_lines_of_images() -> None:
    stream = io.StringIO()
    run(Plain(stream, every=True), 4, "a.png")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 7 and all(line.startswith("a.png  ") for line in lines[:4])


def test_json_lines() -> None:
    stream = io.StringIO()
    run(JsonLines(stream), 3)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["frame"] for line in lines[:-1]] == [0, 1, 2]
    assert lines[0]["predictions"] == [{"label": "dog", "score": 0.75, "index": 3}]
    assert lines[0]["latency_ms"] == 10.0 and lines[0]["stages_ms"]["inference"] == 7.0
    assert lines[-1]["summary"]["frames"] == 3
