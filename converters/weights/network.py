"""A network of the zoo with imported weights, as a file that conversion and training take."""

from __future__ import annotations

import json
from pathlib import Path

import keras

from edgecore.artefact import Artefact
from edgecore.converters import whole_file, zoo
from edgecore.converters.weights.transfer import Loaded, load_into, options_for
from edgecore.preprocess import Preprocessing

REMEDY = "choose another --out"


def network_of(
    path: Path, member: str, labels: tuple[str, ...] | None = None, input_size: int | None = None
) -> tuple[keras.Model, Artefact, Loaded]:
    """(`member` with the weights in `path`, its facts, what came of the file).

    Without `labels` there are as many classes as the file's classifier tells apart: class0, class1, ...
    `input_size` in pixels defaults to the published one. Raises UserError as `load_into` does.
    """
    entry = zoo.member(member)
    options = options_for(member, path)
    classes = len(labels) if labels else entry.classes

    def load(count: int) -> tuple[keras.Model, Loaded]:
        built = zoo.build(member, count, input_size=input_size, **options)
        return built, load_into(built, path)

    model, loaded = load(classes)
    if labels is None and loaded.classes not in (None, classes):
        classes = loaded.classes or classes
        model, loaded = load(classes)
    height, width = model.input_shape[1:3]
    fields = {"width": width, "height": height, "order": entry.order, "scale": list(entry.scale)}
    facts = Artefact(
        name=member,
        classes=labels or tuple(f"class{index}" for index in range(classes)),
        input=Preprocessing.from_json({**fields, **(loaded.input or {})}).to_json(),
        training={"model": member, **options, "weights": path.name, "fresh": list(loaded.fresh)},
    )
    return model, facts, loaded


def write(model: keras.Model, facts: Artefact, out: Path) -> None:
    """Writes the .keras file and its facts beside it as .json; UserError if the folder does not take them."""
    text = json.dumps(facts.to_json(), indent=1, ensure_ascii=False) + "\n"
    whole_file.write_whole(out, model.save, REMEDY)
    whole_file.write_text(out.with_suffix(".json"), text, REMEDY)
