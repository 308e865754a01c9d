"""The model zoo: plain Keras 3, one file per family, built by name.

This module imports no Keras until a model is built, so that its table can be listed anywhere.
"""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING, Any

from edgecore.converters.host import reason_of
from edgecore.converters.zoo.members import MEMBERS, RAW, UNIT, Member
from edgecore.errors import UserError

if TYPE_CHECKING:
    import keras

__all__ = ["MEMBERS", "RAW", "UNIT", "Member", "build", "member", "names"]


def names() -> list[str]:
    """Every name that `build` knows, in the order of the table."""
    return list(MEMBERS)


def member(name: str) -> Member:
    """The table's entry for `name`; UserError with the names that come near otherwise."""
    try:
        return MEMBERS[name]
    except KeyError:
        near = difflib.get_close_matches(name, MEMBERS, n=3)
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        raise UserError(f"no model named '{name}' in the zoo; {meant}`edgecore zoo` lists all") from None


def build(
    name: str, classes: int | None = None, *, input_size: int | None = None, **options: Any
) -> keras.Model:
    """A fresh Keras model with random weights: float (batch, size, size, channels) in, softmax out.

    The scores are (batch, classes); a segmentation network has them for every pixel.

    `classes` and `input_size` default to the published ones; `options` are those of the family's function,
    such as `alpha` for the MobileNets. Raises UserError for an unknown name, an unknown option, or an input
    that is too small for the layout.
    """
    entry = member(name)
    classes = entry.classes if classes is None else classes
    size = entry.input_size if input_size is None else input_size
    if classes < 2:
        raise UserError(f"{name} needs at least 2 classes, got {classes}")
    function = getattr(importlib.import_module(f"{__name__}.{entry.module}"), entry.function)
    try:
        return function(classes, size, **{**entry.options, **options})
    except TypeError as error:
        if "unexpected keyword" in str(error):
            raise UserError(f"{name} has no such option: {error}") from error
        raise
    except KeyError as error:
        raise UserError(f"{name} has no layout {error}; see its options") from error
    except ValueError as error:
        small = "Negative dimension" in str(error)
        reason = f"too small; as published it is {entry.input_size}" if small else reason_of(error)
        raise UserError(f"{name} cannot be built at input size {size}: {reason}") from error
