"""Learning rates: plain functions of the step, so that a resumed run goes on exactly where it was."""

from __future__ import annotations

import math

from edgecore.converters.recipes.settings import Training

# "onecycle": where the rate begins and ends, and how long it rises, as in fastai's fit_one_cycle.
FIRST, LAST, RISING = 1 / 25, 1 / 25e4, 0.3


def rate_at(settings: Training, step: int, steps: int, factor: float = 1.0) -> float:
    """The learning rate of a step, counted from 0, in a run of `steps` steps an epoch.

    The rate rises linearly over the warm-up. Then it falls linearly ("linear") or along half a cosine
    ("cosine", Loshchilov and Hutter 2016, arXiv:1608.03983) to 0 at the run's end, or stays ("constant" and
    "plateau"). "onecycle" rises and falls along cosines (Smith and Topin 2017, arXiv:1708.07120; the
    momentum stays). `factor` is what a plateau has made of the rate.
    """
    total, warmup = settings.epochs * steps, settings.warmup * steps
    if settings.schedule == "onecycle":
        return settings.rate * _one_cycle(step, total)
    left = max(1, total - warmup)
    share = {
        "linear": (total - step) / left,
        "cosine": 0.5 * (1 + math.cos(math.pi * (step - warmup) / left)),
    }.get(settings.schedule, factor)
    rising = (step + 1) / max(1, warmup)
    if settings.schedule == "cosine" and step < warmup:
        share = 1.0
    return settings.rate * min(rising, max(share, 0.0))


def _one_cycle(step: int, total: int) -> float:
    top = max(1.0, RISING * total)
    if step < top:
        return _between(FIRST, 1.0, step / top)
    return _between(1.0, LAST, (step - top) / max(1.0, total - top))


def _between(first: float, last: float, share: float) -> float:
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
