"""The zoo's networks have the published sizes."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from edgecore.converters import zoo
from edgecore.errors import UserError

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]


# name, classes, input size -> parameters in all, trainable ones (None: all of them), M multiply-adds.
PUBLISHED = [
    ("squeezenet_v1.0", 1000, 227, 1_248_424, None, 832.7),
    ("squeezenet_v1.0", 3, 227, 736_963, None, None),
    ("squeezenet_v1.0", 9, 227, 740_041, None, None),
    ("squeezenet_v1.1", 1000, 227, 1_235_496, None, 387.7),
    ("squeezenet_bypass", 1000, 227, 1_248_424, None, 832.7),
    ("spp_covid_net", 3, 256, 862_331, 859_883, 192.4),
    ("resnet18", 1000, 224, 11_699_112, 11_689_512, 1814.1),
    ("mobilenet_v1", 1000, 224, 4_253_864, 4_231_976, 568.7),
    ("mobilenet_v2", 1000, 224, 3_538_984, 3_504_872, 300.8),
]


@pytest.mark.parametrize(("name", "classes", "size", "parameters", "trainable", "macs"), PUBLISHED)
def test_published_sizes(
    name: str, classes: int, size: int, parameters: int, trainable: int | None, macs: float | None
) -> None:
    from edgecore.converters.zoo.count import multiply_adds

    model = zoo.build(name, classes, input_size=size)
    assert model.count_params() == parameters
    assert sum(math.prod(w.shape) for w in model.trainable_weights) == (trainable or parameters)
    if macs is not None:
        assert multiply_adds(model) / 1e6 == pytest.approx(macs, abs=0.06)
    assert model.output_shape == (None, classes)


def test_squeezenet_with_its_releases_padding_has_the_published_multiply_adds() -> None:
    from edgecore.converters.zoo.count import multiply_adds

    model = zoo.build("squeezenet_v1.0", classifier_padding=1)
    assert multiply_adds(model) / 1e6 == pytest.approx(861, abs=0.5)


def test_res_squeezenet_has_the_papers_size_and_layout() -> None:
    model = zoo.build("res_squeezenet")
    assert 10e6 < model.count_params() < 12e6
    names = [layer.name for layer in model.layers]
    assert sum(name.endswith("_concat") for name in names) == 8
    assert sum(name.startswith("residual") and name.endswith("_add") for name in names) == 2
    assert sum(name.endswith("_proj_conv") for name in names) == 1


def test_the_compact_member_fits_the_bundled_models_limits() -> None:
    from edgecore.converters.zoo.count import multiply_adds

    model = zoo.build("res_squeezenet_compact")
    assert model.count_params() < 880_000
    assert multiply_adds(model) < 60e6
    names = [layer.name for layer in model.layers]
    assert sum(name.endswith("_bypass") for name in names) == 5


def test_bypass_adds_sums_around_every_second_fire_block() -> None:
    names = [layer.name for layer in zoo.build("squeezenet_bypass").layers]
    assert [name for name in names if name.endswith("_bypass")] == [f"fire{n}_bypass" for n in (3, 5, 7, 9)]


SAVED = ["squeezenet_bypass", "res_squeezenet_compact", "spp_covid_net", "mobilenet_v2"]


@pytest.mark.parametrize("name", SAVED)
def test_members_take_other_classes_and_survive_saving(name: str, tmp_path: Path) -> None:
    import keras
    import numpy as np

    size = {"res_squeezenet_compact": 32, "spp_covid_net": 224}.get(name, 96)
    model = zoo.build(name, 4, input_size=size)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    image = np.random.default_rng(0).random((1, size, size, 3)).astype(np.float32)
    scores = model.predict_on_batch(image)
    assert scores.shape == (1, 4)
    assert scores.sum() == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_array_equal(scores, again.predict_on_batch(image))


def test_what_cannot_be_built_is_a_user_error() -> None:
    with pytest.raises(UserError, match=r"no model named 'resnet'.*resnet18"):
        zoo.build("resnet")
    with pytest.raises(UserError, match="at least 2 classes"):
        zoo.build("resnet18", 1)
    with pytest.raises(UserError, match="no such option"):
        zoo.build("resnet18", alpha=0.5)
    with pytest.raises(UserError, match="cannot be built at input size 64"):
        zoo.build("spp_covid_net", input_size=64)
