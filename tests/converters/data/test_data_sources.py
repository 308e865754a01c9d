"""Listing, splitting and decoding of labelled images, and what bad data gets."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgecore.converters import data
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing, image_of

SPEC = Preprocessing(width=32, height=24)


def test_a_folder_and_its_zip_give_the_same_images(colours: Path, zipped: Callable[[Path], Path]) -> None:
    folder = data.open_source(colours / "test")
    archive = data.open_source(zipped(colours / "test"))
    assert folder.classes == archive.classes == ("blue", "red")
    assert folder.items == archive.items
    first, second = data.load(folder, SPEC), data.load(archive, SPEC)
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], np.repeat([0, 1], 10))


def test_images_pass_the_devices_preprocessing(colours: Path) -> None:
    source = data.open_source(colours / "test")
    images, _ = data.load(source, SPEC)
    assert images.shape == (20, 24, 32, 3)
    frame, _ = next(source.frames())
    np.testing.assert_array_equal(images[0], image_of(frame, SPEC))
    assert images[0, ..., 2].mean() > images[0, ..., 0].mean() + 100  # blue comes last in RGB
    grey, _ = data.load(source, Preprocessing(width=32, height=24, order="GREY"))
    assert grey.shape == (20, 24, 32, 1)


def test_the_float_input_is_pixel_minus_mean_times_scale() -> None:
    spec = Preprocessing(width=1, height=1, mean=(10.0, 0.0, 0.0), scale=(2.0, 1.0, 0.5))
    out = data.to_input(np.array([[[[12, 3, 4]]]], np.uint8), spec)
    np.testing.assert_array_equal(out, [[[[4.0, 3.0, 2.0]]]])
    assert out.dtype == np.float32


def test_a_balanced_part_takes_the_same_of_each_class_over_its_whole_length(colours: Path) -> None:
    part = data.open_source(colours / "train").balanced(10)
    assert [index for _, index in part.items] == [0] * 5 + [1] * 5
    assert [name for name, index in part.items if index == 0] == [
        f"blue/{n:02}.png" for n in (0, 8, 16, 24, 32)
    ]


def test_two_parts_are_found_under_their_names(colours: Path) -> None:
    training, test = data.open_splits(colours)
    assert (len(training.items), len(test.items)) == (80, 20)
    assert data.judged_source(colours).items == test.items


def test_a_single_source_is_split_without_overlap_and_alike_in_each_class(colours: Path) -> None:
    training, held = data.open_splits(colours / "train", held_out=0.25)
    assert not set(training.items) & set(held.items)
    assert len(training.items) + len(held.items) == 80
    assert [index for _, index in held.items].count(0) == 10
    assert len(data.judged_source(colours / "train").items) == 80
    assert data.judged_source(colours / "train", held_out=True) == data.open_splits(colours / "train")[1]


def test_missing_data_is_named(tmp_path: Path) -> None:
    for call in (data.open_source, data.open_splits, data.judged_source):
        with pytest.raises(UserError, match=r"no data at .*nowhere"):
            call(tmp_path / "nowhere")


def test_an_empty_class_is_named(colours: Path, tmp_path: Path) -> None:
    shutil.copytree(colours / "test", tmp_path / "set")
    (tmp_path / "set" / "green").mkdir()
    with pytest.raises(UserError, match="class 'green' has no images"):
        data.open_source(tmp_path / "set")


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="0 class folders"):
        data.open_source(tmp_path)


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.zip").write_bytes(b"PK no")
    with pytest.raises(UserError, match="neither a folder nor a readable zip"):
        data.open_source(tmp_path / "train.zip")


def test_parts_with_different_classes_are_refused(colours: Path, tmp_path: Path) -> None:
    shutil.copytree(colours, tmp_path / "both")
    (tmp_path / "both" / "test" / "red").rename(tmp_path / "both" / "test" / "green")
    with pytest.raises(UserError, match=r"both: class 'red' is in train only, 'green' is in test only"):
        data.open_splits(tmp_path / "both")


@pytest.mark.parametrize("k", [2, 3, 7])
def test_folds_hold_out_each_image_once_in_runs_of_every_class(colours: Path, k: int) -> None:
    source = data.open_source(colours / "train")
    folds = source.folds(k)
    assert len(folds) == k
    held = [item for _, part in folds for item in part.items]
    assert sorted(held) == sorted(source.items)
    for training, part in folds:
        assert sorted(training.items + part.items) == sorted(source.items)
        for index in (0, 1):
            positions = [source.items.index(item) for item in part.items if item[1] == index]
            assert positions == list(range(positions[0], positions[0] + len(positions)))
            assert len(positions) in (40 // k, -(-40 // k))
    assert folds == data.open_source(colours / "train").folds(k)


@pytest.mark.parametrize(("k", "message"), [(1, "give 2 or more"), (11, "'blue' has 10 images, too few")])
def test_folds_that_cannot_be_are_refused(colours: Path, k: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        data.open_source(colours / "test").folds(k)
