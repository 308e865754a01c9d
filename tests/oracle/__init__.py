"""The exactness harness: small models, run by TFLite's reference kernels and by the engine.

net = Network(seed=7)
x = net.input((1, 17, 13, 5))
net.output(net.conv2d(x, 24, kernel=(3, 3), stride=(2, 2), activation="RELU"))
model = net.build()
inputs = random_inputs(model, seed=1)
assert_same(model, inputs, threads=(1, 2), isas=("scalar", "avx2"), fuse=(True, False))
"""

from __future__ import annotations

from .network import Network, Quant
from .runtime import (
    EngineRun,
    assert_layer,
    assert_same,
    available_isas,
    engine,
    host,
    random_inputs,
    reference,
    run,
)
from .writer import ModelWriter, expose

__all__ = [
    "EngineRun",
    "ModelWriter",
    "Network",
    "Quant",
    "assert_layer",
    "assert_same",
    "available_isas",
    "engine",
    "expose",
    "host",
    "random_inputs",
    "reference",
    "run",
]
