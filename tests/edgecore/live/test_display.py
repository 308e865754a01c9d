"""What a run shows: on a terminal, in a log, as JSON."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from edgecore.live.display import JsonLines, Plain, Terminal, status, summary
from edgecore.live.result import Event, Result, Tally
from edgecore.model import Prediction


def result(
    index: int,
    label: str = "cat",
    latency: float = 0.01,
    name: str | None = None,
    event: Event | None = None,
) -> Result:
    stages = {"read": 0.001, "preprocess": 0.002, "inference": 0.007}
    return Result(index, name, [Prediction(label, 0.75, 3)], stages, latency, event=event)


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
    assert report["latency_from"] == "arrival" and report["dropped"] == 0
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
    run(Plain(stream, False, stream), 50)
    lines = stream.getvalue().splitlines()
    assert [line.split("  ")[0] for line in lines[:2]] == ["frame 1", "frame 50"]
    assert len(lines) == 5 and "\r" not in stream.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_a_change_of_the_label_that_counts_gets_a_line_of_its_own(terminal: bool) -> None:
    stream, tally = io.StringIO(), Tally()
    display = Terminal(stream) if terminal else Plain(stream, False, stream)
    for index in range(60):
        event = Event("cat", "dog", 0.75, 0.0, index) if index == 35 else None
        item = result(index, "dog" if index < 30 else "cat", event=event)
        tally.add(item)
        display.show(item, tally)
    display.finish(tally)
    shown = [line.split("\r")[-1] for line in stream.getvalue().splitlines()]
    lines = [line.split()[1:3] for line in shown if line.startswith("frame ")]
    assert lines[-2:] == [["36", "cat"], ["60", "cat"]]


@pytest.mark.parametrize("terminal", [True, False])
def test_what_the_loop_waits_for(terminal: bool) -> None:
    stream, tally = io.StringIO(), Tally()
    display = Terminal(stream) if terminal else Plain(stream, False, stream)
    tally.add(result(0))
    display.show(result(0), tally)
    display.note("camera 0 is lost: no such device; trying to open it again")
    for _ in range(200):
        display.wait("waiting for camera 0 (no such device); next try in 4 s")
    text = stream.getvalue()
    assert text.count("waiting for camera 0") <= 2
    assert "camera 0 is lost: no such device; trying to open it again\n" in text


def test_drops_and_recent_percentiles_in_the_status_line() -> None:
    tally = Tally()
    for index in range(1000):
        item = result(index, latency=0.5 if index < 700 else 0.01)
        tally.add(replace(item, dropped=7, clock="exposure"))
    line = status(item, tally)
    assert "dropped 7" in line and "latency p50/p95 10.00/10.00 ms" in line and "inference 7.00/7.00" in line
    assert "7 dropped; latency from exposure p50 50" in summary(tally)[0]


def test_plain_lines_of_images() -> None:
    stream = io.StringIO()
    run(Plain(stream, True, stream), 4, "a.png")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 7 and all(line.startswith("a.png  ") for line in lines[:4])


def test_json_lines() -> None:
    stream = io.StringIO()
    run(JsonLines(stream, stream), 3)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["frame"] for line in lines[:-1]] == [0, 1, 2]
    assert lines[0]["predictions"] == [{"label": "dog", "score": 0.75, "index": 3}]
    assert lines[0]["latency_ms"] == 10.0 and lines[0]["stages_ms"]["inference"] == 7.0
    assert lines[-1]["summary"]["frames"] == 3
