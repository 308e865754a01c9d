"""Streams of batches: what seed and epoch decide, and what threads, cache and bad images do not."""

from __future__ import annotations

import itertools
import shutil
import threading
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgecore.converters import data
from edgecore.converters.data import Augmentation, Batches
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing

SPEC = Preprocessing(width=32, height=24, mean=(10, 20, 30), scale=(1 / 255, 1 / 128, 1 / 64))
VARIED = Augmentation(translate=3, flip=True, brightness=0.2, rotate=10, mixup=0.3)
PLAIN = Augmentation()


def epoch(batches: Batches, n: int) -> tuple[np.ndarray, np.ndarray]:
    images, labels = zip(*batches.epoch(n), strict=True)
    return np.concatenate(images), np.concatenate(labels)


def test_an_epoch_is_all_images_once_in_whole_batches(colours: Path) -> None:
    source = data.open_source(colours / "test")
    batches = Batches(source, SPEC, PLAIN, batch=5, seed=1)
    assert len(batches) == 4
    made = list(batches.epoch(0))
    assert [(x.shape, x.dtype, y.shape, y.dtype) for x, y in made] == [
        ((5, 24, 32, 3), np.float32, (5, 2), np.float32)
    ] * 4
    images, labels = epoch(batches, 0)
    expected = data.to_input(data.load(source, SPEC)[0], SPEC)
    positions = [int(np.abs(expected - image).max(axis=(1, 2, 3)).argmin()) for image in images]
    assert sorted(positions) == list(range(20))
    assert positions != list(range(20))
    np.testing.assert_array_equal(images, expected[positions])
    np.testing.assert_array_equal(labels, np.eye(2)[np.array(positions) // 10])


def test_seed_and_epoch_alone_decide(colours: Path) -> None:
    source = data.open_source(colours / "test")
    reference = epoch(Batches(source, SPEC, VARIED, batch=6, seed=1, cache=0, threads=1), 2)
    for cache, threads in ((0, 3), (5 * 24 * 32 * 3, 2), (data.CACHE, 1)):
        batches = Batches(source, SPEC, VARIED, batch=6, seed=1, cache=cache, threads=threads)
        epoch(batches, 0)
        for _ in range(2):
            for array, expected in zip(epoch(batches, 2), reference, strict=True):
                np.testing.assert_array_equal(array, expected)
    for seed, n in ((1, 3), (2, 2)):
        other = epoch(Batches(source, SPEC, VARIED, batch=6, seed=seed), n)
        assert not np.array_equal(other[0], reference[0])


def test_fewer_images_than_a_batch_are_refused(colours: Path) -> None:
    with pytest.raises(UserError, match="20 training images do not fill a batch of 21"):
        Batches(data.open_source(colours / "test"), SPEC, PLAIN, batch=21, seed=1)


def test_a_consumer_that_stops_midway_leaves_no_thread(colours: Path) -> None:
    before = threading.active_count()
    batches = Batches(data.open_source(colours / "train"), SPEC, PLAIN, batch=2, seed=1, threads=3)
    for _ in itertools.islice(batches.epoch(0), 3):
        assert threading.active_count() > before
    assert threading.active_count() == before
    assert len(epoch(batches, 0)[0]) == 80


def test_batches_are_made_only_a_few_ahead(colours: Path) -> None:
    batches = Batches(
        data.open_source(colours / "train"), SPEC, PLAIN, batch=1, seed=1, threads=1, cache=data.CACHE
    )
    stream = batches.epoch(0)
    next(stream)
    stream.close()
    assert batches.images.cached <= 4


def test_memory_is_bounded_whatever_the_size_of_the_set(tmp_path: Path) -> None:
    for name, value in (("dark", 40), ("light", 200)):
        (tmp_path / name).mkdir()
        for number in range(150):
            cv2.imwrite(str(tmp_path / name / f"{number}.png"), np.full((8, 8, 3), value, np.uint8))
    source, spec = data.open_source(tmp_path), Preprocessing(width=128, height=128)
    whole, budget = 300 * 128 * 128 * 3, 20 * 128 * 128 * 3

    def peak(cache: int) -> int:
        tracemalloc.start()
        batches = Batches(source, spec, PLAIN, batch=2, seed=1, cache=cache, threads=2)
        for _ in batches.epoch(0):
            pass
        for _ in data.in_order(source, spec, 2):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(whole) > whole
    assert peak(budget) < budget + whole / 3


@pytest.fixture
def damaged(colours: Path, tmp_path: Path) -> Path:
    """test with two images that cannot be used."""
    shutil.copytree(colours / "test", tmp_path / "set")
    (tmp_path / "set" / "blue" / "03.png").write_bytes(b"")
    (tmp_path / "set" / "red" / "09.png").write_bytes(b"no image")
    return tmp_path / "set"


def test_batches_stay_whole_and_alike_where_images_are_left_out(damaged: Path) -> None:
    first, again = (
        Batches(data.open_source(damaged), SPEC, VARIED, batch=4, seed=3, threads=threads, cache=cache)
        for threads, cache in ((1, 0), (3, data.CACHE))
    )
    for n in (0, 1):
        for array, expected in zip(epoch(first, n), epoch(again, n), strict=True):
            assert len(array) == 20
            np.testing.assert_array_equal(array, expected)
    for batches in (first, again):
        assert data.left_out(batches.images.source) == [
            f"2 images of 20 in {damaged} do not decode and were left out: blue/03.png, red/09.png"
        ]


def test_too_many_bad_images_end_the_epoch_for_the_consumer(damaged: Path) -> None:
    batches = Batches(data.open_source(damaged, limit=1), SPEC, PLAIN, batch=4, seed=3)
    with pytest.raises(UserError, match=r"2 of 20 images cannot be used, more than the 1 .*\(empty\)"):
        epoch(batches, 0)


def test_a_training_part_of_which_nothing_decodes_is_an_error(damaged: Path) -> None:
    source = data.open_source(damaged)
    bad = tuple(item for item in source.items if item[0] in ("blue/03.png", "red/09.png"))
    part = data.Source(source.path, source.classes, bad, source.left_out)
    with pytest.raises(UserError, match="none of the 2 training images can be used"):
        epoch(Batches(part, SPEC, PLAIN, batch=2, seed=1), 0)
