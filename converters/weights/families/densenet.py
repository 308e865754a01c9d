"""DenseNet. torchvision's published files are older than its code, and have a dot more in some names."""

from __future__ import annotations

import re

import keras

from edgecore.converters.weights.families.scheme import IMAGENET, Scheme

ENDS = {
    "conv1_conv": "features.conv0",
    "conv1_bn": "features.norm0",
    "last_bn": "features.norm5",
    "classifier": "classifier",
}
DENSE = {"in_bn": "norm{}1", "a_conv": "conv{}1", "a_bn": "norm{}2", "b_conv": "conv{}2"}


def _module(layer: str, dot: str) -> str | None:
    found = re.fullmatch(r"block(\d)_(\d+)_(\w+)", layer)
    if found:
        part = DENSE.get(found[3])
        return part and f"features.denseblock{found[1]}.denselayer{found[2]}.{part.format(dot)}"
    found = re.fullmatch(r"transition(\d)_(in_bn|conv)", layer)
    if found:
        return f"features.transition{found[1]}.{'norm' if found[2] == 'in_bn' else 'conv'}"
    return ENDS.get(layer)


def _torchvision(model: keras.Model, layer: str) -> str | None:
    return _module(layer, "")


def _published(model: keras.Model, layer: str) -> str | None:
    return _module(layer, ".")


FIRST = "features.denseblock1.denselayer1.conv"
SCHEMES = (
    Scheme("torchvision's", f"{FIRST}1", _torchvision, IMAGENET, epsilon=1e-5),
    Scheme("torchvision's", f"{FIRST}.1", _published, IMAGENET, epsilon=1e-5),
)
