"""What `edgecore zoo show` says of a network: its drawing, and what the analysis finds."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecore import cli
from edgecore.converters import zoo
from edgecore.errors import UserError

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]


def sketch(name: str, **options: Any) -> Any:
    from edgecore.converters.zoo import count

    return count.sketch(partial(zoo.build, name, **options))


def drawing(model: Any) -> list[str]:
    from edgecore.converters.zoo.drawing import draw

    return draw(model).splitlines()


def rails(lines: list[str]) -> list[str]:
    """The left column: all before two spaces."""
    return [line.split("  ")[0] for line in lines]


def test_a_fire_block_is_two_rails_that_join_and_repeats_are_drawn_once() -> None:
    lines = drawing(sketch("squeezenet_v1.1"))
    start = next(number for number, line in enumerate(lines) if "fire2_squeeze1x1" in line)
    assert rails(lines[start : start + 4]) == ["●", "├─●", "● │", "●─╯"]
    assert lines[start + 1].split() == ["├─●", "fire2_expand1x1", "conv", "1x1", "64", "relu", "56x56x64"]
    assert lines[start + 4].split(maxsplit=1) == ["⋮", "the same once more, to fire3_concat"]
    assert not any("fire3" in line for line in lines[:start])


def test_a_residual_block_keeps_its_shortcut_beside_it() -> None:
    lines = drawing(sketch("resnet18"))
    block = [line for line in lines if "stage2_1" in line]
    assert rails(block) == ["├─●", "│ ●", "│ ●", "● │", "●─╯"]
    assert "conv 3x3/2 128 norm relu" in block[1]


def test_three_branches_and_nested_rails() -> None:
    merged = [line for line in drawing(sketch("repvgg_a0")) if "stage1_2" in line]
    assert rails(merged) == ["├─●", "├─│─●", "● │ │", "●─┴─╯"]
    nested = drawing(sketch("unet"))
    deepest = max(rails(nested), key=len)
    assert deepest == "│ │ │ ├─●"


def test_a_split_has_a_rail_for_each_part() -> None:
    lines = drawing(sketch("shufflenet_v2"))
    assert sum(line.startswith("●─╮  ") for line in lines) == 3


def test_every_drawing_ends_on_one_rail_and_names_every_block() -> None:
    for name in ("densenet121", "inception_v3", "efficientnet_b0", "convnext_tiny", "lenet_1989"):
        lines = drawing(sketch(name))
        assert lines[0].startswith("● ")
        assert rails(lines)[-1] == "●"
        assert lines[-1].split()[1] == "scores"


def analyse(model: Any) -> Any:
    from edgecore.converters.zoo.analysis import analyse

    return analyse(model)


def test_every_layer_is_listed_with_its_learnables_and_work() -> None:
    from edgecore.converters.zoo.count import figures

    model = sketch("mobilenet_v3_small")
    found, sums = analyse(model), figures(model)
    assert [layer.name for layer in found.layers][:2] == ["image", "conv1_conv"]
    assert len(found.layers) == len(model.layers)
    assert sum(layer.learnables for layer in found.layers) == sums.trainable
    assert sum(layer.learnables + layer.fixed for layer in found.layers) == sums.parameters
    assert sum(layer.multiply_adds for layer in found.layers) == sums.multiply_adds
    assert found.errors == []


def test_sound_networks_have_no_findings() -> None:
    for name in ("resnet18", "mobilenet_v1", "squeezenet_v1.0", "spp_covid_net"):
        found = analyse(sketch(name))
        assert (found.warnings, found.errors) == ([], [])


@pytest.mark.parametrize(
    ("name", "options", "warning"),
    [
        ("alexnet", {}, "conv1_norm has no int8 form"),
        ("vgg16", {}, "fc6 has 74% of all learnables"),
        ("densenet121", {}, "batch norms follow no convolution"),
        ("unet", {}, "18 layers have a bias that the batch norm"),
        ("resnet18", {"input_size": 32}, "averages a map of one pixel"),
        ("replknet_31b", {"input_size": 64}, "layers see mostly padding, as stage2_1_large_depthwise"),
    ],
)
def test_what_is_likely_a_mistake_is_a_warning(name: str, options: dict[str, Any], warning: str) -> None:
    assert any(warning in text for text in analyse(sketch(name, **options)).warnings)


def test_logits_frozen_layers_and_float_norms_are_warnings() -> None:
    import keras
    from keras import layers

    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, trainable=False)(inputs)
    x = layers.LayerNormalization(name="norm")(x)
    model = keras.Model(inputs, layers.Dense(3, name="last")(layers.Flatten()(x)))
    warnings = " | ".join(analyse(model).warnings)
    for text in ("last, is no softmax", "1 layers are frozen", "norm keeps a float operation"):
        assert text in warnings


def test_a_shared_layer_is_drawn_at_each_call_and_its_learnables_count_once() -> None:
    import keras
    from keras import layers

    inputs = keras.Input((8, 8, 3), name="image")
    shared = layers.Conv2D(3, 3, padding="same", name="shared")
    first = shared(inputs)
    total = layers.Add(name="sum")([first, shared(first)])
    outputs = layers.Softmax(name="scores")(layers.Flatten(name="flat")(total))
    model = keras.Model(inputs, outputs)
    assert rails(drawing(model))[:4] == ["●", "●", "├─●", "●─╯"]
    assert sum(layer.learnables for layer in analyse(model).layers) == model.count_params()


def test_a_model_of_code_is_a_user_error() -> None:
    import keras

    from edgecore.converters.zoo.graph import steps

    class Code(keras.Model):
        def call(self, x: Any) -> Any:
            return x

    with pytest.raises(UserError, match="no graph of layers"):
        steps(Code())


def test_open_sizes_wrong_outputs_and_broken_weights_are_errors() -> None:
    import keras
    from keras import layers

    inputs = keras.Input((None, None, 3))
    layer = layers.Conv2D(4, 3, name="conv")
    model = keras.Model(inputs, layers.Reshape((-1, 4))(layer(inputs)))
    kernel = np.asarray(layer.kernel).copy()
    kernel[0, 0, 0, 0] = np.nan
    layer.set_weights([kernel, np.zeros(4)])
    errors = " | ".join(analyse(model).errors)
    for text in ("has no fixed size", "not one score per class", "conv has weights that are no numbers"):
        assert text in errors


def test_show_prints_sums_drawing_layers_and_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["zoo", "show", "lenet5"]) == 0
    text = capsys.readouterr().out
    for part in ("LeCun et al. 1998", "60,850 parameters", "●  c1", "conv 5x5 16 in 60 links", "no errors"):
        assert part in text
    path = tmp_path / "model.keras"
    zoo.build("lenet5", 4).save(path)
    assert cli.main(["zoo", "show", str(path)]) == 0
    assert "4 classes" in capsys.readouterr().out
    model = zoo.build("lenet5", 4)
    weights = model.get_layer("c1").get_weights()
    model.get_layer("c1").set_weights([np.full_like(weight, np.inf) for weight in weights])
    model.save(path)
    assert cli.main(["zoo", "show", str(path)]) == 1
    assert "c1 has weights that are no numbers" in capsys.readouterr().out


def test_the_list_has_a_line_with_figures_for_every_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["zoo"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["name", "parameters"]
    assert [line.split()[0] for line in lines] == zoo.names()
    (line,) = (line for line in lines if line.startswith("resnet18 "))
    assert line.split()[1:7] == ["11,699,112", "1,814.1", "46.76", "11.84", "224", "1000"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["show"], "give one network's name"),
        (["show", "resnet18", "lenet5"], "give one network's name"),
        (["show", "nothing"], "no model named 'nothing'"),
        (["show", "missing.keras"], "there is no model"),
        (["show", "model.keras", "--size", "32"], "its own classes and size"),
        (["show", "lenet5", "--out", "x.keras"], "show writes no file"),
        (["show", "spp_covid_net", "--size", "64"], "cannot be built at input size 64"),
    ],
)
def test_mistakes_get_one_line(words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["zoo", *words]) == 2
    err = capsys.readouterr().err
    assert complaint in err
    assert err.count("\n") == 1
