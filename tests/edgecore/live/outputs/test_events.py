"""Event commands: well-behaved ones and all the others."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from materials import until
from published import growth_of, result_of

from edgecore.bench.memory import holdings
from edgecore.live.outputs.events import EventCommand
from edgecore.live.result import Event


def event_of(frame: int, label: str | None = "cat") -> Event:
    return Event(label, "dog", 0.75, 1_700_000_000.25, frame)


def children() -> list[int]:
    """The processes that this one has started and not reaped."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has ended meanwhile
            found += [int(word) for word in (task / "children").read_text().split()]
    return found


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No child, no descriptor and no thread outlives a command."""
    descriptors, threads, before = holdings().files, threading.active_count(), children()
    yield
    assert children() == before
    assert holdings().files == descriptors
    assert threading.active_count() == threads


def test_the_event_arrives_on_standard_input(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    output = EventCommand(f"echo noise; cat >> {tmp_path}/events", told.append)
    output.publish(result_of(1))
    output.publish(result_of(2, event=event_of(2)))
    output.publish(result_of(3, event=event_of(3, None)))
    output.close()
    lines = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    assert [(line["frame"], line["label"]) for line in lines] == [(2, "cat"), (3, None)]
    assert lines[0] == {
        "label": "cat",
        "previous": "dog",
        "score": 0.75,
        "time": 1_700_000_000.25,
        "frame": 2,
    }
    assert told == []
    assert capfd.readouterr() == ("", "")  # --json has stdout for itself


def test_a_command_that_reads_nothing_may_end_or_go_on(tmp_path: Path) -> None:
    told: list[str] = []
    output = EventCommand(f"exec <&-; sleep 0.05; echo done >> {tmp_path}/done", told.append)
    label = "long " * 40_000  # more than a pipe holds
    output.publish(result_of(1, event=event_of(1, label)))
    until(lambda: (tmp_path / "done").exists())
    output.close()
    assert told == []


def test_failures_are_told_once_each(tmp_path: Path) -> None:
    told: list[str] = []
    output = EventCommand("echo first >&2; printf 'no \\033[31msuch host\\n\\n' >&2; exit 3", told.append)
    for index in range(3):
        output.publish(result_of(index, event=event_of(index)))
    output.close()
    assert told == ["event command: exit status 3: no  [31msuch host"]
    missing = EventCommand("no-such-program-here", told.append)
    missing.publish(result_of(0, event=event_of(0)))
    missing.close()
    assert told[1].startswith("event command: exit status 127: sh: ")
    killed = EventCommand("kill -USR1 $$", told.append)
    killed.publish(result_of(0, event=event_of(0)))
    killed.close()
    assert told[2] == "event command: signal 10"


def test_much_on_standard_error_neither_blocks_nor_piles_up() -> None:
    told: list[str] = []
    output = EventCommand("yes 0123456789 | head -n 300000 >&2; echo last >&2; exit 1", told.append, 5)
    output.publish(result_of(0, event=event_of(0)))
    until(lambda: bool(told))
    output.close()
    assert told == ["event command: exit status 1: last"]


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    told: list[str] = []
    output = EventCommand(f"sleep 60 & echo $! > {tmp_path}/pid; sleep 61", told.append, time_limit=0.3)
    begin = time.monotonic()
    output.publish(result_of(0, event=event_of(0)))
    assert time.monotonic() - begin < 0.1
    until(lambda: bool(told))
    assert told == ["event command: was ended after 0.3 s"]
    assert not alive(int((tmp_path / "pid").read_text()))
    output.close()


def test_a_command_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    told: list[str] = []
    command = f"trap '' TERM; echo $$ > {tmp_path}/pid; while :; do sleep 0.1; done"
    output = EventCommand(command, told.append, time_limit=0.2)
    output.publish(result_of(0, event=event_of(0)))
    until(lambda: bool(told))
    assert not alive(int((tmp_path / "pid").read_text()))
    output.close()


def test_sigterm_leaves_time_to_tidy_up(tmp_path: Path) -> None:
    told: list[str] = []
    command = f"trap 'echo tidy > {tmp_path}/tidy; exit' TERM; while :; do sleep 0.05; done"
    output = EventCommand(command, told.append, time_limit=0.2)
    output.publish(result_of(0, event=event_of(0)))
    until(lambda: bool(told))
    assert (tmp_path / "tidy").read_text() == "tidy\n"
    output.close()


def test_what_a_command_leaves_in_the_background_ends_with_it(tmp_path: Path) -> None:
    output = EventCommand(f"sleep 60 & echo $! > {tmp_path}/pid; mv {tmp_path}/pid {tmp_path}/done", print)
    output.publish(result_of(0, event=event_of(0)))
    until((tmp_path / "done").exists)
    output.close()
    pid = int((tmp_path / "done").read_text())
    until(lambda: not alive(pid))


def test_one_at_a_time_and_the_newest_wait(tmp_path: Path) -> None:
    told: list[str] = []
    command = f"cd {tmp_path}; test -e busy && echo two >> two; touch busy; cat >> got; sleep 0.05; rm busy"
    output = EventCommand(command, told.append, waiting=3)
    for index in range(20):
        output.publish(result_of(index, event=event_of(index)))
    until(lambda: (tmp_path / "got").exists() and '"frame": 19' in (tmp_path / "got").read_text())
    output.close()
    frames = [json.loads(line)["frame"] for line in (tmp_path / "got").read_text().splitlines()]
    assert frames[-3:] == [17, 18, 19]
    assert output.dropped == 20 - len(frames)
    assert not (tmp_path / "two").exists()
    assert told == [
        "event command: is slower than the events come; the oldest that wait are left out",
        f"event command: was not run for {output.dropped} of the events",
    ]


def test_close_kills_what_runs_after_half_a_second(tmp_path: Path) -> None:
    told: list[str] = []
    output = EventCommand(f"trap '' TERM; echo $$ > {tmp_path}/pid; sleep 60; sleep 60", told.append)
    for index in range(3):
        output.publish(result_of(index, event=event_of(index)))
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
    begin = time.monotonic()
    output.close()
    assert time.monotonic() - begin < 0.9
    assert not alive(int((tmp_path / "pid").read_text()))
    assert output.dropped == 2
    output.close()
    assert told == ["event command: was not run for 2 of the events"]


def test_memory_stays_flat_over_results_and_events() -> None:
    output = EventCommand("exit 1", lambda line: None)
    plain, eventful = result_of(1), result_of(2, event=event_of(2))
    memory, _ = growth_of(lambda index: output.publish(eventful if index % 100 == 0 else plain))
    output.close()
    assert memory < 1 << 20
