"""Whole models give the bytes that the reference kernels gave on x86, whatever this machine is.

Needs neither the reference kernels nor OpenCV, so it runs on architectures and Pythons that lack them.
"""

from __future__ import annotations

import json

import pytest
from oracle import available_isas, engine, random_inputs
from oracle.freeze import HASHES, SEEDS
from oracle.models import MODELS, digest


@pytest.mark.parametrize("name", MODELS)
def test_frozen_outputs(name: str) -> None:
    frozen = json.loads(HASHES.read_text())[name]
    net = MODELS[name]()
    assert net.writer.digest() == frozen["model"], "the generator gives other weights here"
    model = net.build()
    for seed, want in zip(SEEDS, frozen["outputs"], strict=True):
        inputs = random_inputs(model, seed, seed == 1)
        for isa in available_isas():
            assert digest(engine(model, inputs, 2, isa).outputs) == want, f"seed {seed}, {isa}"
