"""A verification counts what float and int8 answer, on the images that it was given."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecore.converters import data
from edgecore.converters.verification import verify
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing, Preprocessor, image_of

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]
SPEC = Preprocessing(width=32, height=32)
CLASSES = ("blue", "red")


@pytest.fixture
def source(colours: Path) -> data.Source:
    return data.open_source(colours / "test")


@pytest.fixture
def converted(network: Any, tmp_path: Path) -> Path:
    path: Path = network.write(tmp_path / "tiny.tflite")
    return path


def test_the_counts_are_those_of_both_models(network: Any, source: data.Source, converted: Path) -> None:
    from edgecore.converters.verification.host import PLAIN, HostModel

    done: list[int] = []
    found = verify(network.whole, converted, source, SPEC, CLASSES, exact_images=10, progress=done.append)
    assert done == list(range(1, 21))
    images, truth = data.load(source, SPEC)
    scores = network.keras.predict_on_batch(data.to_input(images, SPEC))
    integer = HostModel(network.int8, PLAIN)
    stored = []
    for image in images:
        integer.run((image.astype(np.int16) - 128).astype(np.int8)[None])
        stored.append((integer.output()[0].astype(np.float32) + 128) / 256)
    assert found.float_hits == (scores.argmax(axis=1) == truth).sum()
    assert found.int8_hits == (np.argmax(stored, axis=1) == truth).sum()
    assert found.agreeing == (np.argmax(stored, axis=1) == scores.argmax(axis=1)).sum()
    assert found.agreeing + len(found.flips) == found.images == 20
    # Rounding of dense layers differs by one step between runtimes.
    assert found.score_error.largest == pytest.approx(np.abs(stored - scores).max(), abs=2 / 256)
    assert [entry.images for entry in found.classes] == [10, 10]
    assert found.engine.compared == 10
    assert found.engine.left == ()
    assert found.exact
    assert found.layers[0].noise >= found.layers[-1].noise
    assert "20 held-out images" in found.text()


def test_an_unlike_float_model_loses_by_class(network: Any, source: data.Source, converted: Path) -> None:
    from edgecore.converters.quantise import to_float

    swapped = network.copy().keras
    kernel, bias = swapped.get_layer("classifier").get_weights()
    swapped.get_layer("classifier").set_weights([kernel[:, ::-1], bias[::-1]])
    found = verify(to_float(swapped), converted, source, SPEC, CLASSES, exact_images=0, layer_images=0)
    same = verify(network.whole, converted, source, SPEC, CLASSES, exact_images=0, layer_images=0)
    assert found.int8_hits == same.int8_hits
    assert found.float_hits == 20 - same.float_hits
    assert found.agreeing == 20 - same.agreeing
    assert {flip.truth for flip in found.flips} == set(CLASSES)
    assert all(flip.float_answer != flip.int8_answer for flip in found.flips)
    assert found.layers == ()
    assert found.engine.compared == 0


def test_labels_in_another_order_than_the_folders(network: Any, source: data.Source, converted: Path) -> None:
    plain = verify(network.whole, converted, source, SPEC, CLASSES, layer_images=0)
    turned = verify(network.whole, converted, source, SPEC, CLASSES[::-1], layer_images=0)
    assert [entry.name for entry in turned.classes] == ["red", "blue"]
    assert turned.int8_hits == 20 - plain.int8_hits


@pytest.mark.parametrize(
    ("images", "wanted", "macs", "step"),
    [
        (640, 64, 10**8, 10),
        (640, 64, 6 * 10**9, 64),
        (640, 64, 10**12, 160),
        (3, 64, 10**8, 1),
        (640, 0, 1, 0),
    ],
)
def test_a_slow_reference_is_asked_less_often(images: int, wanted: int, macs: int, step: int) -> None:
    from edgecore.converters.verification.verify import _step

    assert _step(images, wanted, macs) == step


@pytest.mark.parametrize("order", ["RGB", "BGR", "GREY"])
def test_the_int8_input_is_what_the_device_makes_of_the_frame(source: data.Source, order: str) -> None:
    from edgecore.converters.verification.verify import _inputs
    from edgecore.network import TensorSpec

    spec = Preprocessing(24, 20, order=order, resize="letterbox", mean=(100.0,), scale=(0.013,))
    target = TensorSpec("image", 0, (1, 20, 24, spec.channels), "int8", 0.011, 3)
    preprocess = Preprocessor(spec, np.int8, target.scale, target.zero_point)
    expected = np.empty(target.shape, np.int8)
    few = source.balanced(4)
    for (frame, _), (_, _, real, stored) in zip(few.frames(), _inputs(few, spec, target), strict=True):
        preprocess(frame, expected, "BGR")
        np.testing.assert_array_equal(stored, expected)
        pixels = image_of(frame, spec).astype(np.float32)
        np.testing.assert_allclose(real[0], (pixels - 100) * np.float32(0.013), rtol=1e-6)


def test_what_does_not_fit_is_one_clear_line(
    network: Any, source: data.Source, converted: Path, colours: Path, tmp_path: Path
) -> None:
    def complaint(**changes: Any) -> str:
        given: dict[str, Any] = {
            "converted": converted,
            "held_out": source,
            "spec": SPEC,
            "classes": CLASSES,
        } | changes
        with pytest.raises(UserError) as caught:
            verify(network.whole, **given)
        return str(caught.value)

    assert "not (1, 16, 32, 3)" in complaint(spec=dataclasses.replace(SPEC, height=16))
    assert "lacks the model's class 'green'" in complaint(classes=("blue", "green"))
    assert "has no images" in complaint(held_out=dataclasses.replace(source, items=()))
    assert "No such file" in complaint(converted=tmp_path / "none.tflite")
    three = tmp_path / "three"
    for name in ("a", "b", "c"):
        shutil.copytree(colours / "test" / "red", three / name)
    assert "3 labels do not fit" in complaint(held_out=data.open_source(three), classes=("a", "b", "c"))


def test_an_image_that_does_not_decode_is_left_out(
    network: Any, converted: Path, colours: Path, tmp_path: Path
) -> None:
    shutil.copytree(colours / "test", tmp_path / "test")
    (tmp_path / "test" / "red" / "03.png").write_bytes(b"no picture")
    source = data.open_source(tmp_path / "test")
    found = verify(network.whole, converted, source, SPEC, CLASSES, layer_images=0)
    assert [entry.images for entry in found.classes] == [10, 9]
    assert list(source.left_out.reasons) == ["red/03.png"]


@pytest.mark.slow
def test_a_published_pair_on_real_images(shared: Path) -> None:
    folder = shared / "models" / "mlperf_tiny"
    source = data.open_source(shared / "cifar10" / "test.zip").balanced(500)
    found = verify(
        (folder / "resnet8_cifar10_float.tflite").read_bytes(),
        folder / "resnet8_cifar10_int8.tflite",
        source,
        Preprocessing(32, 32, scale=(1.0,)),
        source.classes,
    )
    assert found.float_hits / found.images == pytest.approx(0.772, abs=0.005)
    assert found.int8_hits / found.images == pytest.approx(0.772, abs=0.005)
    assert found.agreeing / found.images > 0.93
    assert found.engine.differing == 0
    assert found.engine.compared >= 60
    assert len(found.layers) == 16
