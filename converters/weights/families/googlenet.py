"""GoogLeNet. torchvision's has batch norms, a 3x3 in place of the 5x5 and a 2x2 as its last pool."""

from __future__ import annotations

import re

import keras

from edgecore.converters.weights.families.scheme import SYMMETRIC, Scheme

STEM = {"conv1": "conv1", "conv2_reduce": "conv2", "conv2": "conv3"}
BRANCHES = {
    "1x1": "branch1",
    "3x3_reduce": "branch2.0",
    "3x3": "branch2.1",
    "5x5_reduce": "branch3.0",
    "5x5": "branch3.1",
    "project": "branch4.1",
}


def _torchvision(model: keras.Model, layer: str) -> str | None:
    if layer == "classifier":
        return "fc"
    block, _, kind = layer.rpartition("_")
    if kind not in ("conv", "bn"):
        return None
    found = re.fullmatch(r"(\d[a-e])_(\w+)", block)
    if found:
        return f"inception{found[1]}.{BRANCHES[found[2]]}.{kind}"
    return f"{STEM[block]}.{kind}" if block in STEM else None


def _fits(model: keras.Model) -> bool:
    """Names of layers tell the batch norms, and kernels and pools their sizes."""
    sizes = {layer.name: layer for layer in model.layers}
    wide = sizes.get("3a_5x5_conv")
    return wide is not None and wide.kernel_size == (3, 3) and sizes["pool4"].pool_size == (2, 2)


OPTIONS = {"batch_norm": True, "wide_kernel": 3, "last_pool": 2}
SCHEMES = (
    Scheme("torchvision's", "inception3a.branch1.conv", _torchvision, SYMMETRIC, OPTIONS, _fits, 1e-3),
)
