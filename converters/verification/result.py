"""What a verification found, for people and for machines."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from edgecore.converters import wilson
from edgecore.converters.verification.device import REFERENCE
from edgecore.errors import UserError
from edgecore.table import table

WORST = 5  # layers and changed classes that the text shows


@dataclass(frozen=True)
class LayerError:
    """One operator of the int8 model beside the float one.

    `noise` is rms error / rms signal that this operator adds by itself, `arrived` the same with all that the
    operators before it have added; both averaged over channels, except
    for the probabilities of a softmax. `clipped` is the share of float values beyond
    what the tensor can hold, `used` the share of its integer levels between the smallest and largest seen.
    """

    node: int
    operator: str
    layer: str
    tensor: str
    shape: tuple[int, ...]
    noise: float
    arrived: float
    clipped: float
    used: float

    def to_json(self) -> dict[str, Any]:
        """Its fields, and both errors as signal-to-quantisation-noise ratio in dB; null without an error."""
        ratios = {"sqnr_db": _decibel(self.noise), "arrived_sqnr_db": _decibel(self.arrived)}
        return {**asdict(self), "shape": list(self.shape), **ratios}


@dataclass(frozen=True)
class ClassChange:
    """How one class fared: its images, the right answers of either model, and answers that differ."""

    name: str
    images: int
    float_hits: int
    int8_hits: int
    flipped: int

    def to_json(self) -> dict[str, Any]:
        """Its fields and both recalls with their 95 % intervals."""
        recalls = {
            "float_recall": _share(self.float_hits, self.images),
            "int8_recall": _share(self.int8_hits, self.images),
        }
        return {**asdict(self), **recalls}


@dataclass(frozen=True)
class Flip:
    """An image that the two models answer differently."""

    image: str
    truth: str
    float_answer: str
    int8_answer: str


@dataclass(frozen=True)
class ScoreError:
    """How far int8 scores are from float ones, over all images and classes, in units of the scores."""

    largest: float
    mean: float
    rms: float


@dataclass(frozen=True)
class EngineCheck:
    """What the engine made of the model.

    `macs` are the multiply-accumulates of an image. `left` are the nodes that stay with the interpreter, each
    with node, operator, name and reason. Of `compared` images `differing` gave other bytes than the reference
    kernels.
    """

    nodes: int
    macs: int
    left: tuple[dict[str, Any], ...]
    partitions: int
    isa: str | None
    runtime: str
    notice: str
    compared: int
    differing: int

    @property
    def binding(self) -> bool:
        """Whether the bytes must be the same: the engine runs every node, and the reference is its own.

        The interpreter's quick kernels may differ from the reference, and so do other runtimes' references.
        """
        return not self.left and self.runtime.startswith(REFERENCE)


@dataclass(frozen=True)
class Verification:
    """A converted model beside its float original on held-out images. `layers` stand worst first."""

    classes: tuple[ClassChange, ...]
    agreeing: int
    score_error: ScoreError
    flips: tuple[Flip, ...]
    layers: tuple[LayerError, ...]
    engine: EngineCheck

    @property
    def images(self) -> int:
        """How many images both models answered."""
        return sum(entry.images for entry in self.classes)

    @property
    def float_hits(self) -> int:
        """Images that the float model gets right."""
        return sum(entry.float_hits for entry in self.classes)

    @property
    def int8_hits(self) -> int:
        """Images that the converted model gets right, as the device runs it."""
        return sum(entry.int8_hits for entry in self.classes)

    @property
    def drop(self) -> float:
        """Accuracy lost, float minus int8, in percentage points; negative where int8 is better."""
        return 100 * (self.float_hits - self.int8_hits) / self.images

    @property
    def exact(self) -> bool:
        """Whether the engine gave the reference's bytes, where it must."""
        return not (self.engine.binding and self.engine.differing)

    def require(self, max_drop: float | None = None) -> None:
        """UserError if the engine deviates from the reference, or accuracy fell by more than `max_drop`.

        max_drop: in percentage points; None: any drop will do.
        """
        if not self.exact:
            raise UserError(
                f"the engine differs from the reference on {self.engine.differing} of "
                f"{self.engine.compared} images; please report it with the model"
            )
        if max_drop is not None and self.drop > max_drop + 1e-9:
            worst = f"; most noise comes from {self.layers[0].layer}" if self.layers else ""
            raise UserError(
                f"int8 loses {self.drop:.2f} points of accuracy on {self.images} images, more than "
                f"{max_drop:g}{worst}; calibrate with more images, or fine-tune with --qat"
            )

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        return {
            "images": self.images,
            "drop": self.drop,
            "float": _share(self.float_hits, self.images),
            "int8": _share(self.int8_hits, self.images),
            "agreement": _share(self.agreeing, self.images),
            "score_error": asdict(self.score_error),
            "classes": [entry.to_json() for entry in self.classes],
            "flips": [asdict(flip) for flip in self.flips],
            "layers": [layer.to_json() for layer in self.layers],
            "engine": {**asdict(self.engine), "left": list(self.engine.left)},
        }

    def text(self) -> str:
        """A screen for people: the verdict, the classes that changed, the worst layers, the engine."""
        return "\n".join(
            [*self._verdict(), *self._class_lines(), *self._layer_lines(), *self._engine_lines()]
        )

    def _verdict(self) -> list[str]:
        change = f"loses {self.drop:.2f} points" if self.drop > 0 else f"gains {-self.drop:.2f} points"
        if self.float_hits == self.int8_hits:
            change = "keeps the accuracy"
        error = self.score_error
        return [
            f"int8 {change} on {self.images} held-out images: "
            f"float {_with_interval(self.float_hits, self.images)}, "
            f"int8 {_with_interval(self.int8_hits, self.images)}",
            f"same answer on {self.agreeing} of {self.images} ({self.agreeing / self.images:.1%}); "
            f"scores differ by {error.mean:.4f} on average, {error.largest:.4f} at most",
        ]

    def _class_lines(self) -> list[str]:
        changed = sorted(
            (entry for entry in self.classes if entry.flipped),
            key=lambda entry: (entry.int8_hits - entry.float_hits, -entry.flipped, entry.name),
        )
        if not changed:
            return []
        rows = [
            [
                entry.name,
                str(entry.images),
                f"{entry.float_hits / max(1, entry.images):.3f}",
                f"{entry.int8_hits / max(1, entry.images):.3f}",
                str(entry.flipped),
            ]
            for entry in changed[:WORST]
        ]
        more = len(changed) - len(rows)
        head = ["class", "images", "float recall", "int8 recall", "answers changed"]
        return ["", table(head, rows, left=(0,)), *([f"and {more} more classes"] if more else [])]

    def _layer_lines(self) -> list[str]:
        rows = [
            [
                layer.layer,
                layer.operator.lower(),
                _ratio(layer.noise),
                _ratio(layer.arrived),
                f"{layer.clipped:.2%}",
                f"{layer.used:.0%}",
            ]
            for layer in self.layers[:WORST]
        ]
        if not rows:
            return []
        head = ["worst layers", "operator", "own SQNR", "with all before", "clipped", "range used"]
        return ["", table(head, rows, left=(0, 1))]

    def _engine_lines(self) -> list[str]:
        engine = self.engine
        same = engine.compared - engine.differing
        lines = [
            "",
            f"engine: {engine.nodes - len(engine.left)} of {engine.nodes} nodes; "
            f"the reference's bytes on {same} of {engine.compared} images ({engine.runtime})",
        ]
        reasons: dict[tuple[str, str], list[int]] = {}
        for entry in engine.left:
            reasons.setdefault((entry["operator"], entry["reason"]), []).append(entry["node"])
        lines += [
            f"left to the interpreter: {operator.lower()} ({len(nodes)}x, first node {nodes[0]})"
            + (f": {reason}" if reason else "")
            for (operator, reason), nodes in reasons.items()
        ]
        return lines + ([engine.notice] if engine.notice else [])


def _decibel(noise: float) -> float | None:
    return -20 * math.log10(noise) if noise > 0 else None


def _ratio(noise: float) -> str:
    decibel = _decibel(noise)
    return "exact" if decibel is None else f"{decibel:.1f} dB"


def _share(hits: int, images: int) -> dict[str, Any]:
    if not images:
        return {"hits": hits, "share": None, "low": None, "high": None}
    low, high = wilson.interval(hits, images)
    return {"hits": hits, "share": hits / images, "low": low, "high": high}


def _with_interval(hits: int, images: int) -> str:
    low, high = wilson.interval(hits, images)
    return f"{hits / images:.4f} ({low:.4f} to {high:.4f})"
