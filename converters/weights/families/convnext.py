"""ConvNeXt-T. torchvision has dense layers over channels for 1x1 convolutions, and a vector as the gain."""

from __future__ import annotations

import re

import keras

from edgecore.converters.weights.families.scheme import IMAGENET, Scheme

ENDS = {
    "stem": "features.0.0",
    "stem_norm": "features.0.1",
    "last_norm": "classifier.0",
    "classifier": "classifier.2",
}
PARTS = {"depthwise": ".block.0", "norm": ".block.2", "expand": ".block.3", "project": ".block.5", "gain": ""}


def _torchvision(model: keras.Model, layer: str) -> str | None:
    down = re.fullmatch(r"down(\d)(_norm)?", layer)
    if down:
        return f"features.{2 * int(down[1]) - 2}.{0 if down[2] else 1}"
    found = re.fullmatch(r"stage(\d)_(\d+)_(\w+)", layer)
    if not found:
        return ENDS.get(layer)
    part = PARTS.get(found[3])
    return None if part is None else f"features.{2 * int(found[1]) - 1}.{int(found[2]) - 1}{part}"


SCHEMES = (Scheme("torchvision's", "features.0.0", _torchvision, IMAGENET),)
