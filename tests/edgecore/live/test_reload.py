"""A model that is replaced on disk: swapped in once it is whole and sound, else the old one stays."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from materials import picture, until
from oracle import Network, Quant

import edgecore
from edgecore import artefact
from edgecore.bench.memory import holdings
from edgecore.errors import UserError
from edgecore.live.checks import Checks
from edgecore.live.reload import Reloader
from edgecore.model import Model


def labelled(data: bytes, name: str) -> bytes:
    """The same network with its classes called "NAME 0" and so on."""
    facts = artefact.parse(data)
    assert facts is not None
    return artefact.append(data, replace(facts, classes=tuple(f"{name} {i}" for i in range(10))))


def replace_file(path: Path, data: bytes) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.replace(path)


class Run:
    """A loop's view of a reloader: time goes on by a second with each look."""

    def __init__(self, path: Path, load: Callable[[], Model] | None = None, **options: Any) -> None:
        self.path = path
        self.model = edgecore.load(path, threads=1)
        self.notices: list[str] = []
        self.now = 0.0
        self.reloader = Reloader(
            path,
            load or (lambda: edgecore.load(path, threads=1)),
            self.model,
            notice=self.notices.append,
            **options,
        )

    def look(self, seconds: float = 1.0) -> Model | None:
        self.now += seconds
        new = self.reloader.poll(self.now, frame=123)
        if new is not None:
            self.model = new
        return new

    def settle(self, looks: int = 3) -> Model | None:
        """What comes of several looks and of the check that they begin."""
        found = None
        for _ in range(looks):
            found = self.look() or found
            deadline = time.monotonic() + 60
            while self.reloader.busy and time.monotonic() < deadline:
                time.sleep(0.002)
                found = self.look(0.0) or found
        return found

    def label(self) -> str:
        return self.model.classify(picture(1), top=1)[0].label


@pytest.fixture
def path(model: Path, tmp_path: Path) -> Path:
    target = tmp_path / "model.tflite"
    target.write_bytes(model.read_bytes())
    return target


def test_nothing_happens_to_a_file_that_stays(path: Path) -> None:
    run = Run(path, load=lambda: pytest.fail("loaded"))
    assert run.settle(10) is None
    assert run.notices == []


def test_a_replaced_model_is_swapped_in(path: Path) -> None:
    run = Run(path)
    assert run.label().startswith("kind")
    replace_file(path, labelled(path.read_bytes(), "new"))
    assert run.settle() is run.model
    assert run.label().startswith("new")
    assert run.notices == ["model.tflite was replaced and runs from frame 123"]
    assert run.settle() is None
    assert len(run.notices) == 1


def test_a_loop_that_does_not_know_its_next_frame_need_not_say_it(path: Path) -> None:
    run = Run(path)
    run.reloader.request()
    run.reloader.poll(0.0)
    while run.reloader.busy:
        time.sleep(0.002)
        run.reloader.poll(0.0)
    assert run.notices == ["model.tflite was loaded again and runs from the next frame on"]


def test_another_number_of_classes_is_no_hindrance(path: Path) -> None:
    net = Network(seed=6)
    x = net.input((1, 16, 16, 3), Quant(1 / 255, -128))
    y = net.mean(net.conv2d(x, 8, (3, 3), (2, 2), activation="RELU"))
    net.output(net.softmax(net.fully_connected(net.reshape(y, (1, 8)), 3, out=Quant(0.05, 3))))
    run = Run(path)
    replace_file(path, net.build())
    assert run.settle() is run.model
    assert len(run.model.labels) == 3


def test_a_link_that_points_elsewhere_is_a_replacement(path: Path, tmp_path: Path) -> None:
    link, other = tmp_path / "current.tflite", tmp_path / "other.tflite"
    link.symlink_to(path)
    other.write_bytes(labelled(path.read_bytes(), "new"))
    run = Run(link)
    fresh = tmp_path / "fresh"
    fresh.symlink_to(other)
    fresh.replace(link)
    assert run.settle() is not None
    assert run.label().startswith("new")


def test_a_file_that_is_still_being_written_waits(path: Path) -> None:
    data = labelled(path.read_bytes(), "new")
    run = Run(path)
    with path.open("wb") as file:
        for start in range(0, len(data), len(data) // 5):
            file.write(data[start : start + len(data) // 5])
            file.flush()
            assert run.look() is None
            assert not run.reloader.busy
    assert run.settle() is not None
    assert run.notices == ["model.tflite was replaced and runs from frame 123"]


def test_looks_are_an_interval_apart(path: Path) -> None:
    run = Run(path)
    run.look()
    replace_file(path, labelled(path.read_bytes(), "new"))
    assert run.look(1.0) is None  # sees the change
    for _ in range(9):
        assert run.look(0.1) is None
        assert not run.reloader.busy
    run.look(0.2)
    assert run.reloader.busy
    assert run.settle() is not None


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000, "cut", "tail"])
def test_garbage_is_refused_once_and_the_old_model_stays(path: Path, content: bytes | str) -> None:
    whole = path.read_bytes()
    if isinstance(content, str):
        content = whole[: len(whole) // 2] if content == "cut" else whole[:-30]
    run = Run(path)
    before, model = run.label(), run.model
    replace_file(path, content)
    assert run.settle() is None
    (notice,) = run.notices
    assert notice.startswith("the new model.tflite is refused: ")
    assert notice.endswith("; the old one stays")
    assert "\n" not in notice
    assert run.settle() is None
    assert len(run.notices) == 1
    assert run.model is model
    assert run.label() == before
    replace_file(path, labelled(whole, "new"))
    assert run.settle() is not None


def test_what_fails_its_check_is_refused(path: Path) -> None:
    data = path.read_bytes()
    facts = artefact.parse(data)
    assert facts is not None
    run = Run(path)
    replace_file(path, artefact.append(data, replace(facts, golden=bytes(40))))
    assert run.settle() is None
    assert "golden output" in run.notices[0]


def test_the_users_checks_are_made(path: Path) -> None:
    run = Run(path, checks=Checks(max_latency=1e-9))
    replace_file(path, labelled(path.read_bytes(), "new"))
    assert run.settle() is None
    assert "the limit is" in run.notices[0]


@pytest.mark.parametrize("error", [UserError("the class map lacks 'x'"), RuntimeError("one\ntwo")])
def test_whatever_load_raises_refuses_the_file(path: Path, error: Exception) -> None:
    def load() -> Model:
        raise error

    run = Run(path, load)
    replace_file(path, labelled(path.read_bytes(), "new"))
    assert run.settle() is None
    (notice,) = run.notices
    assert ("the class map lacks 'x'" if isinstance(error, UserError) else "RuntimeError: one;") in notice


def test_a_vanished_file_is_said_once_and_its_return_is_no_change(path: Path, tmp_path: Path) -> None:
    run = Run(path)
    path.rename(tmp_path / "aside")
    assert run.settle(5) is None
    assert run.notices == ["model.tflite has vanished; the model that runs stays"]
    (tmp_path / "aside").rename(path)
    assert run.settle() is None
    assert len(run.notices) == 1
    path.unlink()
    assert run.settle() is None
    assert len(run.notices) == 2


def test_a_vanished_file_that_comes_back_new_is_swapped_in(path: Path) -> None:
    data = labelled(path.read_bytes(), "new")
    run = Run(path)
    path.unlink()
    run.settle()
    path.write_bytes(data)
    assert run.settle() is not None


def test_a_touched_file_is_not_loaded(path: Path) -> None:
    run = Run(path, load=lambda: pytest.fail("loaded"))
    os.utime(path, ns=(1, 1))
    replace_file(path, path.read_bytes())
    assert run.settle() is None
    assert run.notices == []


def test_a_request_loads_the_file_although_it_has_not_changed(path: Path) -> None:
    run = Run(path)
    run.settle()
    run.reloader.request()
    run.look(0.0)  # not only at the next look
    assert run.settle() is not None
    assert run.notices == ["model.tflite was loaded again and runs from frame 123"]
    assert run.settle() is None


def test_a_request_for_a_refused_file_says_again_why(path: Path) -> None:
    run = Run(path)
    replace_file(path, b"garbage")
    run.settle()
    run.reloader.request()
    run.settle()
    assert len(run.notices) == 2


def test_a_request_without_a_file_is_answered(path: Path) -> None:
    run = Run(path)
    path.unlink()
    run.settle()
    run.reloader.request()
    run.settle()
    assert len(run.notices) == 2


def test_a_file_that_changes_during_its_check_is_judged_again(path: Path) -> None:
    data = path.read_bytes()
    loads: list[Model] = []

    def load() -> Model:
        loaded = edgecore.load(path, threads=1)
        if not loads:
            replace_file(path, labelled(data, "second"))
        loads.append(loaded)
        return loaded

    run = Run(path, load)
    replace_file(path, labelled(data, "first"))
    assert run.settle(6) is not None
    assert run.label().startswith("second")
    assert len(run.notices) == 1


def test_a_file_that_was_away_at_the_end_of_its_check_is_judged_when_it_is_back(path: Path) -> None:
    aside = path.with_name("aside")

    def load() -> Model:
        loaded = edgecore.load(path, threads=1)
        if not aside.exists():
            path.rename(aside)
        return loaded

    run = Run(path, load)
    replace_file(path, labelled(path.read_bytes(), "new"))
    assert run.settle() is None
    aside.rename(path)
    aside.touch()
    assert run.settle() is not None


def test_a_file_replaced_before_the_watch_began_is_noticed(path: Path) -> None:
    old = edgecore.load(path, threads=1)
    replace_file(path, labelled(path.read_bytes(), "new"))
    run = Run(path)
    run.reloader = Reloader(path, lambda: edgecore.load(path, threads=1), old, notice=run.notices.append)
    assert run.settle() is not None


def test_the_loop_goes_on_during_a_check(path: Path) -> None:
    loading, go_on = threading.Event(), threading.Event()

    def load() -> Model:
        loading.set()
        assert go_on.wait(60)
        return edgecore.load(path, threads=1)

    run = Run(path, load)
    replace_file(path, labelled(path.read_bytes(), "new"))
    run.look()
    run.look()
    assert loading.wait(60)
    for _ in range(5):
        assert run.look() is None
        assert run.label().startswith("kind")
    go_on.set()
    assert run.settle() is not None


def test_close_ends_a_check(path: Path) -> None:
    hold = threading.Event()

    def load() -> Model:
        hold.wait(60)
        raise UserError("too late")

    run = Run(path, load)
    replace_file(path, labelled(path.read_bytes(), "new"))
    run.look()
    run.look()
    begin = time.monotonic()
    run.reloader.close()
    run.reloader.close()
    assert time.monotonic() - begin < 5  # the load itself would take a minute
    hold.set()
    assert run.notices == []


def test_fifty_swaps_leave_nothing_behind(path: Path) -> None:
    from edgecore.model import BUNDLED_MODEL

    bundled = BUNDLED_MODEL.read_bytes()
    versions = [labelled(bundled, name) for name in ("even", "odd")]
    path.write_bytes(versions[1])
    run = Run(path)

    def swap(number: int) -> None:
        replace_file(path, versions[number % 2])
        assert run.settle() is not None
        assert run.label().startswith(("even", "odd")[number % 2])

    for number in range(10):
        swap(number)
    before = holdings()
    for number in range(50):
        swap(number)
    assert holdings().files == before.files
    # The system lists a thread for a moment after it was joined.
    until(lambda: holdings().threads <= before.threads, "the end of the checks")
    # Each model holds its file of 1 MB and more, so that 50 kept ones would be 50 MB at the least; the heap
    # itself goes up and down by a few.
    assert holdings().rss - before.rss < 10_000_000
