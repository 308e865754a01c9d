"""ShuffleNet v2: torchvision numbers convolutions, norms and ReLUs of a branch together."""

from __future__ import annotations

import re

import keras

from edgecore.converters.weights.families.scheme import IMAGENET, Scheme

ENDS = {
    "conv1_conv": "conv1.0",
    "conv1_bn": "conv1.1",
    "conv5_conv": "conv5.0",
    "conv5_bn": "conv5.1",
    "classifier": "fc",
}
PARTS = {
    "left_depthwise": "branch1.0",
    "left_bn": "branch1.1",
    "left_project_conv": "branch1.2",
    "left_project_bn": "branch1.3",
    "a_conv": "branch2.0",
    "a_bn": "branch2.1",
    "b_depthwise": "branch2.3",
    "b_bn": "branch2.4",
    "c_conv": "branch2.5",
    "c_bn": "branch2.6",
}


def _torchvision(model: keras.Model, layer: str) -> str | None:
    found = re.fullmatch(r"stage(\d)_(\d+)_(\w+)", layer)
    if not found:
        return ENDS.get(layer)
    part = PARTS.get(found[3])
    return part and f"stage{found[1]}.{int(found[2]) - 1}.{part}"


SCHEMES = (Scheme("torchvision's", "stage2.0.branch1.0", _torchvision, IMAGENET, epsilon=1e-5),)
