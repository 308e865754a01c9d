"""Uncertain pictures: which, where, how many, and what a disk can do to them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from disks import SmallDisk
from materials import picture, until
from published import growth_of, result_of

from edgecore.converters.data import open_source
from edgecore.errors import UserError
from edgecore.live.outputs.results import read_results
from edgecore.live.outputs.uncertain import Uncertain, file_name, used_bytes


def saved(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.jpg"))


def flush(output: Uncertain) -> None:
    until(lambda: output._worker.idle)


def test_the_bounds_are_those_of_the_best_score(tmp_path: Path) -> None:
    output = Uncertain(tmp_path / "new" / "folder", (0.3, 0.7), every=0)
    for index, score in enumerate((0.29, 0.3, 0.5, 0.7, 0.71)):
        output.publish(result_of(index, score=score))
        flush(output)
    output.close()
    lines = list(read_results(tmp_path / "new" / "folder" / "scores.jsonl"))
    assert [line["frame"] for line in lines] == [1, 2, 3]
    assert len(saved(tmp_path / "new" / "folder")) == 3


def test_a_name_tells_time_score_and_label_and_the_picture_is_the_frame(tmp_path: Path) -> None:
    output = Uncertain(tmp_path, every=0)
    before = time.time()
    output.publish(result_of(3, "tabby cat", 0.512))
    output.close()
    (path,) = saved(tmp_path)
    assert path.parent.name == "tabby cat"
    stamp, score, label = path.stem.split("-")
    moment = time.strptime(stamp.partition(".")[0], "%Y%m%dT%H%M%S")
    assert abs(time.mktime(moment) - time.timezone - before) < 5
    assert (score, label) == ("0.51", "tabby cat")
    assert np.abs(cv2.imread(str(path)).astype(int) - picture(3)).mean() < 3
    (line,) = read_results(tmp_path / "scores.jsonl")
    assert line["picture"] == f"tabby cat/{path.name}"
    assert line["predictions"] == [{"label": "tabby cat", "score": 0.512, "index": 1}]


def test_training_takes_the_folder(tmp_path: Path) -> None:
    output = Uncertain(tmp_path, every=0)
    for index, label in enumerate(("cat", "dog", "cat")):
        output.publish(result_of(index, label, 0.5))
        flush(output)
    output.close()
    source = open_source(tmp_path)
    assert source.classes == ("cat", "dog")
    assert [index for _, index in source.items] == [0, 0, 1]
    assert len(list(source.frames())) == 3


def test_a_picture_every_so_often(tmp_path: Path) -> None:
    output = Uncertain(tmp_path, every=0.2)
    begin = time.monotonic()
    while time.monotonic() - begin < 0.5:
        output.publish(result_of(0, score=0.5))
        time.sleep(0.005)
    output.close()
    assert 2 <= len(saved(tmp_path)) <= 3


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("cat", "cat"),
        ("cat/dog", "cat%2Fdog"),
        ("..", "%2E."),
        ("", "no label"),
        ("Kätzchen, 猫", "Kätzchen, 猫"),
        ("a\0b\nc", "a%00b%0Ac"),
        ("\udcff", "%FF"),
        ("x" * 500, "x" * 60),
        ("猫" * 500, "猫" * 20),
    ],
)
def test_any_label_names_a_folder_inside(tmp_path: Path, label: str, name: str) -> None:
    assert file_name(label) == name
    output = Uncertain(tmp_path / "folder", every=0)
    output.publish(result_of(0, label, 0.5))
    output.close()
    assert [path.parent.name for path in saved(tmp_path / "folder")] == [name]
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_the_size_counts_what_is_there_and_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    old = tmp_path / "cat" / "old.jpg"
    old.write_bytes(b"x" * 90_000)
    told: list[str] = []
    output = Uncertain(tmp_path, every=0, size=100_000, notice=told.append)

    def publish(count: int) -> None:
        for index in range(count):
            output.publish(result_of(index, score=0.5))
            flush(output)

    publish(20)
    kept = len(saved(tmp_path)) - 1
    assert 1 < kept < 10
    assert used_bytes(tmp_path) <= 100_000
    assert told == [
        f"{tmp_path}: 0.1 MB of pictures are the limit; no more are saved until some are taken away"
    ]
    old.unlink()
    publish(1)
    assert len(saved(tmp_path)) == kept + 1
    output.close()
    assert len(told) == 1


def test_a_full_disk_leaves_whole_pictures_only_and_is_survived(small_disk: SmallDisk) -> None:
    output = Uncertain(small_disk.path, every=0)
    small_disk.fill(leave=24_000)

    def fails(result: Callable[[], None]) -> bool:
        try:
            result()
        except OSError as error:
            assert "No space left" in str(error)
            return True
        return False

    def publish() -> None:
        output.publish(result_of(0, score=0.5))
        flush(output)

    until(lambda: fails(publish))
    pictures = saved(small_disk.path)
    assert pictures
    assert all(cv2.imread(str(path)) is not None for path in pictures)
    assert not [path for path in small_disk.path.rglob("*") if path.name.startswith(".")]
    assert fails(
        lambda: output.publish(result_of(0, score=0.99))
    )  # not mended because nothing was to be saved
    small_disk.clear()
    until(lambda: not fails(lambda: output.publish(result_of(0, score=0.99))))
    publish()
    assert len(saved(small_disk.path)) == len(pictures) + 1
    output.close()


def test_a_folder_that_is_removed_and_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    output = Uncertain(folder, every=0)
    shutil.rmtree(folder)
    output.publish(result_of(0, score=0.5))
    flush(output)
    with pytest.raises(FileNotFoundError):
        output.publish(result_of(0, score=0.5))
    assert not folder.exists()
    folder.mkdir()

    def works() -> bool:
        try:
            output.publish(result_of(0, score=0.5))
        except FileNotFoundError:
            return False
        return True

    until(works)
    output.close()
    assert len(saved(folder)) == 1


def test_what_a_power_cut_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / ".picture.jpg.part").write_bytes(b"half")
    Uncertain(tmp_path).close()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["scores.jsonl"]


def test_folders_that_cannot_be_used(tmp_path: Path, small_disk: SmallDisk) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"pictures cannot be saved in .*: File exists; name another folder"):
        Uncertain(tmp_path / "file")
    small_disk.read_only(True)
    with pytest.raises(UserError, match="Read-only file system"):
        Uncertain(small_disk.path)
    small_disk.read_only(False)


def test_memory_and_descriptors_stay_flat(tmp_path: Path) -> None:
    output = Uncertain(tmp_path, every=0.001, size=1_000_000)
    results = [result_of(index, score=0.5 if index % 10 == 0 else 0.9) for index in range(70)]
    memory, descriptors = growth_of(lambda index: output.publish(results[index % 70]))
    output.close()
    assert memory < 1 << 20
    assert descriptors <= 3  # of the picture that is being written
