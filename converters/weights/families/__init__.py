"""How other releases name the arrays of the zoo's networks: one file per family.

AlexNet has none: torchvision's is a later and narrower one, with 64, 192, 384, 256 and 256 filters.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Collection

from edgecore.converters.weights.families.scheme import Scheme

# Names of models, as a pattern -> module of this package, and the schemes in it.
FAMILIES = {
    r"squeezenet_v1[._][01].*|squeezenet_bypass.*|res_squeezenet(_small)?": "squeezenet.SCHEMES",
    r"vgg1[69]": "vgg.SCHEMES",
    r"googlenet": "googlenet.SCHEMES",
    r"inception_v3": "inception.SCHEMES",
    r"resnet\d+|resnext50|wide_resnet50(_2)?": "resnet.SCHEMES",
    r"densenet\d+": "densenet.SCHEMES",
    r"mobilenet_v2": "mobilenet.V2",
    r"mobilenet_v3_(small|large)": "mobilenet.V3",
    r"efficientnet_b[0-4]": "mobilenet.EFFICIENTNET",
    r"efficientnet_b[5-7]": "mobilenet.LARGE_EFFICIENTNET",
    r"shufflenet_v2": "shufflenet.SCHEMES",
    r"convnext_tiny": "convnext.SCHEMES",
}


def schemes(model: str) -> tuple[Scheme, ...]:
    """The known namings for a model, by its own name or that of the zoo's table; none for others."""
    for pattern, where in FAMILIES.items():
        if re.fullmatch(pattern, model):
            module, _, name = where.partition(".")
            found: tuple[Scheme, ...] = getattr(importlib.import_module(f"{__name__}.{module}"), name)
            return found
    return ()


def scheme_of(model: str, modules: Collection[str]) -> Scheme | None:
    """The naming that a file with these modules follows; None if it is no known one."""
    return next((scheme for scheme in schemes(model) if scheme.sign in modules), None)
