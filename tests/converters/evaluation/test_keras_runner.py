"""A .keras model answers image by image through the device's preprocessing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecore.artefact import Artefact
from edgecore.converters.data import open_source
from edgecore.converters.evaluation.images import ImageList
from edgecore.converters.evaluation.jobs import Answers, KerasJob
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing, image_of

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]

SPEC = Preprocessing(width=8, height=6, order="BGR", mean=(100.0,), scale=(0.02,))


def saved(folder: Path, classes: tuple[str, ...] = ("red", "blue"), facts: bool = True) -> Any:
    """A network that knows the two colours, saved as `edgecore train` does."""
    import keras

    inputs = keras.Input((6, 8, 3))
    outputs = keras.layers.Dense(2, use_bias=False)(keras.layers.GlobalAveragePooling2D()(inputs))
    model = keras.Model(inputs, outputs)
    model.layers[-1].set_weights([np.array([[-1, 1], [0, 0], [1, -1]], np.float32)])
    model.save(folder / "model.keras")
    if facts:
        text = json.dumps(Artefact("colours", classes, SPEC.to_json()).to_json())
        (folder / "model.json").write_text(text)
    return model


def answers(job: KerasJob, tell: Callable[[int], None] = lambda images: None) -> Answers:
    from edgecore.converters.evaluation import keras_runner

    return keras_runner.run(job, tell)


@pytest.fixture
def images(colours: Path) -> ImageList:
    return ImageList.of(open_source(colours / "train"))


def test_every_image_gets_the_answer_that_keras_gives_to_what_the_device_sees(
    images: ImageList, tmp_path: Path
) -> None:
    model = saved(tmp_path)
    told: list[int] = []
    found = answers(KerasJob(tmp_path / "model.keras", images), told.append)
    frames = [frame for frame in images.frames() if frame is not None]
    inputs = (np.stack([image_of(frame, SPEC) for frame in frames]).astype(np.float32) - 100) * 0.02
    # The model's first class is red, which is the data's second.
    np.testing.assert_array_equal(found.predicted, 1 - model.predict(inputs, verbose=0).argmax(axis=1))
    assert found.report(images).accuracy == 1.0
    assert found.parameters == 6
    assert told == [64, 80]


def test_images_that_do_not_decode_have_no_answer_and_shift_none(
    tmp_path: Path, colours: Path, zipped: Callable[[Path], Path]
) -> None:
    saved(tmp_path)
    whole = open_source(zipped(colours / "test"))
    broken = ImageList(whole.path, whole.classes, (*whole.items[:5], ("gone.png", 0), *whole.items[5:]), 3)
    found = answers(KerasJob(tmp_path / "model.keras", broken))
    assert list(np.flatnonzero(~found.seen)) == [5]
    assert found.report(broken).accuracy == 1.0


def test_the_float_tflite_is_written_where_it_is_asked_for(images: ImageList, tmp_path: Path) -> None:
    saved(tmp_path)
    found = answers(KerasJob(tmp_path / "model.keras", images, flatbuffer=tmp_path / "float.tflite"))
    assert (tmp_path / "float.tflite").read_bytes()[4:8] == b"TFL3"
    assert found.notes == ()


def test_classes_come_from_the_facts_or_a_file(images: ImageList, tmp_path: Path) -> None:
    saved(tmp_path, facts=False)
    with pytest.raises(UserError, match=r"has no model\.json beside it"):
        answers(KerasJob(tmp_path / "model.keras", images))
    labels = tmp_path / "labels.txt"
    labels.write_text("red\nblue\n")
    assert answers(KerasJob(tmp_path / "model.keras", images, labels)).seen.all()
    labels.write_text("red\nblue\ngreen\n")
    with pytest.raises(UserError, match="3 labels do not fit"):
        answers(KerasJob(tmp_path / "model.keras", images, labels))
