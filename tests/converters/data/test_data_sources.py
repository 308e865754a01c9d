"""Listing, splitting and decoding of labelled images, and what bad data gets."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_a_class_of_one_image_cannot_be_split(colours: Path, tmp_path: Path) -> None:
    shutil.copytree(colours / "test", tmp_path / "set")
    (tmp_path / "set" / "green").mkdir()
    shutil.copy(colours / "test" / "red" / "00.png", tmp_path / "set" / "green")
    with pytest.raises(UserError, match=r"class 'green' has too few images \(1\): .* to train with"):
        data.open_splits(tmp_path / "set")


@given(
    counts=st.lists(st.integers(2, 30), min_size=2, max_size=4),
    k=st.integers(2, 6),
    share=st.sampled_from([0.1, 0.2, 0.5]),
)
def test_parts_never_overlap_and_lose_nothing(counts: list[int], k: int, share: float) -> None:
    names = tuple(f"class{index}" for index in range(len(counts)))
    items = tuple(
        (f"{name}/{number}.png", index)
        for index, (name, count) in enumerate(zip(names, counts, strict=True))
        for number in range(count)
    )
    left_out = data.LeftOut(Path("set"), dict(zip(names, counts, strict=True)))
    source = data.Source(Path("set"), names, items, left_out)
    parts = [source.split(share)] + (source.folds(k) if min(counts) >= k else [])
    for training, held in parts:
        assert sorted(training.items + held.items) == sorted(items)
        assert training.left_out is held.left_out is left_out
        assert {index for _, index in training.items} == {index for _, index in held.items}
    held_out = [item for _, held in parts[1:] for item in held.items]
    assert len(set(held_out)) == len(held_out) == (len(items) if len(parts) > 1 else 0)


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


@pytest.mark.parametrize(
    ("k", "message"), [(1, "give 2 or more"), (11, r"'blue' has too few images \(10\): .*11 folds")]
)
def test_folds_that_cannot_be_are_refused(colours: Path, k: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        data.open_source(colours / "test").folds(k)


def pack(target: Path, folder: Path, within: str = "", empty: tuple[str, ...] = ()) -> Path:
    """A zip of the images of `folder`, in the folder `within` of the zip, and of empty files beside them."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, within + path.relative_to(folder).as_posix())
        for name in empty:
            archive.writestr(name, b"")
    return target


def test_one_folder_around_the_classes_is_passed_over(colours: Path, tmp_path: Path) -> None:
    (tmp_path / "outer").mkdir()
    shutil.copytree(colours / "test", tmp_path / "outer" / "inner")
    archive = pack(tmp_path / "set.zip", colours / "test", "inner/", ("__MACOSX/inner/blue/._00.png",))
    for path in (tmp_path / "outer", archive):
        source = data.open_source(path)
        assert source.classes == ("blue", "red")
        assert source.items[0] == ("inner/blue/00.png", 0)
        np.testing.assert_array_equal(
            data.load(source, SPEC)[0], data.load(data.open_source(colours / "test"), SPEC)[0]
        )


@pytest.mark.parametrize("within", ["", "colours/"])
def test_train_and_test_are_found_in_a_zip(colours: Path, tmp_path: Path, within: str) -> None:
    archive = pack(tmp_path / "set.zip", colours, within)
    training, test = data.open_splits(archive)
    assert (len(training.items), len(test.items)) == (80, 20)
    assert data.judged_source(archive).items == test.items
    np.testing.assert_array_equal(
        data.load(test, SPEC)[0], data.load(data.open_source(colours / "test"), SPEC)[0]
    )


def test_paths_that_leave_a_zip_are_no_images(colours: Path, tmp_path: Path) -> None:
    strange = ("/green/00.png", "../green/00.png", "x//y.png")
    archive = pack(tmp_path / "set.zip", colours / "test", empty=strange)
    assert data.open_source(archive).classes == ("blue", "red")


def test_images_that_lie_too_deep_are_not_taken_for_a_class(colours: Path) -> None:
    with pytest.raises(UserError, match="class 'test' has no images"):
        data.open_source(colours)


def test_an_encrypted_zip_is_refused(colours: Path, tmp_path: Path) -> None:
    archive = pack(tmp_path / "set.zip", colours / "test")
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # a flag of the first member, in the central directory
    archive.write_bytes(content)
    with pytest.raises(UserError, match="is encrypted; unpack it"):
        data.open_source(archive)


def test_links_are_followed_and_dead_ones_left_out(colours: Path, tmp_path: Path) -> None:
    (tmp_path / "set" / "red").mkdir(parents=True)
    (tmp_path / "set" / "blue").symlink_to(colours / "test" / "blue")
    (tmp_path / "set" / "red" / "a.png").symlink_to(colours / "test" / "red" / "00.png")
    (tmp_path / "set" / "red" / "b.png").symlink_to("nowhere.png")
    (tmp_path / "set" / "red" / "c.png").symlink_to("c.png")
    (tmp_path / "set" / "red" / "round").symlink_to(".")
    source = data.open_source(tmp_path / "set")
    assert len(data.load(source, SPEC)[1]) == 11
    assert source.left_out.reasons == {
        "red/b.png": "cannot be read: No such file or directory",
        "red/c.png": "cannot be read: Too many levels of symbolic links",
    }


def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to(".")
    with pytest.raises(UserError, match="holds 1 class folders"):
        data.open_source(tmp_path)


ODD = ["a b.png", "\u00e4\u6f22.png", "new\nline.png", "-x.PNG", "\udcff.png", "%20;$(x).png", "c:\\d.png"]


def test_file_names_may_have_any_characters(colours: Path, tmp_path: Path) -> None:
    shutil.copytree(colours / "test", tmp_path / "set")
    for name in ODD:
        shutil.copy(colours / "test" / "red" / "00.png", tmp_path / "set" / "red" / name)
    source = data.open_source(tmp_path / "set")
    assert len(data.load(source, SPEC)[1]) == 20 + len(ODD)
    assert list(source.items) == sorted(source.items)
    (tmp_path / "set" / "red" / "new\nline.png").write_bytes(b"")
    (tmp_path / "set" / "red" / "\udcff.png").write_bytes(b"")
    data.load(source, SPEC)
    assert data.left_out(source) == [
        f"2 images of 27 in {tmp_path / 'set'} do not decode and were left out: "
        "red/new\\nline.png, red/\\udcff.png"
    ]


@pytest.mark.parametrize("name", ["two\nlines", "\udcff"])
def test_a_class_whose_name_no_label_file_holds_is_refused(colours: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(colours / "test", tmp_path / "set")
    (tmp_path / "set" / "red").rename(tmp_path / "set" / name)
    with pytest.raises(UserError, match="is no name for a class"):
        data.open_source(tmp_path / "set")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_named(colours: Path, tmp_path: Path) -> None:
    shutil.copytree(colours / "test", tmp_path / "set")
    (tmp_path / "set" / "red" / "00.png").chmod(0)
    source = data.open_source(tmp_path / "set")
    assert len(data.load(source, SPEC)[1]) == 19
    assert source.left_out.reasons == {"red/00.png": "cannot be read: Permission denied"}
    (tmp_path / "set" / "red").chmod(0)
    try:
        with pytest.raises(UserError, match="red cannot be listed: Permission denied"):
            data.open_source(tmp_path / "set")
        with pytest.raises(UserError, match="inner cannot be read: Permission denied"):
            data.open_source(tmp_path / "set" / "red" / "inner")
    finally:
        (tmp_path / "set" / "red").chmod(0o700)
