"""How other releases name the arrays of the zoo's networks: one file per family."""

from __future__ import annotations

import importlib
import re
from collections.abc import Collection

from edgecore.converters.weights.families.scheme import Scheme

# Names of models, as a pattern -> module of this package with SCHEMES.
FAMILIES = {
    r"squeezenet_v1[._][01].*|squeezenet_bypass.*|res_squeezenet(_small)?": "squeezenet",
}


def schemes(model: str) -> tuple[Scheme, ...]:
    """The known namings for a model, by its own name or that of the zoo's table; none for others."""
    for pattern, module in FAMILIES.items():
        if re.fullmatch(pattern, model):
            found: tuple[Scheme, ...] = importlib.import_module(f"{__name__}.{module}").SCHEMES
            return found
    return ()


def scheme_of(model: str, modules: Collection[str]) -> Scheme | None:
    """The naming that a file with these modules follows; None if it is no known one."""
    return next((scheme for scheme in schemes(model) if scheme.sign in modules), None)
