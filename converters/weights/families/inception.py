"""Inception v3. torchvision's averages count the padding, as the option `padded_average` has it."""

from __future__ import annotations

import re

import keras

from edgecore.converters.weights.families.scheme import SYMMETRIC, Scheme

STEM = {
    "conv1": "Conv2d_1a_3x3",
    "conv2": "Conv2d_2a_3x3",
    "conv3": "Conv2d_2b_3x3",
    "conv4": "Conv2d_3b_1x1",
    "conv5": "Conv2d_4a_3x3",
}
MODULES = {
    "a": ("5b", "5c", "5d"),
    "b": ("6a",),
    "c": ("6b", "6c", "6d", "6e"),
    "d": ("7a",),
    "e": ("7b", "7c"),
}
# Names of a branch for the kinds of modules where it is not called branch<ours>_<step>.
DOUBLE = {"a": "3x3dbl", "b": "3x3dbl", "c": "7x7dbl", "e": "3x3dbl"}
SPLIT = {"3x3_row": "3x3_2a", "3x3_column": "3x3_2b", "double_row": "3x3dbl_3a", "double_column": "3x3dbl_3b"}


def _branch(kind: str, branch: str) -> str:
    """Our branch and step, "double_2", as torchvision's "3x3dbl_2"."""
    if branch in SPLIT:
        return SPLIT[branch]
    name, _, step = branch.partition("_")
    if name == "project":
        return "_pool"
    if name == "1x1" or (kind, name) == ("b", "3x3"):
        return name
    if name == "double":
        return f"{DOUBLE[kind]}_{step}"
    return f"7x7x3_{step}" if (kind, name) == ("d", "7x7") else f"{name}_{step}"


def _torchvision(model: keras.Model, layer: str) -> str | None:
    if layer == "classifier":
        return "fc"
    block, _, kind = layer.rpartition("_")
    if block in STEM:
        return f"{STEM[block]}.{kind}"
    found = re.fullmatch(r"([a-e])(\d?)_(\w+)", block)
    if not found or kind not in ("conv", "bn"):
        return None
    module = MODULES[found[1]][int(found[2] or 1) - 1]
    return f"Mixed_{module}.branch{_branch(found[1], found[3])}.{kind}"


def _fits(model: keras.Model) -> bool:
    return any(layer.name == "a1_pool_pad" for layer in model.layers)


SCHEMES = (
    Scheme(
        "torchvision's",
        "Conv2d_1a_3x3.conv",
        _torchvision,
        SYMMETRIC,
        {"padded_average": True},
        _fits,
        epsilon=1e-3,
    ),
)
