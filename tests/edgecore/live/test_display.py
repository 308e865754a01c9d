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
    first, latency, stages, labels = summary(tally)
    assert first == "100 frames in 4.00 s, 25.0 fps" and latency.startswith("latency from arrival: p50 ")
    assert "inference 7.0" in stages and labels == "best class: cat 60; dog 40"


def test_a_long_run_in_days() -> None:
    tally = Tally()
    tally.add(result(0))
    tally.ended = tally.started + 8 * 86400 + 61
    assert summary(tally)[0].startswith("1 frame in 8 days, 0:01:01, 0.0 fps")


def test_the_rate_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came before the source was lost is over."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    tally = Tally()
    assert tally.rate_now == 0.0
    for pause in [*[0.1] * 50, 60.0, *[0.05] * 20]:
        now[0] += pause
        tally.add(result(0))
    assert tally.rate_now == pytest.approx(20)
    now[0] += 10.0
    tally.add(result(0))
    assert tally.rate_now == pytest.approx(0.1)


def test_terminal_rewrites_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = io.StringIO()
    run(Terminal(stream), 50)
    status, *rest = stream.getvalue().split("\n")
    drawn = [line.removesuffix("\x1b[K") for line in status.split("\r")[1:]]
    assert len(drawn) == 2  # the first and the last: the interval between has not passed
    assert drawn[0].startswith("dog? 0.75  - fps") and drawn[1].startswith("cat? 0.75")
    assert all(len(line) < 40 for line in drawn)
    assert rest[0].startswith("50 frames")


@pytest.mark.parametrize("label", ["cat", "great white heron, Egretta albus, of the marshes", "白鷺" * 20])
def test_what_80_columns_show(label: str) -> None:
    tally = Tally()
    for index in range(300):
        item = replace(result(index, label, 1.234), dropped=123456)
        tally.add(item)
    line = status(item, tally, 79)
    assert sum(2 if letter > "\u3000" else 1 for letter in line) <= 79
    assert line[:3] == label[:3] and " 0.75  " in line
    assert " fps  latency p50/p95 1234/1234 ms  dropped 123456" in line
    assert "inference" not in line
    assert "frame 300  read 1.00/1.00  preprocess 2.00/2.00  inference 7.00/7.00" in status(item, tally)


def test_the_label_that_counts_comes_first() -> None:
    tally = Tally()
    item = result(0, "dog")
    tally.add(item)
    assert status(item, tally).startswith("dog? 0.75  ")
    assert status(replace(item, label="cat", score=0.31), tally).startswith("cat 0.31  ")
    assert status(replace(item, predictions=[]), tally).startswith("- 0.00  ")


def test_plain_lines_of_a_video() -> None:
    stream = io.StringIO()
    run(Plain(stream, False, stream), 50)
    lines = stream.getvalue().splitlines()
    assert [line.split("  ")[3] for line in lines[:2]] == ["frame 1", "frame 50"]
    assert len(lines) == 6 and "\r" not in stream.getvalue()


def test_plain_lines_become_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of weeks stays readable."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    stream, tally = io.StringIO(), Tally()
    display = Plain(stream, False, stream)
    for index in range(36000):
        now[0] = 1000 + index / 10
        tally.add(result(index))
        display.show(result(index), tally)
    numbers = [int(line.split("frame ")[1].split()[0]) for line in stream.getvalue().splitlines()]
    assert numbers[:6] == [1, 11, 31, 71, 151, 311] and 60 <= len(numbers) <= 70


@pytest.mark.parametrize("terminal", [True, False])
def test_a_change_of_the_label_that_counts_gets_a_line_of_its_own(terminal: bool) -> None:
    stream, tally = io.StringIO(), Tally()
    display = Terminal(stream) if terminal else Plain(stream, False, stream)
    events = {
        7: Event("dog", None, 0.9, 0.0, 7),
        35: Event("cat", "dog", 0.75, 0.0, 35),
        50: Event(None, "cat", 0.2, 0.0, 50),
    }
    for index in range(60):
        item = replace(result(index), event=events.get(index))
        tally.add(item)
        display.show(item, tally)
    display.finish(tally)
    shown = [line.split("\r")[-1].removesuffix("\x1b[K") for line in stream.getvalue().splitlines()]
    lines = [line.split("  ")[-1] for line in shown if " from frame " in line]
    assert lines == [
        "dog 0.90 from frame 8 on",
        "cat 0.75 from frame 36 on, before: dog",
        "no label counts from frame 51 on, before: cat",
    ]


def test_a_log_says_now_and_then_what_the_loop_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    stream = io.StringIO()
    display = Plain(stream, False, stream)
    display.note("lost")
    for _ in range(250):
        display.wait(f"waiting at {now[0] - 1000:.1f}")
        now[0] += 0.1
    assert stream.getvalue().splitlines() == ["lost", "waiting at 2.0", "waiting at 12.0", "waiting at 22.0"]


@pytest.mark.parametrize("terminal", [True, False])
def test_what_the_loop_waits_for(terminal: bool) -> None:
    stream, tally = io.StringIO(), Tally()
    display = Terminal(stream) if terminal else Plain(stream, False, stream)
    tally.add(result(0))
    display.show(result(0), tally)
    display.note("camera 0 is lost: no such device; trying again")
    for _ in range(200):
        display.wait("waiting for camera 0, next try in 4 s: no such device")
    text = stream.getvalue()
    assert text.count("waiting for camera 0") <= 2
    assert "camera 0 is lost: no such device; trying again\n" in text


def test_drops_and_recent_percentiles_in_the_status_line() -> None:
    tally = Tally()
    for index in range(1000):
        item = result(index, latency=0.5 if index < 700 else 0.01)
        tally.add(replace(item, dropped=7, clock="exposure"))
    line = status(item, tally)
    assert "dropped 7" in line and "latency p50/p95 10.0/10.0 ms" in line and "inference 7.00/7.00" in line
    first, second, *_ = summary(tally)
    assert first.endswith(", 7 dropped") and second.startswith("latency from exposure: p50 50")


def test_plain_lines_of_images() -> None:
    stream = io.StringIO()
    run(Plain(stream, True, stream), 4, "a.png")
    lines = stream.getvalue().splitlines()
    assert (
        lines[:4] == ["a.png  dog? 0.75", *["a.png  cat? 0.75"] * 2, "a.png  dog? 0.75"] and len(lines) == 8
    )


def test_json_lines() -> None:
    stream = io.StringIO()
    run(JsonLines(stream, stream), 3)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["frame"] for line in lines[:-1]] == [0, 1, 2]
    assert lines[0]["predictions"] == [{"label": "dog", "score": 0.75, "index": 3}]
    assert lines[0]["latency_ms"] == 10.0 and lines[0]["stages_ms"]["inference"] == 7.0
    assert lines[-1]["summary"]["frames"] == 3


@pytest.mark.parametrize("terminal", [True, False])
def test_a_name_cannot_command_the_terminal(terminal: bool) -> None:
    stream, tally = io.StringIO(), Tally()
    display = Terminal(stream) if terminal else Plain(stream, not terminal, stream)
    item = result(0, "cat\x1b[2J", name="a\nb.png", event=Event("\x07", None, 0.5, 0.0, 0))
    tally.add(item)
    display.show(item, tally)
    display.note("new\x1bline")
    display.finish(tally)
    text = stream.getvalue()
    assert "\x1b[2J" not in text and "\x07" not in text and "\x1bl" not in text
    assert "cat?[2J" in text and "new?line" in text and (terminal or "a?b.png" in text)
