"""SqueezeNet v1.0 and v1.1, and the fire blocks of what is built on them."""

from __future__ import annotations

import re

import keras

from edgecore.converters.weights.families.scheme import CAFFE, IMAGENET, Scheme

FIRE = re.compile(r"fire(\d)_(squeeze1x1|expand1x1|expand3x3)")
# A re-issue of the authors' v1.0, compressed and decoded.
COMPRESSED = {"squeeze1x1": "conv1x1_1", "expand1x1": "conv1x1_2", "expand3x3": "conv3x3_2"}


def _published(model: keras.Model, layer: str) -> str | None:
    fire = FIRE.fullmatch(layer)
    if fire:
        return f"fire{fire[1]}/{fire[2]}"
    return layer if layer in ("conv1", "conv10") else None


def _compressed(model: keras.Model, layer: str) -> str | None:
    fire = FIRE.fullmatch(layer)
    if fire:
        return f"fire{fire[1]}/{COMPRESSED[fire[2]]}"
    return {"conv1": "conv1", "conv10": "conv_final"}.get(layer)


def _torchvision(model: keras.Model, layer: str) -> str | None:
    """Its `features` are conv1, ReLU, and then fire blocks and pools, counted together."""
    fire = FIRE.fullmatch(layer)
    if fire:
        pools = sorted(int(name[4:]) for other in model.layers if re.fullmatch(r"pool\d", name := other.name))
        number = int(fire[1])
        part = "squeeze" if fire[2] == "squeeze1x1" else fire[2]
        return f"features.{number + sum(pool < number for pool in pools)}.{part}"
    return {"conv1": "features.0", "conv10": "classifier.1"}.get(layer)


SCHEMES = (
    Scheme("Caffe's, compressed", "fire2/conv1x1_1", _compressed, CAFFE, {"classifier_padding": 1}),
    Scheme("Caffe's", "fire2/squeeze1x1", _published, CAFFE),
    Scheme("torchvision's", "features.3.squeeze", _torchvision, IMAGENET),
)
