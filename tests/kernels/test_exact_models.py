"""Whole models give the reference's bytes: written ones, the zoo's samples, trained ones on real images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import cv2
import numpy as np
import pytest
from oracle import assert_same, available_isas, engine, expose, host, random_inputs, reference, run
from oracle.models import MODELS
from oracle.runtime import Array

SAMPLES = [
    "squeezenet_v1.0",
    "squeezenet_v1.1",
    "squeezenet_bypass",
    "res_squeezenet",
    "spp_covid_net",
    "resnet18",
    "mobilenet_v1",
    "mobilenet_v2",
]


def assert_model(model: bytes, inputs: list[Array]) -> None:
    """Every tier with two threads, the best one in other ways too; and every operator's own bytes."""
    want = reference(expose(model), inputs)
    best = available_isas()[-1]
    ways = [(isa, 2, True) for isa in available_isas()]
    ways += [(best, 1, True), (best, 4, True), (best, 2, False)]
    for isa, threads, fuse in ways:
        got = engine(model, inputs, threads, isa, fuse, repeat=2).outputs
        for a, b in zip(want[: len(got)], got, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=f"{isa}, {threads} threads, fuse {fuse}")
    got = engine(expose(model), inputs, 2, best).outputs
    for index, (a, b) in enumerate(zip(want, got, strict=True)):
        np.testing.assert_array_equal(a, b, err_msg=f"tensor {index} of the exposed model")


def as_input(image: np.ndarray, model: bytes) -> Array:
    """An image (height, width, 3) in the model's size and type, over the whole range of int8 or uint8."""
    (detail,) = host().Interpreter(model_content=model).get_input_details()
    _, height, width, _ = detail["shape"]
    resized = cv2.resize(image, (int(width), int(height)), interpolation=cv2.INTER_AREA)
    pixels = np.asarray(resized, np.uint8)[None]
    return pixels if detail["dtype"] == np.uint8 else (pixels ^ np.uint8(0x80)).view(np.int8)


@pytest.fixture(scope="module")
def photographs(shared: Path) -> list[np.ndarray]:
    return [cv2.imread(str(path)) for path in sorted((shared / "imagenet_samples").iterdir())[::271]]


@pytest.mark.parametrize("name", MODELS)
def test_written_model(name: str) -> None:
    model = MODELS[name]().build()
    assert_same(model, random_inputs(model, 2))


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_sample(name: str, sample: Callable[[str], Path], photographs: list[np.ndarray]) -> None:
    model = sample(name).read_bytes()
    assert_model(model, [as_input(photographs[0], model)])


def test_resnet8_on_real_images(shared: Path) -> None:
    model = (shared / "models/mlperf_tiny/resnet8_cifar10_int8.tflite").read_bytes()
    with ZipFile(shared / "cifar10/test.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")][::2500]
        images = [cv2.imdecode(np.frombuffer(archive.read(n), np.uint8), cv2.IMREAD_COLOR) for n in names]
    for image in images:
        assert_model(model, [as_input(image, model)])


def test_visual_wake_words_on_real_images(shared: Path, photographs: list[np.ndarray]) -> None:
    model = (shared / "models/mlperf_tiny/vww_mobilenet_int8.tflite").read_bytes()
    for image in photographs[:2]:
        assert_model(model, [as_input(image, model)])


def test_keyword_spotting(shared: Path) -> None:
    model = (shared / "models/mlperf_tiny/kws_dscnn_int8.tflite").read_bytes()
    for seed in range(3):
        assert_model(model, random_inputs(model, seed, extreme=seed == 2))


@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v1_0.25_128_quant",
        "mobilenet_v1_0.5_160_quant",
        pytest.param("mobilenet_v2_1.0_224_quant", marks=pytest.mark.slow),
        pytest.param("deeplabv3_mnv2_dm05_pascal_quant", marks=pytest.mark.slow),
    ],
)
def test_uint8_models_run_unchanged(name: str, shared: Path) -> None:
    """The interpreter runs them; with the delegate attached they answer as without it."""
    model = (shared / f"models/coral/{name}.tflite").read_bytes()
    picture = "bird_segmentation.bmp" if name.startswith("deeplab") else "cat.bmp"
    inputs = [as_input(cv2.imread(str(shared / "models/coral" / picture)), model)]
    with_engine = engine(model, inputs, whole=False)
    (plain,) = run(host().Interpreter(model_content=model), inputs)
    np.testing.assert_array_equal(with_engine.outputs[0], plain)
