"""A state dict of torchvision's gives the zoo's network the scores that torchvision's arithmetic gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch_writer
import torchvision_nets as nets
from numpy.typing import NDArray
from safetensors.numpy import save_file

from edgecore.converters import zoo
from edgecore.errors import UserError

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]


@dataclass(frozen=True)
class Case:
    """A member of the zoo, torchvision's definition of it, and the count of parameters that it publishes."""

    member: str
    define: Callable[[nets.Network], str]
    parameters: int
    size: int = 64
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.member


# VGG's dense layers are narrowed, after which no count is published.
NARROW_VGG = 14_714_688 + 512 * 4 * 64 + 64 + 64 * 64 + 64 + 64 * 1000 + 1000
CASES = [
    Case("squeezenet_v1.0", partial(nets.squeezenet, version="1.0"), 1_248_424, 97),
    Case("squeezenet_v1.1", partial(nets.squeezenet, version="1.1"), 1_235_496, 96),
    Case("vgg16", partial(nets.vgg16, hidden=64), NARROW_VGG, options={"hidden": 64}),
    Case("resnet18", partial(nets.resnet, repeats=(2, 2, 2, 2), deep=False), 11_689_512),
    Case("mobilenet_v2", nets.mobilenet_v2, 3_504_872),
    Case("mobilenet_v3_small", nets.mobilenet_v3_small, 2_542_856),
    Case("shufflenet_v2", nets.shufflenet_v2, 2_278_604),
]
SLOW = [
    Case("googlenet", nets.googlenet, 6_624_904, 96),
    Case("inception_v3", nets.inception_v3, 23_834_568, 139),
    Case("resnet50", partial(nets.resnet, repeats=(3, 4, 6, 3), deep=True), 25_557_032),
    Case(
        "resnext50",
        partial(nets.resnet, repeats=(3, 4, 6, 3), deep=True, groups=32, group_width=4),
        25_028_904,
    ),
    Case("densenet121", nets.densenet121, 7_978_856),
    Case("efficientnet_b0", nets.efficientnet_b0, 5_288_548),
    Case("convnext_tiny", nets.convnext_tiny, 28_589_128),
]


def filled(case: Case, path: Path) -> Any:
    """The zoo's network with the weights of a file, all of which it must take."""
    from edgecore.converters.weights import load_into, options_for

    options = options_for(case.member, path)
    model = zoo.build(case.member, input_size=case.size, **options, **case.options)
    loaded = load_into(model, path)
    assert loaded.fresh == ()
    assert loaded.unused == ()
    assert loaded.input is not None
    return model


def images(size: int) -> NDArray[np.float32]:
    return np.random.default_rng(5).standard_normal((1, size, size, 3)).astype(np.float32)


def assert_same_scores(found: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    """Equal but for rounding, against how much the classes differ: those of random weights do so little."""
    found, expected = np.log(found), np.log(expected)
    assert np.abs(found - expected).max() < 1e-3 * expected.std()


@pytest.mark.parametrize(
    "case", CASES + [pytest.param(case, marks=pytest.mark.slow) for case in SLOW], ids=str
)
def test_scores_are_those_of_the_definition(
    case: Case, tmp_path: Path, need_module: Callable[[str], None]
) -> None:
    need_module("onnxruntime")
    net = nets.Network(case.size)
    graph = net.model(case.define(net))
    assert net.parameters == case.parameters
    path = tmp_path / "weights.pth"
    torch_writer.save(path, net.state)
    image = images(case.size)
    expected = nets.run(graph, image)
    found = filled(case, path)(image).numpy()
    assert_same_scores(found, expected)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".onnx", ".npz"])
def test_every_format_gives_the_same_network(suffix: str, tmp_path: Path) -> None:
    case = CASES[-3]
    net = nets.Network(case.size)
    graph = net.model(case.define(net))
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch_writer.save_legacy(path, net.state)
    elif suffix == ".safetensors":
        save_file(net.state, path)
    elif suffix == ".onnx":
        onnx.save(graph, path)
    else:
        np.savez(path, **net.state)  # type: ignore[arg-type]
    model = filled(case, path)
    kernel = model.get_layer("block1_expand_conv").kernel.numpy()
    np.testing.assert_array_equal(kernel[0, 0], net.state["features.2.conv.0.0.weight"][:, :, 0, 0].T)
    variance = model.get_layer("head_bn").moving_variance.numpy()
    np.testing.assert_array_equal(variance, net.state["features.18.1.running_var"])


@pytest.mark.slow
def test_published_densenets_have_a_dot_more(tmp_path: Path) -> None:
    net = nets.Network(64)
    nets.densenet121(net, dot=".")
    torch_writer.save_legacy(tmp_path / "old.pth", net.state)
    model = filled(SLOW[4], tmp_path / "old.pth")
    beta = model.get_layer("block4_16_in_bn").beta.numpy()
    np.testing.assert_array_equal(beta, net.state["features.denseblock4.denselayer16.norm.1.bias"])


@pytest.mark.parametrize(
    ("member", "define", "option"),
    [
        ("mobilenet_v2", nets.mobilenet_v2, "padding='symmetric'"),
        ("googlenet", nets.googlenet, "last_pool=2"),
    ],
)
def test_a_network_with_other_arithmetic_is_refused(
    member: str, define: Callable[[nets.Network], str], option: str, tmp_path: Path
) -> None:
    from edgecore.converters.weights import load_into

    net = nets.Network(96)
    define(net)
    path = tmp_path / "weights.pth"
    torch_writer.save(path, net.state)
    with pytest.raises(UserError, match=option):
        load_into(zoo.build(member, input_size=96), path)


@pytest.mark.parametrize(
    "member",
    [
        "vgg19",
        "resnet34",
        pytest.param("resnet152", marks=pytest.mark.slow),
        pytest.param("wide_resnet50_2", marks=pytest.mark.slow),
        pytest.param("densenet169", marks=pytest.mark.slow),
        pytest.param("mobilenet_v3_large", marks=pytest.mark.slow),
        *[pytest.param(f"efficientnet_b{number}", marks=pytest.mark.slow) for number in range(1, 8)],
    ],
)
def test_every_layer_has_a_module_of_its_own(member: str) -> None:
    """With the equal counts of parameters, that nothing of a file is left over or used twice."""
    from edgecore.converters.weights.families import schemes

    scheme = schemes(member)[0]
    small = {"hidden": 16} if member == "vgg19" else {}
    model = zoo.build(member, input_size=64, **scheme.options, **small)
    modules = [scheme.module_of(model, layer.name) for layer in model.layers if layer.weights]
    assert None not in modules
    assert len(set(modules)) == len(modules)
    assert scheme.sign in modules


def fold_norms(graph: onnx.ModelProto) -> onnx.ModelProto:
    """What PyTorch's exporter does: norms go into convolutions, whose arrays get numbers for names."""
    arrays = {each.name: onnx.numpy_helper.to_array(each) for each in graph.graph.initializer}
    nodes = {node.output[0]: node for node in graph.graph.node}
    kept: list[onnx.NodeProto] = []
    renamed: dict[str, str] = {}
    for node in graph.graph.node:
        if node.op_type != "BatchNormalization":
            kept.append(node)
            continue
        conv = nodes[node.input[0]]
        module = conv.input[1].removesuffix(".weight")
        gamma, beta, mean, variance = (arrays.pop(name) for name in node.input[1:])
        factor = gamma / np.sqrt(variance + node.attribute[0].f)
        number = len(kept)
        arrays[f"onnx::Conv_{number}"] = arrays.pop(conv.input[1]) * factor[:, None, None, None]
        arrays[f"onnx::Conv_{number}b"] = beta - mean * factor
        conv.name = _node_name(module) + "/Conv"
        conv.input[1] = f"onnx::Conv_{number}"
        conv.input.append(f"onnx::Conv_{number}b")
        renamed[node.output[0]] = conv.output[0]
    for node in kept:
        for place, name in enumerate(node.input):
            node.input[place] = renamed.get(name, name)
    del graph.graph.node[:], graph.graph.initializer[:]
    graph.graph.node.extend(kept)
    graph.graph.initializer.extend(
        onnx.numpy_helper.from_array(np.asarray(array, np.float32) if array.ndim else array, name)
        for name, array in arrays.items()
    )
    return graph


def _node_name(module: str) -> str:
    """features.2.conv.0.0 -> /features/features.2/conv/conv.0/conv.0.0"""
    words: list[str] = []
    for word in module.split("."):
        words.append(f"{words[-1]}.{word}" if word.isdigit() else word)
    return "/" + "/".join(words)


def test_norms_that_an_exporter_folded_are_taken(tmp_path: Path, need_module: Callable[[str], None]) -> None:
    need_module("onnxruntime")
    case = CASES[4]
    net = nets.Network(case.size)
    graph = fold_norms(net.model(case.define(net)))
    path = tmp_path / "folded.onnx"
    onnx.save(graph, path)
    image = images(case.size)
    assert_same_scores(filled(case, path)(image).numpy(), nets.run(graph, image))
