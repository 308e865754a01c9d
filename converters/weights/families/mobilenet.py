"""MobileNet v2 and v3, and EfficientNet: torchvision's inverted residual blocks.

A block is a list there: expansion (unless there is none), depthwise, squeeze and excitation (likewise),
projection. All of them pad strided windows on every side.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import keras

from edgecore.converters.weights.families.scheme import IMAGENET, Scheme, symmetric

# Our layer -> step of a block, and the part of that step; v2 has no list around a projection.
STEPS = {
    "expand_conv": ("expand", "0"),
    "expand_bn": ("expand", "1"),
    "depthwise": ("depthwise", "0"),
    "bn": ("depthwise", "1"),
    "reduce": ("excite", "fc1"),
    "expand": ("excite", "fc2"),
    "project_conv": ("project", "0"),
    "project_bn": ("project", "1"),
}
# Layers that tell of a step, by their end.
SIGNS = (
    ("expand", "expand_conv"),
    ("depthwise", "depthwise"),
    ("excite", "reduce"),
    ("project", "project_conv"),
)


def _step(model: keras.Model, block: str, layer: str) -> tuple[int, str, str] | None:
    """(number of the step in its list, name of the step, part of it) of a layer of `block`."""
    if layer not in STEPS:
        return None
    names = {each.name for each in model.layers}
    present = [step for step, sign in SIGNS if f"{block}_{sign}" in names]
    step, part = STEPS[layer]
    return present.index(step), step, part


def _v2(model: keras.Model, layer: str) -> str | None:
    ends = {"classifier": "classifier.1", **_ends("conv1", 0), **_ends("head", 18)}
    found = re.fullmatch(r"block(\d+)_(\w+)", layer)
    place = _step(model, f"block{found[1]}", found[2]) if found else None
    if not found or place is None:
        return ends.get(layer)
    number, step, part = place
    base = f"features.{int(found[1]) + 1}.conv"
    return f"{base}.{number + int(part)}" if step == "project" else f"{base}.{number}.{part}"


def _v3(model: keras.Model, layer: str) -> str | None:
    last = 1 + max(int(each.name[5:].split("_")[0]) for each in model.layers if each.name.startswith("block"))
    ends = {"hidden": "classifier.0", "classifier": "classifier.3"}
    ends |= {**_ends("conv1", 0), **_ends("conv2", last + 1)}
    found = re.fullmatch(r"block(\d+)_(\w+)", layer)
    place = _step(model, f"block{found[1]}", found[2]) if found else None
    if not found or place is None:
        return ends.get(layer)
    return f"features.{int(found[1]) + 1}.block.{place[0]}.{place[2]}"


def _efficientnet(model: keras.Model, layer: str) -> str | None:
    ends = {"classifier": "classifier.1", **_ends("conv1", 0), **_ends("head", 8)}
    found = re.fullmatch(r"(stage(\d)_(\d+))_(\w+)", layer)
    place = _step(model, found[1], found[4]) if found else None
    if not found or place is None:
        return ends.get(layer)
    return f"features.{found[2]}.{int(found[3]) - 1}.block.{place[0]}.{place[2]}"


def _ends(layer: str, number: int) -> dict[str, str]:
    """A convolution and its norm outside of the blocks."""
    return {f"{layer}_conv": f"features.{number}.0", f"{layer}_bn": f"features.{number}.1"}


def _scheme(module_of: Callable[[keras.Model, str], str | None], epsilon: float) -> tuple[Scheme, ...]:
    options = {"padding": "symmetric"}
    return (Scheme("torchvision's", "features.0.0", module_of, IMAGENET, options, symmetric, epsilon),)


V2, V3 = _scheme(_v2, 1e-5), _scheme(_v3, 1e-3)
# B5 to B7 were trained with another epsilon.
EFFICIENTNET, LARGE_EFFICIENTNET = _scheme(_efficientnet, 1e-5), _scheme(_efficientnet, 1e-3)
