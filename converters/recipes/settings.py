"""The [train] and [transfer] sections of a recipe: their entries, defaults and limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from edgecore.errors import UserError

# Peak rate and decoupled weight decay where a recipe names none.
OPTIMIZERS: dict[str, dict[str, float]] = {
    "sgd": {"rate": 0.05, "weight_decay": 0.005},
    "adam": {"rate": 0.001, "weight_decay": 0.0},
    "adamw": {"rate": 0.001, "weight_decay": 0.004},
}
SCHEDULES = ("linear", "cosine", "plateau", "constant", "onecycle")
CLASS_WEIGHTS = ("none", "balanced")


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Attributes:
        epochs, batch: of whole passes, and of images a step.
        optimizer: "sgd" (with momentum), "adam" or "adamw".
        schedule: how the rate goes on after the warm-up; see training/schedules.py.
        rate: the highest learning rate.
        warmup: epochs in which the rate rises to it; "onecycle" rises in its own way.
        momentum, nesterov: of SGD alone.
        weight_decay: decoupled: every step takes rate * weight_decay of each kernel away. For SGD with
            momentum m, weight_decay * (1 - m) in the gradient has the same effect.
        label_smoothing: the share of the target spread over all classes.
        class_weights: "balanced" weighs an image by 1 / (its class's share * number of classes).
        patience: epochs without a better validation result after which training stops; 0: it never does.
        plateau_patience, plateau_factor, least_rate: "plateau" multiplies the rate by the factor after so
            many epochs without a lower validation loss, down to the least rate.
        validation: the share of the training images that is held out to judge the epochs; 0: the test part
            judges them.
        seed: of weights, order and augmentation.

    Raises:
        UserError: a value out of range.
    """

    epochs: int = 20
    batch: int = 64
    optimizer: str = "sgd"
    schedule: str = "linear"
    rate: float = OPTIMIZERS["sgd"]["rate"]
    warmup: int = 1
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = OPTIMIZERS["sgd"]["weight_decay"]
    label_smoothing: float = 0.0
    class_weights: str = "none"
    patience: int = 0
    plateau_patience: int = 3
    plateau_factor: float = 0.1
    least_rate: float = 1e-5
    validation: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 1 or not 0 <= self.warmup <= self.epochs:
            raise UserError(
                f"{self.epochs} epochs, batch {self.batch}, warm-up {self.warmup} cannot be run; "
                "epochs and batch are 1 or more, the warm-up at most the epochs"
            )
        known = {"optimizer": tuple(OPTIMIZERS), "schedule": SCHEDULES, "class_weights": CLASS_WEIGHTS}
        for name, choices in known.items():
            if getattr(self, name) not in choices:
                raise UserError(f"{name} is {getattr(self, name)!r}; give one of {', '.join(choices)}")
        if not (self.rate > 0 and math.isfinite(self.rate)):
            raise UserError(f"rate is {self.rate}; it must be positive")
        for name in ("momentum", "label_smoothing", "validation"):
            if not 0 <= getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}; it must be in [0, 1)")
        for name in ("weight_decay", "least_rate", "patience", "seed"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UserError(f"{name} is {getattr(self, name)}; it must be 0 or more")
        if self.plateau_patience < 1 or not 0 < self.plateau_factor < 1:
            raise UserError("plateau_patience must be 1 or more, plateau_factor between 0 and 1")


@dataclass(frozen=True)
class Transfer:
    """Where training starts: a file of weights, and the last layer that it leaves as it is.

    In a recipe `freeze_until` may also be a table, network to layer, which holds where weights are given:
    random layers are not worth keeping.
    """

    weights: str = ""
    freeze_until: str = ""


def defaults_of(train: dict[str, Any]) -> dict[str, float]:
    """What the optimizer of a [train] table implies for entries that it may not name."""
    return OPTIMIZERS.get(str(train.get("optimizer", "sgd")), {})
