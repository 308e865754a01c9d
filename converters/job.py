"""The whole way of `edgecore convert`: a network of any format becomes one .tflite, checked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edgecore.artefact import Artefact
from edgecore.converters import convert, whole_file
from edgecore.converters.data import Source, left_out
from edgecore.converters.evaluate import evaluate_in_own_process, match_classes
from edgecore.converters.formats import FloatNetwork, KerasNetwork
from edgecore.converters.keras_model import open_described
from edgecore.converters.qat import fine_tune
from edgecore.converters.quantise import to_float
from edgecore.converters.verification import Verification, verify
from edgecore.converters.zoo import repvgg
from edgecore.errors import Rejected, UserError
from edgecore.preprocess import Preprocessing

# Fine-tuning moves the weights of a trained network little.
QAT_RATE = 1e-4
QAT_BATCH = 32


@dataclass(frozen=True)
class Wishes:
    """What a conversion may be asked for.

    Attributes:
        images: how many to calibrate with, about.
        seed: draws them, and orders the images of fine-tuning.
        name: the model's name in its facts; None: as trained, or the file's.
        labels: a label file; None: the facts' classes, else the data's.
        given: order, resize, mean and scale that go over what is known of the input.
        size: (height, width) of an input that the network leaves open.
        output: "logits" or "softmax"; None: as the network is.
        float_layers: layers to leave in float.
        allow_float: whether what has no int8 form may stay in float.
        qat: epochs of quantisation-aware fine-tuning before the conversion.
        verify: how many held-out images to verify on, about; 0: none.
        judge: whether to verify on all of them, and to write the accuracies into the file.
        max_drop: the largest loss of accuracy that passes, in percentage points on all held-out images.
        report: where to write what the verification found, as JSON.
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
    qat: int = 0
    verify: int = 500
    judge: bool = False
    max_drop: float | None = None
    report: Path | None = None


@dataclass(frozen=True)
class _Subject:
    """A float network with what is known of it."""

    network: FloatNetwork
    spec: Preprocessing
    facts: Artefact


def run(path: Path, data: Path, parts: tuple[Source, Source], out: Path, wishes: Wishes) -> None:
    """Converts the network at `path`, verifies it and writes it to `out`; prints what is done.

    Args:
        path: see `formats.open_network`.
        data: the folder or zip that `parts`, (training, held out), were opened from.
        out: the .tflite. While it is checked, and when a check fails, the file is called `out`.rejected
            and whatever was at `out` stays.
        wishes: see there.

    Raises UserError: the network, its data and the wishes do not fit each other, an operation has no int8
    form, or a file cannot be written. Raises Rejected: a check failed.
    """
    training, held_out = parts
    whole_file.check_place(out, "choose another --out")
    if wishes.report is not None:
        whole_file.check_place(wishes.report, "choose another --report")
    subject = _opened(path, training, wishes)
    if wishes.images > len(training.items):
        print(f"calibrating with all {len(training.items)} images there are, not {wishes.images}")
    converted, agreement = convert.convert(
        _fine_tuned(subject, training, wishes),
        subject.facts,
        subject.spec,
        training,
        wishes.images,
        seed=wishes.seed,
        float_layers=wishes.float_layers,
        allow_float=wishes.allow_float,
    )
    print(agreement)
    candidate = out.with_name(f"{out.name}.rejected")
    convert.write(candidate, converted)
    if convert.golden_in_own_process(candidate) is False:
        raise Rejected(
            f"the engine does not give the reference's bytes for {candidate} on this machine; "
            "please report it with the model"
        )
    found = _verified(subject, candidate, held_out, wishes)
    if found is not None:
        _check(found, candidate, wishes)
        if wishes.judge:
            measured = _accuracies(found, candidate, data, held_out)
            convert.write(candidate, convert.with_accuracy(converted, measured))
    convert.move(candidate, out)
    for line in left_out(training, held_out):
        print(line)
    print(f"wrote {out}, {out.stat().st_size:,} bytes")


def _opened(path: Path, training: Source, wishes: Wishes) -> _Subject:
    network, facts, spec = open_described(path, wishes.given, wishes.size)
    if facts is None and not wishes.given:
        print(f"input: taken as {_described(spec)}, as nothing else is said of it; see --input")
    network = merged(network)
    if wishes.output is not None:
        network = network.with_output(wishes.output)
    if wishes.labels is not None:
        from edgecore.model import read_labels

        classes = tuple(read_labels(wishes.labels))
    else:
        classes = facts.classes if facts is not None else training.classes
    base = facts or Artefact(name=path.stem, classes=classes, input=spec.to_json())
    return _Subject(network, spec, replace(base, classes=classes, name=wishes.name or base.name))


def _described(spec: Preprocessing) -> str:
    if set(spec.mean) == {0.0} and set(spec.scale) == {1 / 255}:
        return f"pixel / 255 in {spec.order}"
    return f"(pixel - {spec.mean}) * {spec.scale} in {spec.order}"


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


def _fine_tuned(subject: _Subject, training: Source, wishes: Wishes) -> FloatNetwork:
    network = subject.network
    if not wishes.qat:
        return network
    if not isinstance(network, KerasNetwork):
        raise UserError(f"--qat trains Keras and ONNX networks, not {network.name}; leave it out")
    if wishes.float_layers:
        raise UserError("--qat fine-tunes the whole network for int8; leave --float out")
    tuned = fine_tune(
        network.model,
        _ordered(training, subject.facts.classes),
        subject.spec,
        epochs=wishes.qat,
        rate=QAT_RATE,
        batch=min(QAT_BATCH, len(training.items)),
        seed=wishes.seed,
        images=wishes.images,
        notify=print,
    )
    return KerasNetwork(tuned)


def _ordered(source: Source, classes: tuple[str, ...]) -> Source:
    """`source` with its classes numbered as `classes` has them."""
    label = {data: position for position, data in enumerate(match_classes(classes, source.classes))}
    items = tuple((name, label[index]) for name, index in source.items)
    return replace(source, classes=classes, items=items)


def _verified(subject: _Subject, candidate: Path, held_out: Source, wishes: Wishes) -> Verification | None:
    """What held-out images say; None where nobody asked, or their classes are not the labels."""
    all_needed = wishes.judge or wishes.max_drop is not None
    count = len(held_out.items) if all_needed else wishes.verify
    if not count:
        return None
    if set(subject.facts.classes) != set(held_out.classes) and not all_needed and wishes.report is None:
        print("not verified on held-out images: the data's classes are not the model's labels")
        return None
    images = held_out if count >= len(held_out.items) else held_out.balanced(count)
    found = verify(to_float(subject.network), candidate, images, subject.spec, subject.facts.classes)
    print(found.text())
    if wishes.report is not None:
        text = json.dumps(found.to_json(), indent=1) + "\n"
        convert.write(wishes.report, text.encode(), "--report")
    return found


def _check(found: Verification, candidate: Path, wishes: Wishes) -> None:
    try:
        found.require(wishes.max_drop)
    except UserError as error:
        raise Rejected(f"{error}; the model is kept as {candidate}") from error


def _accuracies(found: Verification, candidate: Path, data: Path, held_out: Source) -> dict[str, Any]:
    integer = evaluate_in_own_process(candidate, data)
    return {
        "float": round(found.float_hits / found.images, 4),
        "int8": round(integer.accuracy, 4),
        "miou": round(integer.miou, 4),
        "images": integer.images,
        "data": f"{data.resolve().name}/{held_out.path.name}",
    }
