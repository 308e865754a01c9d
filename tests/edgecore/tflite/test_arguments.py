"""Constant arguments by which TFLite's own kernels would read or write what is not theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from oracle.models import unet
from oracle.writer import edited

from edgecore.tflite.arguments import check_arguments
from edgecore.tflite.flatbuffer import FlatbufferError
from edgecore.tflite.model_file import Operator, Tensor, read_model_file


def check(name: str, shape: Sequence[int], *arguments: Any, masks: Sequence[int] = ()) -> None:
    """A node of data and constants after it, or before it where it is a transposed convolution."""
    result: tuple[int, ...] = arguments[-1] if name == "SLICE" else ()
    constants = arguments[:-1] if name == "SLICE" else arguments
    tensors = [Tensor("c", "int32", (len(each),), True, (), (), 0, values=tuple(each)) for each in constants]
    data = Tensor("x", "int8", tuple(shape), False, (), (), 0)
    if name == "TRANSPOSE_CONV":
        tensors = [tensors[0], Tensor("w", "int8", tuple(arguments[1]), True, (), (), 0), data]
    else:
        tensors.insert(0, data)
    operator = Operator(name, tuple(range(len(tensors))), (len(tensors),), tuple(masks))
    check_arguments(operator, [*tensors, Tensor("y", "int8", result, False, (), (), 0)])


@pytest.mark.parametrize(
    ("name", "shape", "arguments"),
    [
        ("TRANSPOSE", (2, 3, 4), ([0, 0, 1],)),
        ("RESIZE_BILINEAR", (1, 3, 4, 7), ([9240613, 35],)),
        ("PAD", (1, 8, 8, 3), ([0, 0, 0, -1, 0, 0, 0, 0],)),
        ("PAD", (1, 8, 8, 3), ([0, 0, 2**31 - 1, 2**31 - 1, 0, 0, 0, 0],)),
        ("SLICE", (1, 30, 4), ([0, -20, 0], [1, 3, 4], (1, 3, 4))),
        ("SLICE", (1, 30, 4), ([0, 28, 0], [1, 3, 4], (1, 3, 4))),
        ("SLICE", (1, 30, 4), ([0, 31, 0], [1, -1, 4], (1, 1, 4))),
        ("SLICE", (1, 30, 4), ([0, 0, 0], [1, 30, 4], (1, 3, 4))),  # more than the result has room for
        ("SLICE", (1, 30, 4), ([0, 0], [1, 30, 4], (1, 30, 4))),
        ("TRANSPOSE_CONV", (1, 32, 24, 5), ([1, 65, 49, 12], (4, 3, 3, 5))),
        ("TRANSPOSE_CONV", (2, 32, 24, 5), ([1, 65, 49, 4], (4, 3, 3, 5))),
        ("TRANSPOSE_CONV", (1, 32, 24, 5), ([1, 65, 0, 4], (4, 3, 3, 5))),
        ("TRANSPOSE_CONV", (1, 32, 24, 5), ([1, 65, 4], (4, 3, 3, 5))),
    ],
)
def test_arguments_that_do_not_fit(name: str, shape: Sequence[int], arguments: Sequence[Any]) -> None:
    with pytest.raises(FlatbufferError, match=f"a {name} of .* has an argument that does not fit"):
        check(name, shape, *arguments)


@pytest.mark.parametrize(
    ("name", "shape", "arguments"),
    [
        ("TRANSPOSE", (2, 3, 4), ([0, 2, 1],)),
        ("RESIZE_NEAREST_NEIGHBOR", (1, 3, 4, 7), ([6, 35],)),
        ("PAD", (1, 8, 8, 3), ([0, 0, 1, 2, 3, 4, 0, 0],)),
        ("SLICE", (1, 30, 4), ([0, 28, 0], [1, 2, -1], (1, 2, 4))),
        ("SLICE", (1, 30, 4), ([0, 28, 0], [1, 2, -1], ())),  # where the file does not say the result's shape
        ("SLICE", (), ([0, 28, 0], [1, 2, -1], ())),
        ("TRANSPOSE_CONV", (1, 32, 24, 5), ([1, 65, 49, 4], (4, 3, 3, 5))),
    ],
)
def test_arguments_that_fit(name: str, shape: Sequence[int], arguments: Sequence[Any]) -> None:
    check(name, shape, *arguments)


@pytest.mark.parametrize(("begin", "fits"), [(29, True), (-30, True), (30, False), (-31, False)])
def test_the_index_of_a_dimension_that_is_taken_away(begin: int, fits: bool) -> None:
    arguments = ([0, begin, 0], [1, begin + 1, 4], [1, 1, 1])
    check("STRIDED_SLICE", (1, 30, 4), *arguments, masks=(0, 0, 0, 0, 0))
    check("STRIDED_SLICE", (1, 30, 4), *arguments, masks=(2, 0, 0, 0, 2))
    if fits:
        check("STRIDED_SLICE", (1, 30, 4), *arguments, masks=(0, 0, 0, 0, 2))
    else:
        with pytest.raises(FlatbufferError, match="STRIDED_SLICE"):
            check("STRIDED_SLICE", (1, 30, 4), *arguments, masks=(0, 0, 0, 0, 2))


def test_a_stride_that_leaves_32_bits() -> None:
    """Found by the fuzzer: TFLite's index overflows, and it copies on beyond the end."""
    for stride in (1000, -3, 2**31 - 31):
        check("STRIDED_SLICE", (1, 30, 4), [0, 0, 0], [1, 30, 4], [1, stride, 1], masks=(0, 0, 0, 0, 0))
    for stride in (2**31 - 1, 2**31 - 30, -(2**31)):
        with pytest.raises(FlatbufferError, match="STRIDED_SLICE"):
            check("STRIDED_SLICE", (1, 30, 4), [0, 0, 0], [1, 30, 4], [1, stride, 1], masks=(0, 0, 0, 0, 0))


def test_a_shape_that_can_change_is_not_judged() -> None:
    data = Tensor("x", "int8", (1, 1), False, (), (), 0, changes=True)
    argument = Tensor("c", "int32", (2,), True, (), (), 0, values=(0, 0))
    check_arguments(Operator("TRANSPOSE", (0, 1), (2,)), [data, argument, data])


def test_a_models_shape_with_more_channels_than_its_weights() -> None:
    """TFLite reads weights and bias beyond their ends."""

    def widen(whole: Any) -> None:
        graph = whole.subgraphs[0]
        last = graph.operators[12]
        buffer = whole.buffers[graph.tensors[last.inputs[0]].buffer]
        assert bytes(buffer.data[12:16]) == (4).to_bytes(4, "little")
        buffer.data = [*buffer.data[:12], 12, 0, 0, 0]

    with pytest.raises(FlatbufferError, match=r"TRANSPOSE_CONV of \[1, 32, 24, 5\] .*: \[1, 65, 49, 12\]$"):
        read_model_file(edited(unet().build(), widen))
