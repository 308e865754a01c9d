"""The zoo's networks have the published sizes, and do what their sources say."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecore.converters import zoo
from edgecore.converters.zoo.figures import table
from edgecore.errors import UserError

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]

# name, classes -> trainable parameters, as the source or its release has them.
TRAINABLE = [
    ("lenet_1989", 10, 9_760),
    ("lenet5", 10, 60_000 + 850),  # the paper's, and a dense classifier in place of its fixed one
    ("alexnet", 1000, 60_965_224),
    ("vgg16", 1000, 138_357_544),
    ("vgg19", 1000, 143_667_240),
    ("googlenet", 1000, 6_998_552),
    ("inception_v3", 1000, 23_834_568),
    ("inception_v4", 1000, 42_679_816),
    ("all_cnn", 10, 1_369_738),
    ("resnet18", 1000, 11_689_512),
    ("resnet34", 1000, 21_797_672),
    ("resnet50", 1000, 25_557_032),
    ("resnet101", 1000, 44_549_160),
    ("resnet152", 1000, 60_192_808),
    ("wide_resnet28_10", 10, 36_479_194),
    ("wide_resnet50_2", 1000, 68_883_240),
    ("resnext50", 1000, 25_028_904),
    ("se_resnet50", 1000, 28_088_024),
    ("densenet121", 1000, 7_978_856),
    ("densenet169", 1000, 14_149_480),
    ("mobilenet_v1", 1000, 4_231_976),
    ("mobilenet_v2", 1000, 3_504_872),
    ("mobilenet_v3_small", 1000, 2_542_856),
    ("mobilenet_v3_large", 1000, 5_483_032),
    ("shufflenet_v2", 1000, 2_278_604),
    ("efficientnet_b0", 1000, 5_288_548),
    ("efficientnet_b1", 1000, 7_794_184),
    ("efficientnet_b2", 1000, 9_109_994),
    ("efficientnet_b3", 1000, 12_233_232),
    ("efficientnet_b4", 1000, 19_341_616),
    ("efficientnet_b5", 1000, 30_389_784),
    ("efficientnet_b6", 1000, 43_040_704),
    ("efficientnet_b7", 1000, 66_347_960),
    ("squeezenet_v1.0", 1000, 1_248_424),
    ("squeezenet_v1.0", 9, 740_041),
    ("squeezenet_v1.1", 1000, 1_235_496),
    ("squeezenet_bypass", 1000, 1_248_424),
    ("dark_covid_net", 3, 1_167_586),
    ("dark_covid_net", 2, 1_164_434),
    ("spp_covid_net", 3, 859_883),
    ("convnext_tiny", 1000, 28_589_128),
    ("unet", 13, 2_161_853),
]
# name, classes, options -> parameters with batch norm's statistics, which Keras and the COVID papers count.
WITH_STATISTICS: list[tuple[str, int, dict[str, Any], int]] = [
    ("squeezenet_v1.0", 3, {}, 736_963),
    ("mobilenet_v1", 3, {}, 3_231_939),
    ("mobilenet_v2", 3, {"expand_first": True}, 2_262_979),
    ("shufflenet_v1_g8", 3, {}, 939_531),
    ("dark_covid_net_keras", 3, {}, 1_167_363),
    ("spp_covid_net", 3, {}, 862_331),
    ("mobilenet_v1", 1000, {}, 4_253_864),
    ("mobilenet_v2", 1000, {}, 3_538_984),
    ("mobilenet_v3_small", 1000, {}, 2_554_968),
    ("mobilenet_v3_large", 1000, {}, 5_507_432),
    ("densenet121", 1000, {}, 8_062_504),
    ("unet", 13, {}, 2_164_797),
]
# name -> millions of parameters and of multiply-adds, where the source rounds them; None: it has no figure.
ROUNDED = [
    ("alexnet", 60, None, 0.02),
    ("vgg16", 138, 15_300, 0.02),
    ("googlenet", 6.8, 1_550, 0.03),
    ("inception_v2", 11.3, 2_030, 0.01),
    ("se_inception_v2", None, 2_040, 0.01),
    ("se_resnet50", None, 3_870, 0.06),
    ("all_cnn", 1.3, None, 0.06),
    ("wide_resnet16_4", 2.7, None, 0.02),
    ("wide_resnet28_10", 36.5, None, 0.01),
    ("resnext50", 25.0, 4_200, 0.01),
    ("mobilenet_v1", 4.2, 569, 0.01),
    ("mobilenet_v2", 3.4, 300, 0.04),
    ("mobilenet_v3_small", 2.5, 56, 0.02),
    ("mobilenet_v3_large", 5.4, 219, 0.02),
    ("shufflenet_v1", None, 140, 0.02),
    ("shufflenet_v2", 2.3, 146, 0.01),
    ("efficientnet_b0", 5.3, 390, 0.02),
    ("efficientnet_b7", 66, 37_000, 0.03),
    ("squeezenet_v1.1", 1.24, 388, 0.01),
    ("repvgg_a0_merged", 8.30, 1_400, 0.03),
    ("convnext_tiny", 28.6, 4_500, 0.01),
    ("replknet_31b", 79, 15_300, 0.015),
    ("dark_covid_net", None, 290.3, 0.001),
    ("spp_covid_net", None, 192.4, 0.001),
    ("unet", None, 803.2, 0.001),
]


def sketch(name: str, classes: int | None = None, **options: Any) -> Any:
    from edgecore.converters.zoo import count

    return count.sketch(partial(zoo.build, name, classes, **options))


def figures(name: str, classes: int | None = None, **options: Any) -> Any:
    from edgecore.converters.zoo import count

    return count.figures(sketch(name, classes, **options))


@pytest.mark.parametrize(("name", "classes", "parameters"), TRAINABLE)
def test_trainable_parameters_are_the_sources(name: str, classes: int, parameters: int) -> None:
    assert figures(name, classes).trainable == parameters


@pytest.mark.parametrize(("name", "classes", "options", "parameters"), WITH_STATISTICS)
def test_all_parameters_are_the_sources(
    name: str, classes: int, options: dict[str, Any], parameters: int
) -> None:
    assert figures(name, classes, **options).parameters == parameters


@pytest.mark.parametrize(("name", "parameters", "multiply_adds", "tolerance"), ROUNDED)
def test_rounded_figures_are_met(
    name: str, parameters: float | None, multiply_adds: float | None, tolerance: float
) -> None:
    found = table()[name]
    if parameters is not None:
        assert found.trainable / 1e6 == pytest.approx(parameters, rel=tolerance)
    if multiply_adds is not None:
        assert found.multiply_adds / 1e6 == pytest.approx(multiply_adds, rel=tolerance)


def test_every_member_has_figures_and_a_source() -> None:
    assert list(table()) == zoo.names()
    assert all(entry.source and entry.summary for entry in zoo.MEMBERS.values())


@pytest.mark.parametrize("name", ["lenet5", "squeezenet_v1.1", "resnet18", "unet"])
def test_the_table_of_figures_is_that_of_the_networks(name: str) -> None:
    assert figures(name) == table()[name]


@pytest.mark.slow
def test_the_whole_table_of_figures_is_that_of_the_networks() -> None:
    assert {name: figures(name) for name in zoo.names()} == table()


def test_a_sketch_takes_no_memory_for_weights_and_leaves_nothing_behind() -> None:
    import keras

    model = sketch("vgg16")
    kernel = model.get_layer("fc6").kernel
    assert kernel.shape == (25088, 4096)
    # The next layer of this thread would give the weights their values, if they were left to it.
    keras.layers.Dense(2)(keras.Input((3,)))
    assert kernel._value is None


def test_releases_that_differ_from_the_paper_can_be_built() -> None:
    assert figures("googlenet", batch_norm=True, wide_kernel=3).trainable == 6_624_904
    idle_biases = 10_016
    assert figures("inception_v2").trainable + idle_biases == 11_295_240
    assert figures("repvgg_a0_merged").trainable == 8_309_384
    assert figures("wide_resnet28_10", 100).trainable == 36_536_884


def test_lenet_1989_has_the_papers_connections() -> None:
    biases_of_units = 768 + 192 + 30 + 10
    assert figures("lenet_1989").multiply_adds + biases_of_units == 64_660


def test_squeezenet_with_its_releases_padding_has_the_published_multiply_adds() -> None:
    assert figures("squeezenet_v1.0", classifier_padding=1).multiply_adds / 1e6 == pytest.approx(861, abs=0.5)


def test_slak_has_the_papers_parameters_without_its_zeros() -> None:
    model = sketch("slak_tiny")
    masked = sum(
        math.prod(layer.kernel.shape)
        for layer in model.layers
        if getattr(layer, "kernel_constraint", None) or getattr(layer, "depthwise_constraint", None)
    )
    assert (model.count_params() - 0.4 * masked) / 1e6 == pytest.approx(30, abs=1)


def test_res_squeezenet_has_the_papers_size_and_layout() -> None:
    model = sketch("res_squeezenet")
    assert 10e6 < model.count_params() < 12e6
    names = [layer.name for layer in model.layers]
    assert sum(name.endswith("_concat") for name in names) == 8
    assert sum(name.startswith("residual") and name.endswith("_add") for name in names) == 2
    assert sum(name.endswith("_proj_conv") for name in names) == 1


def test_the_compact_members_fit_their_limits() -> None:
    found = table()
    assert found["res_squeezenet_small"].parameters < 1.5e6
    assert found["res_squeezenet_compact"].parameters < 880_000
    assert found["res_squeezenet_compact"].multiply_adds < 60e6
    names = [layer.name for layer in sketch("res_squeezenet_compact").layers]
    assert sum(name.endswith("_bypass") for name in names) == 5


def test_bypass_adds_sums_around_fire_blocks() -> None:
    def bypassed(name: str) -> list[str]:
        return [layer.name for layer in sketch(name).layers if layer.name.endswith("_bypass")]

    assert bypassed("squeezenet_bypass") == [f"fire{n}_bypass" for n in (3, 5, 7, 9)]
    assert bypassed("squeezenet_bypass_all") == [f"fire{n}_bypass" for n in range(2, 10)]


def test_efficientnets_grow_by_the_compound_rule() -> None:
    from edgecore.converters.zoo.efficientnet import ALPHA, BETA, GAMMA, RELEASED, compound

    work = ALPHA * BETA**2 * GAMMA**2
    assert work == pytest.approx(2, abs=0.1)
    assert compound(0) == RELEASED[0]
    depth, width, resolution = compound(1)
    assert (depth, width, resolution) == pytest.approx((1.2, 1.1, 257.6), abs=0.5)
    grown = figures("efficientnet_b0", input_size=resolution, scaling=(depth, width))
    assert grown.multiply_adds / table()["efficientnet_b0"].multiply_adds == pytest.approx(2, rel=0.3)


# Members whose layers are not all Keras's own, and one of each kind of block, small.
SAVED: list[tuple[str, int, dict[str, Any]]] = [
    ("lenet_1989", 16, {}),
    ("lenet5", 32, {}),
    ("alexnet", 67, {"hidden": 16}),
    ("res_squeezenet_compact", 32, {}),
    ("spp_covid_net", 224, {}),
    ("mobilenet_v2", 96, {"alpha": 0.35}),
    ("shufflenet_v2", 64, {}),
    ("slak_tiny", 32, {"width": 0.1}),
]


@pytest.mark.parametrize(("name", "size", "options"), SAVED)
def test_members_take_other_classes_and_survive_saving(
    name: str, size: int, options: dict[str, Any], tmp_path: Path
) -> None:
    import keras

    model = zoo.build(name, 4, input_size=size, **options)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    channels = model.input_shape[-1]
    image = np.random.default_rng(0).random((1, size, size, channels)).astype(np.float32)
    scores = model.predict_on_batch(image)
    assert scores.shape == (1, 4)
    assert scores.sum() == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_array_equal(scores, again.predict_on_batch(image))


def test_no_two_layers_start_with_the_same_weights() -> None:
    model = zoo.build("slak_tiny", 4, input_size=32, width=0.05)
    kernels = [np.asarray(layer.kernel) for layer in model.layers if hasattr(layer, "kernel")]
    drawn = [kernel for kernel in kernels if np.ptp(kernel) > 0]
    assert len({kernel.tobytes() for kernel in drawn}) == len(drawn) > 90
    zeros = [np.packbits(kernel == 0).tobytes() for kernel in drawn if kernel.size > 500]
    assert len(set(zeros[:-1])) == len(zeros[:-1])


def test_repvgg_merged_answers_as_its_branches() -> None:
    from edgecore.converters import samples
    from edgecore.converters.zoo.repvgg import merge

    model = zoo.build("repvgg_a0", 5, input_size=64)
    inputs = np.stack([image / np.float32(255) for image in samples.images(6, 64)])
    samples.randomise(model, inputs)
    plain = merge(model)
    assert plain.count_params() < 0.93 * model.count_params()
    assert not any("bn" in layer.name for layer in plain.layers)
    want, got = model.predict_on_batch(inputs), plain.predict_on_batch(inputs)
    assert np.ptp(want, axis=0).max() > 0.1
    np.testing.assert_allclose(got, want, atol=1e-4)
    with pytest.raises(UserError, match="no branches to merge"):
        merge(plain)


def test_what_cannot_be_built_is_a_user_error() -> None:
    with pytest.raises(UserError, match=r"no model named 'resnet'.*resnet18"):
        zoo.build("resnet")
    with pytest.raises(UserError, match="at least 2 classes"):
        zoo.build("resnet18", 1)
    with pytest.raises(UserError, match="no such option"):
        zoo.build("resnet18", alpha=0.5)
    with pytest.raises(UserError, match="no layout"):
        zoo.build("mobilenet_v3_small", variant="tiny")
    with pytest.raises(UserError, match="cannot be built at input size 64"):
        zoo.build("spp_covid_net", input_size=64)
    with pytest.raises(UserError, match="multiple of 16"):
        zoo.build("unet", input_size=100)
