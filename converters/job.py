"""The whole way of `edgecore convert`: a network of any format, the data it was trained on, one .tflite."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgecore.artefact import Artefact
from edgecore.converters import convert
from edgecore.converters.data import Source
from edgecore.converters.formats import FloatNetwork, KerasNetwork
from edgecore.converters.keras_model import open_described
from edgecore.converters.zoo import repvgg
from edgecore.preprocess import Preprocessing


@dataclass(frozen=True)
class Wishes:
    """What a conversion may be asked for.

    Attributes:
        images: how many to calibrate with, about.
        seed: draws them.
        name: the model's name in its facts; None: as trained, or the file's.
        labels: a label file; None: the facts' classes, else the data's.
        given: order, resize, mean and scale that go over what is known of the input.
        size: (height, width) of an input that the network leaves open.
        output: "logits" or "softmax"; None: as the network is.
        float_layers: layers to leave in float.
        allow_float: whether what has no int8 form may stay in float.
    """

    images: int = 300
    seed: int = 0
    name: str | None = None
    labels: Path | None = None
    given: dict[str, Any] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    output: str | None = None
    float_layers: tuple[str, ...] = ()
    allow_float: bool = False


def convert_path(path: Path, training: Source, wishes: Wishes) -> tuple[bytes, FloatNetwork, Preprocessing]:
    """(the .tflite with its tail, the float network behind it, its preprocessing); prints what it does.

    Raises UserError as `formats.open_network` and `convert.convert` do.
    """
    network, facts, spec = open_described(path, wishes.given, wishes.size)
    if facts is None and not wishes.given:
        print(f"input: taken as {_described(spec)}, as nothing else is said of it; see --input")
    network = merged(network)
    if wishes.output is not None:
        network = network.with_output(wishes.output)
    base = _facts(path, facts, spec, training, wishes)
    if wishes.images > len(training.items):
        print(f"calibrating with all {len(training.items)} images there are, not {wishes.images}")
    converted, agreement = convert.convert(
        network,
        base,
        spec,
        training,
        wishes.images,
        seed=wishes.seed,
        float_layers=wishes.float_layers,
        allow_float=wishes.allow_float,
    )
    print(agreement)
    return converted, network, spec


def merged(network: FloatNetwork) -> FloatNetwork:
    """A RepVGG with one convolution for the three branches of each block, and a line that says so; any other
    network as it is.
    """
    if not isinstance(network, KerasNetwork) or not repvgg.has_branches(network.model):
        return network
    plain = KerasNetwork(repvgg.merge(network.model))
    before, after = network.model.count_params(), plain.model.count_params()
    print(f"merged the branches of {network.name}: {before:,} parameters become {after:,}, answers stay")
    return plain


def _facts(
    path: Path, facts: Artefact | None, spec: Preprocessing, training: Source, wishes: Wishes
) -> Artefact:
    if wishes.labels is not None:
        from edgecore.model import read_labels

        classes = tuple(read_labels(wishes.labels))
    else:
        classes = facts.classes if facts is not None else training.classes
    base = facts or Artefact(name=path.stem, classes=classes, input=spec.to_json())
    return dataclasses.replace(base, classes=classes, name=wishes.name or base.name)


def _described(spec: Preprocessing) -> str:
    if set(spec.mean) == {0.0} and set(spec.scale) == {1 / 255}:
        return f"pixel / 255 in {spec.order}"
    return f"(pixel - {spec.mean}) * {spec.scale} in {spec.order}"
