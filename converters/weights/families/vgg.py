"""VGG-16 and VGG-19 without batch norms. torchvision counts convolutions, ReLUs and pools together."""

from __future__ import annotations

import re

import keras

from edgecore.converters.weights.families.scheme import IMAGENET, Scheme

DENSE = {"fc6": "classifier.0", "fc7": "classifier.3", "classifier": "classifier.6"}


def _torchvision(model: keras.Model, layer: str) -> str | None:
    if not re.fullmatch(r"conv\d_\d", layer):
        return DENSE.get(layer)
    names = [each.name for each in model.layers if re.fullmatch(r"conv\d_\d|pool\d", each.name)]
    before = names[: names.index(layer)]
    return f"features.{sum(2 if name.startswith('conv') else 1 for name in before)}"


SCHEMES = (Scheme("torchvision's", "features.28", _torchvision, IMAGENET),)
