"""Weights go where they belong or nowhere, and frozen layers stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch_writer

from edgecore.converters import zoo
from edgecore.errors import UserError

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]


def load_into(model: Any, path: Path) -> Any:
    from edgecore.converters import weights

    return weights.load_into(model, path)


@pytest.fixture(scope="module")
def notop(shared: Path) -> Path:
    return shared / "weights" / "squeezenet_v1.1_imagenet_notop.npz"


def test_fire_blocks_of_a_pre_trained_squeezenet(notop: Path) -> None:
    model = zoo.build("res_squeezenet", input_size=64)
    before = model.get_layer("residual1_a_conv").kernel.numpy()
    loaded = load_into(model, notop)
    assert len(loaded.taken) == 25 and loaded.unused == ()
    assert loaded.fresh[0] == "residual1_a_conv" and loaded.fresh[-1] == "classifier"
    assert loaded.input is not None and loaded.input["order"] == "BGR"
    with np.load(notop) as arrays:
        expected = arrays["fire9|expand3x3|fire9|expand3x3_1|kernel:0"]
    np.testing.assert_array_equal(model.get_layer("fire9_expand3x3").kernel.numpy(), expected)
    np.testing.assert_array_equal(model.get_layer("residual1_a_conv").kernel.numpy(), before)


def test_weights_of_another_version_do_not_fit(notop: Path) -> None:
    model = zoo.build("squeezenet_v1.0", 3, input_size=64)
    before = model.get_weights()
    with pytest.raises(UserError, match=r"is \(3, 3, 3, 64\) for conv1, which has \(7, 7, 3, 96\)"):
        load_into(model, notop)
    assert all(np.array_equal(new, old) for new, old in zip(model.get_weights(), before, strict=True))


def test_nothing_matches(notop: Path) -> None:
    with pytest.raises(
        UserError, match=r"has nothing for lenet5: it holds conv1\|conv1_3\|bias:0.*layers are c1"
    ):
        load_into(zoo.build("lenet5"), notop)


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".h5"])
def test_a_head_for_other_classes_stays_fresh(suffix: str, tmp_path: Path) -> None:
    trained = zoo.build("res_squeezenet_compact", 10)
    path = tmp_path / f"m{suffix}"
    if suffix == ".weights.h5":
        trained.save_weights(path)
    else:
        trained.save(path)
    facts = '{"input": {"order": "BGR", "mean": [1], "scale": [2], "width": 32}}'
    path.with_suffix(".json").write_text(facts)
    model = zoo.build("res_squeezenet_compact", 3)
    loaded = load_into(model, path)
    assert loaded.fresh == ("classifier",) and loaded.classes == 10
    assert loaded.input == {"order": "BGR", "mean": [1], "scale": [2]}
    kernels = [each.get_layer("residual2_b_conv").kernel.numpy() for each in (model, trained)]
    np.testing.assert_array_equal(*kernels)
    variances = [each.get_layer("conv1_bn").moving_variance.numpy() for each in (model, trained)]
    np.testing.assert_array_equal(*variances)


def test_half_a_layer_is_refused(tmp_path: Path) -> None:
    state = {"layer1.0.conv1.weight": np.zeros((64, 64, 3, 3)), "bn1.weight": np.zeros(64)}
    torch_writer.save(tmp_path / "half.pth", state)
    with pytest.raises(UserError, match="has bn1 without the beta of resnet18's conv1_bn"):
        load_into(zoo.build("resnet18", input_size=32), tmp_path / "half.pth")


def test_a_bias_without_a_place_is_refused(tmp_path: Path) -> None:
    state = {
        "layer1.0.conv1.weight": np.zeros((64, 64, 3, 3)),
        "layer1.0.conv1.bias": np.zeros(64),
        **{f"layer1.0.bn1.{part}": np.ones(64) for part in ("weight", "bias", "running_mean", "running_var")},
    }
    torch_writer.save(tmp_path / "bias.pth", state)
    with pytest.raises(
        UserError, match=r"has layer1\.0\.conv1\.bias, and stage1_1_a_conv of resnet18 no bias"
    ):
        load_into(zoo.build("resnet18", input_size=32), tmp_path / "bias.pth")


def test_alexnet_of_torchvision_is_another_network(tmp_path: Path) -> None:
    torch_writer.save(tmp_path / "alexnet.pth", {"features.0.weight": np.zeros((64, 3, 11, 11))})
    with pytest.raises(UserError, match="has nothing for alexnet_none"):
        load_into(zoo.build("alexnet", input_size=67, norm="none", hidden=8), tmp_path / "alexnet.pth")


def test_frozen_layers_do_not_train() -> None:
    from edgecore.converters.weights import freeze_until

    model = zoo.build("res_squeezenet_compact", 2)
    names = [layer.name for layer in model.layers]
    last = names.index("fire3_bypass")
    assert freeze_until(model, "fire3_bypass") == sum(bool(layer.weights) for layer in model.layers[:last])
    before = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    model.compile("sgd", "categorical_crossentropy")
    random = np.random.default_rng(4)
    images = random.standard_normal((8, 32, 32, 3)).astype(np.float32)
    model.train_on_batch(images, np.eye(2, dtype=np.float32)[random.integers(0, 2, 8)])
    moved = {
        name: any(
            not np.array_equal(new, old)
            for new, old in zip(model.get_layer(name).get_weights(), old_weights, strict=True)
        )
        for name, old_weights in before.items()
    }
    assert moved == {name: names.index(name) > last for name in before}


@pytest.mark.parametrize(
    ("layer", "near"),
    [("fire5", "fire5_concat"), ("fire4_squeze_conv", "fire4_squeeze_conv"), ("??", "conv1")],
)
def test_an_unknown_layer_names_near_ones(layer: str, near: str) -> None:
    from edgecore.converters.weights import freeze_until

    with pytest.raises(UserError, match=near):
        freeze_until(zoo.build("res_squeezenet_compact", 2), layer)
