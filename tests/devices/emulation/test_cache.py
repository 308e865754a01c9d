"""devices/emulation/cache: made once, whole or not at all, whoever asks and whatever dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from edgecore.devices.emulation import cache


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"EDGECORE_CACHE": "/a/b", "XDG_CACHE_HOME": "/x"}, "/a/b"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/edgecore"),
        ({}, "/home/me/.cache/edgecore"),
    ],
)
def test_where_it_is(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str) -> None:
    for name in ("EDGECORE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/me", **variables}.items():
        monkeypatch.setenv(name, value)
    assert cache.folder() == Path(expected)


def test_a_thing_is_made_once(tmp_path: Path) -> None:
    calls: list[Path] = []

    def make(folder: Path) -> None:
        calls.append(folder)
        (folder / "file").write_text("whole")

    target = tmp_path / "deep" / "thing"
    assert cache.make_once(target, make) == target
    assert cache.make_once(target, make) == target
    assert len(calls) == 1 and (target / "file").read_text() == "whole"
    assert os.stat(target).st_mode & 0o777 == 0o755  # noqa: PTH116


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise RuntimeError("no network")

    with pytest.raises(RuntimeError):
        cache.make_once(tmp_path / "thing", fail)
    assert [path.name for path in tmp_path.iterdir()] == [".thing.lock"]


def _build_slowly(target: Path, log: Path, seconds: float) -> None:
    def make(folder: Path) -> None:
        (folder / "first").touch()
        with log.open("a") as file:
            file.write("building\n")
        time.sleep(seconds)
        (folder / "last").touch()

    cache.make_once(target, make)
    assert (target / "last").exists()


def test_processes_that_ask_together_build_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    arguments = (tmp_path / "thing", tmp_path / "log", 0.5)
    processes = [context.Process(target=_build_slowly, args=arguments) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert (tmp_path / "log").read_text() == "building\n"


def test_a_killed_build_is_swept_up_by_the_next(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = multiprocessing.get_context("spawn").Process(
        target=_build_slowly, args=(tmp_path / "thing", log, 600.0)
    )
    process.start()
    end = time.monotonic() + 60
    while not log.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(60)
    assert not (tmp_path / "thing").exists()
    assert len(list(tmp_path.glob(".thing.building-*"))) == 1
    _build_slowly(tmp_path / "thing", log, 0.0)
    assert list(tmp_path.glob(".thing.building-*")) == []
