"""Files of a run are whole or not there, on a full disk too, and a folder is one process's."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from disks import SmallDisk, mounted

from edgecore.converters.training import files, state
from edgecore.converters.training.history import Epoch
from edgecore.errors import UserError

EPOCH = Epoch(1, 0.5, 0.75, 0.4, 0.8, 0.6, 0.01, 1.5)


class Variable:
    """As much of a Keras variable as the state asks for."""

    def __init__(self, *values: float) -> None:
        self.values = np.array(values, np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        return self.values

    def assign(self, values: np.ndarray) -> None:
        self.values = values.astype(np.float32)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 1 MiB."""
    with mounted(tmp_path / "disk", 1) as disk:
        yield disk


def test_state_comes_back_as_it_was(tmp_path: Path) -> None:
    state.save(tmp_path / "state.npz", [Variable(1, 2), Variable(3)], [EPOCH])
    found = [Variable(0, 0), Variable(0)]
    assert state.load(tmp_path / "state.npz", found) == [EPOCH]
    assert [variable.values.tolist() for variable in found] == [[1, 2], [3]]


@pytest.mark.parametrize("others", [[Variable(0, 0)], [Variable(0), Variable(0)], [Variable(0, 0)] * 3])
def test_the_state_of_another_network_changes_nothing(tmp_path: Path, others: list[Variable]) -> None:
    state.save(tmp_path / "state.npz", [Variable(1, 2), Variable(3)], [EPOCH])
    with pytest.raises(UserError, match="choose another --out"):
        state.load(tmp_path / "state.npz", others)
    assert not any(variable.values.any() for variable in others)


def test_a_state_cut_short_is_a_user_error(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    state.save(path, [Variable(1, 2)], [EPOCH])
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UserError, match="does not read"):
        state.load(path, [Variable(0, 0)])


def test_a_full_disk_leaves_the_last_good_state(disk: SmallDisk) -> None:
    path = disk.path / "state.npz"
    large = Variable(*np.arange(100_000))
    state.save(path, [large], [EPOCH])
    good = path.read_bytes()
    disk.fill(leave=200_000)
    with pytest.raises(UserError, match=r"cannot write .*state.npz: No space left on device; .* --resume"):
        state.save(path, [large], [EPOCH, EPOCH])
    assert path.read_bytes() == good
    assert sorted(entry.name for entry in disk.path.iterdir()) == ["filling", "state.npz"]
    disk.clear()
    state.save(path, [large], [EPOCH, EPOCH])
    assert len(state.load(path, [large])) == 2


def test_a_used_folder_is_only_taken_up_with_resume(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(UserError, match="nothing to resume"), files.opened(folder, resume=True):
        pass
    assert not folder.exists()
    with files.opened(folder, resume=False):
        files.write_json(folder / files.CONFIG, {})
    with files.opened(folder, resume=True), files.opened(tmp_path / "other", resume=False):
        pass
    with files.opened(folder, resume=False):  # no epoch is lost
        (folder / files.STATE).touch()
    with pytest.raises(UserError, match="already holds a run"), files.opened(folder, resume=False):
        pass


def _hold(folder: Path, said: multiprocessing.queues.Queue[str]) -> None:
    try:
        with files.opened(folder, resume=False):
            said.put("opened")
    except UserError as error:
        said.put(str(error))


def test_a_folder_is_one_processs_at_a_time(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    said = spawn.Queue()
    with files.opened(tmp_path, resume=False):
        other = spawn.Process(target=_hold, args=(tmp_path, said))
        other.start()
        assert "another process trains in" in said.get(timeout=60)
        other.join()


def test_a_folder_that_cannot_be_made_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(UserError, match="choose another --out"),
        files.opened(tmp_path / "file" / "run", False),
    ):
        pass
