"""The model zoo: plain Keras 3, one file per family, built by name.

This module imports no Keras until a model is built, so that its table can be listed anywhere.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edgecore.errors import UserError

if TYPE_CHECKING:
    import keras

UNIT = (1.0 / 255.0,) * 3
RAW = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Member:
    """One name of the zoo: where it is built, its defaults, and the float input that it expects.

    The network's input is (pixel - 0) * `scale` in the channel order `order`.
    """

    module: str
    function: str
    classes: int
    input_size: int
    summary: str
    options: dict[str, Any] = field(default_factory=dict)
    order: str = "RGB"
    scale: tuple[float, ...] = UNIT


MEMBERS: dict[str, Member] = {
    "squeezenet_v1.0": Member(
        "squeezenet", "squeezenet", 1000, 227, "SqueezeNet v1.0, 861 MMAC", {"version": "1.0"}
    ),
    "squeezenet_v1.1": Member(
        "squeezenet", "squeezenet", 1000, 227, "SqueezeNet v1.1, 388 MMAC", {"version": "1.1"}
    ),
    "squeezenet_bypass": Member(
        "squeezenet",
        "squeezenet",
        1000,
        227,
        "SqueezeNet v1.0 with sums around fire3, 5, 7 and 9",
        {"version": "1.0", "bypass": True},
    ),
    "res_squeezenet": Member(
        "res_squeezenet", "res_squeezenet", 9, 227, "the Res-SqueezeNet of the paper, about 10.5 M parameters"
    ),
    "res_squeezenet_compact": Member(
        "res_squeezenet",
        "res_squeezenet_compact",
        10,
        32,
        "Res-SqueezeNet for 32x32 images, the bundled model's layout",
    ),
    "spp_covid_net": Member(
        "spp_covid_net",
        "spp_covid_net",
        3,
        256,
        "SPP-COVID-Net for chest X-rays, 862,331 parameters",
        order="BGR",
        scale=RAW,
    ),
    "resnet18": Member("resnet", "resnet18", 1000, 224, "ResNet18"),
    "mobilenet_v1": Member("mobilenet", "mobilenet_v1", 1000, 224, "MobileNet v1"),
    "mobilenet_v2": Member("mobilenet", "mobilenet_v2", 1000, 224, "MobileNet v2"),
}


def names() -> list[str]:
    """Every name that `build` knows, in the order of the table."""
    return list(MEMBERS)


def member(name: str) -> Member:
    """The table's entry for `name`; UserError with the known names otherwise."""
    try:
        return MEMBERS[name]
    except KeyError:
        raise UserError(f"no model named '{name}' in the zoo; choose one of {', '.join(MEMBERS)}") from None


def build(
    name: str, classes: int | None = None, *, input_size: int | None = None, **options: Any
) -> keras.Model:
    """A fresh Keras model with random weights: float (batch, size, size, 3) in, softmax (batch, classes) out.

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
    except ValueError as error:
        raise UserError(f"{name} cannot be built at input size {size}: {error}") from error
