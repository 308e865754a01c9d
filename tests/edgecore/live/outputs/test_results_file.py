"""Result files: what is in a line, rotation, and everything that can happen to a disk."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from disks import SmallDisk
from materials import until
from published import growth_of, result_of

import edgecore
from edgecore.bench.memory import holdings
from edgecore.errors import UserError
from edgecore.live.outputs.results import ResultsFile, read_results
from edgecore.live.result import Event


def numbers(path: Path) -> list[int]:
    return [line["frame"] for line in read_results(path)]


def test_a_line_says_all_of_a_result(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    file = ResultsFile(path)
    event = Event("cat", None, 0.9, 1_700_000_000.0, 7)
    file.publish(replace(result_of(7, event=event), captured=1_700_000_001.5))
    file.close()
    (line,) = edgecore.read_results(path)
    assert line == {
        "frame": 7,
        "time": 1_700_000_001.5,
        "label": "cat",
        "score": 0.9,
        "event": {"label": "cat", "previous": None, "score": 0.9, "time": 1_700_000_000.0, "frame": 7},
        "predictions": [{"label": "cat", "score": 0.9, "index": 1}],
        "latency_ms": 10.0,
        "latency_from": "arrival",
        "stages_ms": {"read": 1.0, "preprocess": 2.0, "inference": 7.0},
    }


def test_lines_are_appended_and_readable_at_once(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    for run in range(3):
        file = ResultsFile(path)
        file.publish(result_of(run))
        assert numbers(path) == list(range(run + 1))
        file.close()
        file.close()


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    program = (
        "import sys, os; sys.path[:0] = sys.argv[2:]\n"
        "from published import result_of\n"
        "from edgecore.live.outputs.results import ResultsFile\n"
        "file = ResultsFile(sys.argv[1])\n"
        "for index in range(50): file.publish(result_of(index))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    here = Path(__file__).parent
    run = subprocess.run([sys.executable, "-c", program, str(path), str(here), str(here.parents[1])])
    assert run.returncode == -signal.SIGKILL
    assert numbers(path) == list(range(50))


def test_a_cut_at_every_byte_of_the_last_line(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.jsonl", tmp_path / "results.jsonl"
    file = ResultsFile(whole)
    for index in range(3):
        file.publish(result_of(index))
    file.close()
    data = whole.read_bytes()
    start = data.rindex(b"\n", 0, -1) + 1
    for size in range(start, len(data) + 1):
        path.write_bytes(data[:size])
        file = ResultsFile(path)
        file.publish(result_of(9))
        file.close()
        reader = read_results(path)
        # The last line counts as soon as its closing brace is there.
        kept = [0, 1, 2] if size >= len(data) - 1 else [0, 1]
        assert [line["frame"] for line in reader] == [*kept, 9]
        assert reader.damaged == (1 if start < size < len(data) - 1 else 0)


@pytest.mark.parametrize(
    "damage",
    [
        b"\0" * 5000,
        b'{"frame": \xff\xfe}',
        b'{"frame": 1',
        b"[1, 2]",
        b"7",
        b"x" * 3_000_000,
        b"[" * 100_000,
    ],
    ids=["zeros", "no utf-8", "half", "list", "number", "3 MB", "deep"],
)
def test_damage_is_skipped_and_counted(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "results.jsonl"
    path.write_bytes(b'{"frame": 0}\n' + damage + b'\n\n{"frame": 1}\n')
    reader = read_results(path)
    assert [line["frame"] for line in reader] == [0, 1]
    assert reader.damaged == 1


def test_rotation_keeps_every_line_of_the_files_it_keeps(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    file = ResultsFile(path, rotate_bytes=2000, keep=3)
    for index in range(100):
        file.publish(result_of(index))
    file.close()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "results.jsonl",
        *(f"results.jsonl.{number}" for number in (1, 2, 3)),
    ]
    assert all(entry.stat().st_size <= 2000 for entry in tmp_path.iterdir())
    found = numbers(path)
    assert found == list(range(found[0], 100))
    assert len(found) > 15


def test_rotation_that_was_cut_short_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    for number, frame in ((1, 2), (3, 0)):  # the move of 2 to 3 was the last
        (tmp_path / f"results.jsonl.{number}").write_text(json.dumps({"frame": frame}) + "\n")
    path.write_text(json.dumps({"frame": 3}) + "\n")
    file = ResultsFile(path, rotate_bytes=10, keep=3)
    file.publish(result_of(4))
    file.close()
    assert numbers(path) == [0, 2, 3, 4]


def test_reading_while_files_rotate(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    file = ResultsFile(path, rotate_bytes=1000, keep=50)
    for index in range(60):
        file.publish(result_of(index))
        reader = read_results(path)
        file.publish(result_of(1000 + index))
        seen = [line["frame"] for line in reader if line["frame"] < 1000]
        assert seen == list(range(index + 1))
    file.close()


def test_no_results_to_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there are no results at"):
        read_results(tmp_path / "none.jsonl")
    with pytest.raises(UserError, match="cannot be read"):
        read_results(tmp_path)


def test_a_full_disk_leaves_whole_lines_and_is_survived(small_disk: SmallDisk) -> None:
    path = small_disk.path / "results.jsonl"
    file = ResultsFile(path)
    written = []
    small_disk.fill(leave=8192)
    for index in range(200):
        try:
            file.publish(result_of(index))
        except OSError as error:
            assert error.errno == errno.ENOSPC
        else:
            written.append(index)
    assert 10 < len(written) < 190
    assert path.read_bytes().endswith(b"\n")
    small_disk.clear()
    file.publish(result_of(500))
    file.close()
    reader = read_results(path)
    assert [line["frame"] for line in reader] == [*written, 500]
    assert reader.damaged == 0


def test_a_disk_that_becomes_read_only(small_disk: SmallDisk) -> None:
    path = small_disk.path / "results.jsonl"
    file = ResultsFile(path)
    file.publish(result_of(0))
    file.close()
    small_disk.read_only(True)
    with pytest.raises(UserError, match="cannot be written: Read-only file system"):
        ResultsFile(path)
    small_disk.read_only(False)


def test_a_full_device() -> None:
    file = ResultsFile("/dev/full")
    for _ in range(3):
        with pytest.raises(OSError, match="No space left"):
            file.publish(result_of(0))
    file.close()
    assert Path("/dev/full").is_char_device()


def test_a_folder_that_is_removed_and_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "results.jsonl"
    file = ResultsFile(path)
    file.publish(result_of(0))
    shutil.rmtree(folder)
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            file.publish(result_of(1))
    folder.mkdir()
    file.publish(result_of(2))
    assert numbers(path) == [2]
    path.rename(folder / "elsewhere.jsonl")  # as logrotate does
    file.publish(result_of(3))
    assert numbers(path) == [3]
    file.close()


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    file = ResultsFile(tmp_path / "results.jsonl")
    with pytest.raises(UserError, match="is being written by another program"):
        ResultsFile(tmp_path / "results.jsonl")
    file.close()
    ResultsFile(tmp_path / "results.jsonl").close()


def test_bad_paths(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file or directory; name another file"):
        ResultsFile(tmp_path / "no" / "results.jsonl")
    with pytest.raises(UserError, match="Is a directory"):
        ResultsFile(tmp_path)


def test_a_pipe_without_reader_with_a_slow_one_and_with_one(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    file = ResultsFile(path)
    with pytest.raises(UserError, match="nobody reads the pipe"):
        file.publish(result_of(0))
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    file.publish(result_of(1))
    assert json.loads(os.read(reader, 1 << 16))["frame"] == 1
    sent = 0
    with pytest.raises(UserError, match="takes nothing"):
        while True:
            file.publish(result_of(sent))
            sent += 1
    received = os.read(reader, 1 << 20)
    file.publish(result_of(1000))
    received += os.read(reader, 1 << 20)
    lines = [json.loads(line)["frame"] for line in received.splitlines()]
    assert lines == [*range(sent), 1000]
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        file.publish(result_of(0))
    file.close()


def test_standard_output_is_never_moved(tmp_path: Path) -> None:
    path = tmp_path / "output"
    program = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from published import result_of\n"
        "from edgecore.live.outputs.results import ResultsFile\n"
        "file = ResultsFile('/dev/stdout', rotate_bytes=500)\n"
        "for index in range(10): file.publish(result_of(index))\n"
        "file.close()\n"
    )
    here = Path(__file__).parent
    with path.open("wb") as stdout:
        command = [sys.executable, "-c", program, str(here), str(here.parents[1])]
        subprocess.run(command, stdout=stdout, check=True)
    assert numbers(path) == list(range(10))
    assert [entry.name for entry in tmp_path.iterdir()] == ["output"]
    piped = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    assert len(piped.stdout.splitlines()) == 10


def test_what_is_written_reaches_the_disk_without_the_loop_waiting(tmp_path: Path) -> None:
    file = ResultsFile(tmp_path / "results.jsonl", sync_seconds=0)
    files = holdings().files
    for index in range(500):
        file.publish(result_of(index))
    until(lambda: holdings().files <= files)
    file.close()


def test_memory_and_descriptors_stay_flat(tmp_path: Path) -> None:
    file = ResultsFile(tmp_path / "results.jsonl", rotate_bytes=100_000, keep=2, sync_seconds=0.05)
    result = result_of(1)
    memory, descriptors = growth_of(lambda index: file.publish(result))
    file.close()
    assert memory < 1 << 20
    assert descriptors <= 2  # those that are on their way to the disk
