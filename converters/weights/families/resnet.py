"""ResNet, ResNeXt and the wide ones of torchvision."""

from __future__ import annotations

import re

import keras

from edgecore.converters.weights.families.scheme import IMAGENET, Scheme

STEM = {"conv1_conv": "conv1", "conv1_bn": "bn1", "classifier": "fc"}
PARTS = {"proj_conv": "downsample.0", "proj_bn": "downsample.1"} | {
    f"{letter}_{kind}": f"{kind}{number}"
    for number, letter in enumerate("abc", start=1)
    for kind in ("conv", "bn")
}


def _torchvision(model: keras.Model, layer: str) -> str | None:
    found = re.fullmatch(r"stage(\d)_(\d+)_(\w+)", layer)
    if not found:
        return STEM.get(layer)
    part = PARTS.get(found[3])
    return part and f"layer{found[1]}.{int(found[2]) - 1}.{part}"


SCHEMES = (Scheme("torchvision's", "layer1.0.conv1", _torchvision, IMAGENET, epsilon=1e-5),)
