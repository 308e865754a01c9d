"""Fused blocks, their near misses and random graphs give the reference's bytes, fused and unfused."""

from __future__ import annotations

import pytest
from oracle.blocks import BLOCKS
from oracle.cases import hold
from oracle.network import Network, Quant
from oracle.runtime import assert_same, random_inputs

WITH_AFFINE_KERNEL = {"avx2", "avxvnni", "avx512vnni"}


@pytest.mark.parametrize("name", BLOCKS)
def test_block(name: str) -> None:
    hold(BLOCKS[name], examples=20)


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("swapped", [False, True], ids=["constants right", "constants left"])
@pytest.mark.parametrize("seen", [False, True], ids=["", "product wanted"])
def test_affine_channel_is_one_step(seen: bool, swapped: bool, dtype: str) -> None:
    """Batch normalisation behind a concatenation, as in DenseNet: its sum passes a ReLU."""
    net = Network(seed=7, dtype=dtype)
    middle = 128 + net.low
    x = net.input((1, 9, 8, 96), Quant(0.04, middle - 9))
    factor = net.quantised_constant((1, 1, 1, 96), Quant(0.011, middle + 3))
    addend = net.quantised_constant((96,), Quant(0.02, middle - 1))
    product = net.binary("MUL", *((factor, x) if swapped else (x, factor)), "NONE", Quant(0.045, middle + 5))
    y = net.binary(
        "ADD", *((addend, product) if swapped else (product, addend)), "RELU", Quant(0.03, net.low)
    )
    net.output(*([product, y] if seen else [y]))
    model = net.build()
    for (isa, _, fused), run in assert_same(model, random_inputs(model)).items():
        one_step = fused and not seen and isa in WITH_AFFINE_KERNEL
        assert run.steps == (["affine_channel"] if one_step else ["mul", "add"]), isa


@pytest.mark.slow
@pytest.mark.parametrize("name", BLOCKS)
def test_block_sweep(name: str) -> None:
    hold(BLOCKS[name], examples=400)
