"""Fused blocks, their near misses and random graphs give the reference's bytes, fused and unfused."""

from __future__ import annotations

import pytest
from oracle.blocks import BLOCKS
from oracle.cases import hold


@pytest.mark.parametrize("name", BLOCKS)
def test_block(name: str) -> None:
    hold(BLOCKS[name], examples=20)


@pytest.mark.slow
@pytest.mark.parametrize("name", BLOCKS)
def test_block_sweep(name: str) -> None:
    hold(BLOCKS[name], examples=400)
