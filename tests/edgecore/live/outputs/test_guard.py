"""The guard over real outputs that fail."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from disks import SmallDisk
from published import growth_of, result_of

from edgecore.errors import UserError
from edgecore.live.outputs.guard import Guarded
from edgecore.live.outputs.results import ResultsFile, read_results
from edgecore.live.result import Result


def test_a_full_disk_is_told_once_and_so_is_its_end(small_disk: SmallDisk) -> None:
    told: list[str] = []
    path = small_disk.path / "results.jsonl"
    guarded = Guarded(ResultsFile(path), told.append, retry_seconds=0.05)
    guarded.publish(result_of(0))
    small_disk.fill()
    missed = 0
    while not told or missed < 50:
        guarded.publish(result_of(1))
        missed += bool(told)
        time.sleep(0.002)
    assert told == [f"{path}: no space left on device; results are lost there until it works again"]
    lost = guarded.lost
    small_disk.clear()
    time.sleep(0.06)
    guarded.publish(result_of(2))
    assert told[1:] == [f"{path}: works again; {lost} results were lost"]
    guarded.close()
    assert [line["frame"] for line in read_results(path)][-1] == 2
    assert len(told) == 2


def test_an_attempt_is_made_every_few_seconds_only(tmp_path: Path) -> None:
    told: list[str] = []
    folder = tmp_path / "folder"
    folder.mkdir()
    guarded = Guarded(ResultsFile(folder / "results.jsonl"), told.append, retry_seconds=60)
    shutil.rmtree(folder)
    guarded.publish(result_of(0))
    folder.mkdir()
    guarded.publish(result_of(1))
    assert list(folder.iterdir()) == []
    assert guarded.lost == 2
    guarded.close()
    assert len(told) == 2
    assert told[1].endswith("results.jsonl: 2 results were lost")


class Moody:
    """An output that does what its list says next."""

    title = "moody"
    pictures = False

    def __init__(self, moods: list[Exception | None]) -> None:
        self.moods = moods

    def publish(self, result: Result) -> None:
        mood = self.moods.pop(0)
        if mood is not None:
            raise mood

    def close(self) -> None:
        raise UserError("cannot be closed")


def test_every_kind_is_told_once_and_nothing_is_raised() -> None:
    told: list[str] = []
    again = [OSError(5, "ignored")] * 3 + [UserError("it is shut; open it")] + [OSError(5, "x")] + [None]
    guarded = Guarded(Moody([*again, ValueError("a bug"), None, *again]), told.append, retry_seconds=0)
    for index in range(14):
        guarded.publish(result_of(index))
    guarded.close()
    assert told == [
        "moody: input/output error; results are lost there until it works again",
        "moody: it is shut; open it; results are lost there until it works again",
        "moody: works again; 5 results were lost",
        "moody: ValueError: a bug; results are lost there until it works again",
        "moody: works again; 1 result was lost",
        "moody: cannot be closed; its end is not written",
    ]


def test_a_notice_that_fails_is_no_matter() -> None:
    def notice(line: str) -> None:
        raise BrokenPipeError

    guarded = Guarded(Moody([OSError(5, "x")]), notice)
    guarded.publish(result_of(0))
    guarded.close()
    assert guarded.lost == 1


def test_ctrl_c_is_no_failure() -> None:
    class Interrupted(Moody):
        def publish(self, result: Result) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Guarded(Interrupted([]), print).publish(result_of(0))


def test_memory_stays_flat_while_an_output_fails_in_ever_new_words() -> None:
    class Chatty(Moody):
        def publish(self, result: Result) -> None:
            self.moods = [UserError(f"failure number {time.monotonic_ns()}")]
            super().publish(result)

    guarded = Guarded(Chatty([]), lambda line: None, retry_seconds=0)
    result = result_of(0)
    memory, descriptors = growth_of(lambda index: guarded.publish(result))
    assert memory < 1 << 20
    assert descriptors == 0
