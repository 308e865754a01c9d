"""The verifier takes whole models and refuses what would make TFLite read wild memory or divide by zero."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from oracle import Network, Quant
from oracle.models import MODELS, resnet, uint8_mobilenet
from oracle.writer import edited

from edgecore.tflite.consistency import check_node, check_types
from edgecore.tflite.flatbuffer import FlatbufferError
from edgecore.tflite.model_file import read_model_file


def test_reads_the_graph(model_bytes: bytes) -> None:
    graph = read_model_file(model_bytes).main
    names = [operator.name for operator in graph.operators]
    assert names == [
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "CONV_2D",
        "MEAN",
        "RESHAPE",
        "FULLY_CONNECTED",
        "SOFTMAX",
    ]
    source, weights, bias = (graph.tensors[index] for index in graph.operators[0].inputs)
    assert (source.type, source.shape, source.constant) == ("int8", (1, 24, 32, 3), False)
    assert source.scales == pytest.approx((1 / 255,)) and source.zero_points == (-128,)
    assert (weights.shape, weights.constant, len(weights.scales), weights.axis) == (
        (16, 3, 3, 3),
        True,
        16,
        0,
    )
    assert (bias.type, bias.shape) == ("int32", (16,))
    assert graph.tensors[graph.outputs[0]].shape == (1, 10)


def test_end_is_where_the_flatbuffer_ends(model_bytes: bytes) -> None:
    assert 0 <= len(model_bytes) - read_model_file(model_bytes + bytes(100)).end < 16


def test_every_shared_model_is_well_formed(shared: Path) -> None:
    paths = sorted((shared / "models").rglob("*.tflite"))
    assert len(paths) >= 9
    for path in paths:
        assert read_model_file(path.read_bytes()).main.operators, path


def test_every_truncation_is_refused(model_bytes: bytes) -> None:
    end = read_model_file(model_bytes).end
    for length in range(0, end - 16, 97):
        with pytest.raises(FlatbufferError):
            read_model_file(model_bytes[:length])


def test_damage_raises_nothing_else(model_bytes: bytes) -> None:
    chance = random.Random(5)
    refused = 0
    for _ in range(400):
        damaged = bytearray(model_bytes)
        for _ in range(chance.choice((1, 2, 8))):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        try:
            read_model_file(bytes(damaged))
        except FlatbufferError:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize("identifier", [b"TFL2", b"\0\0\0\0"])
def test_identifier(model_bytes: bytes, identifier: bytes) -> None:
    with pytest.raises(FlatbufferError, match="identifier TFL3"):
        read_model_file(model_bytes[:4] + identifier + model_bytes[8:])


def test_zero_stride_is_refused() -> None:
    net = Network()
    net.output(net.conv2d(net.input((1, 8, 8, 3), Quant(1.0, 0)), 4, stride=(7, 7), padding="VALID"))
    whole = net.build()
    read_model_file(whole)
    # stride_w and stride_h are the only two sevens side by side.
    pair = (7).to_bytes(4, "little") * 2
    assert whole.count(pair) == 1
    with pytest.raises(FlatbufferError, match="stride"):
        read_model_file(whole.replace(pair, bytes(8)))


@pytest.mark.parametrize(
    ("name", "shapes", "message"),
    [
        ("CONV_2D", [(1, 8, 8, 0), (4, 3, 3, 3), (4,)], "empty input"),
        ("CONV_2D", [(1, 8, 8, 257), (4, 3, 3, 1), (4,)], "weights"),
        ("CONV_2D", [(1, 8, 8, 3), (4, 3, 3, 2), (4,)], "weights"),
        ("CONV_2D", [(1, 8, 8, 3), (4, 3, 3, 3), (5,)], "bias"),
        ("CONV_2D", [(1, 8, 8, 3)], "lacks its weights"),
        ("CONV_2D", [(1, 8, 8, 3), None], "lacks an input"),
        ("DEPTHWISE_CONV_2D", [(1, 8, 8, 3), (1, 3, 3, 4)], "weights"),
        ("FULLY_CONNECTED", [(1, 9), (10, 8)], "weights"),
        ("MAX_POOL_2D", [(1, 0, 8, 3)], "empty input"),
        ("RESHAPE", [(1, 8, 8, 3), None], "lacks its shape"),
    ],
)
def test_shapes_that_do_not_fit(name: str, shapes: list[tuple[int, ...] | None], message: str) -> None:
    with pytest.raises(FlatbufferError, match=message):
        check_node(name, shapes)


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("CONV_2D", [(1, 8, 8, 8), (4, 3, 3, 2), (4,)]),  # four groups
        ("CONV_2D", [(1, 8, 8, 3), (4, 3, 3, 3), None]),
        ("DEPTHWISE_CONV_2D", [(1, 8, 8, 3), (1, 3, 3, 6), (6,)]),
        ("FULLY_CONNECTED", [(1, 2, 2, 8), (10, 32), (10,)]),
        ("RESHAPE", [(1, 1), (0,)]),
    ],
)
def test_shapes_that_fit(name: str, shapes: list[tuple[int, ...] | None]) -> None:
    check_node(name, shapes)


@pytest.mark.parametrize("name", MODELS)
def test_every_written_model_is_well_formed(name: str) -> None:
    assert read_model_file(MODELS[name]().build()).main.operators


@pytest.mark.parametrize(
    ("dtype", "point", "held"),
    [
        ("int8", 127, True),
        ("int8", -128, True),
        ("int8", 128, False),  # which TFLite takes, and reads a table beyond its end
        ("int8", -129, False),
        ("uint8", 0, True),
        ("uint8", 255, True),
        ("uint8", -1, False),
        ("uint8", 256, False),
    ],
)
def test_a_zero_point_is_a_number_of_its_type(dtype: str, point: int, held: bool) -> None:
    def change(whole: Any) -> None:
        points = whole.subgraphs[0].tensors[1].quantization.zeroPoint
        whole.subgraphs[0].tensors[1].quantization.zeroPoint = [point] * len(points)

    model = (resnet if dtype == "int8" else uint8_mobilenet)().build()
    assert read_model_file(model).main.tensors[0].type == dtype
    spoiled = edited(model, change)
    if held:
        read_model_file(spoiled)
    else:
        with pytest.raises(FlatbufferError, match=f"tensor 't1' has a zero point that no {dtype} is"):
            read_model_file(spoiled)


@pytest.mark.parametrize(("kind", "point"), [(2, 2**31 - 1), (7, 2**15 - 1), (4, -(2**31)), (0, 1 << 40)])
def test_zero_points_of_wider_types(kind: int, point: int) -> None:
    """int32, int16, int64, and float32, which has none."""

    def change(whole: Any) -> None:
        tensor = whole.subgraphs[0].tensors[0]
        tensor.type, tensor.quantization.zeroPoint = kind, [point]

    read_model_file(edited(resnet().build(), change))


@pytest.mark.parametrize("name", ["RESHAPE", "MEAN", "REDUCE_MAX", "SOFTMAX"])
def test_a_result_of_smaller_numbers_is_refused(name: str) -> None:
    """The kernels would write numbers of four bytes into room for one each."""
    check_types(name, "float32", "float32")
    with pytest.raises(FlatbufferError, match=f"a {name} of float32 gives int8"):
        check_types(name, "float32", "int8")


@pytest.mark.parametrize(
    ("name", "source", "result"),
    [("SOFTMAX", "int8", "int16"), ("CAST", "float32", "int8"), ("ARG_MAX", "float32", "int32")],
)
def test_types_that_may_differ(name: str, source: str, result: str) -> None:
    check_types(name, source, result)


def test_a_models_reshape_keeps_the_type(model_bytes: bytes) -> None:
    def change(whole: Any) -> None:
        graph = whole.subgraphs[0]
        graph.tensors[graph.operators[4].outputs[0]].type = 0

    with pytest.raises(FlatbufferError, match="a RESHAPE of int8 gives float32"):
        read_model_file(edited(model_bytes, change))
