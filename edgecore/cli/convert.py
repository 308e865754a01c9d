"""`edgecore convert`: a Keras model becomes an int8 .tflite that carries labels and preprocessing."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from edgecore.cli.options import numbers, positive
from edgecore.errors import UserError

HELP = "convert a Keras model to a full-integer .tflite"
INPUT = ("order", "resize", "mean", "scale")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `edgecore convert`."""
    parser.add_argument("model", type=Path, metavar="MODEL", help=".keras file")
    parser.add_argument(
        "--data",
        required=True,
        type=Path,
        metavar="DIR",
        help="images to calibrate with: a folder with train and test, or of class folders",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: MODEL with the suffix .tflite")
    parser.add_argument("--name", help="the model's name in its facts (default: as trained, or the file's)")
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="one label a line, for a model without model.json"
    )
    parser.add_argument(
        "--images", type=positive, default=300, metavar="N", help="images to calibrate with (default: 300)"
    )
    parser.add_argument(
        "--judge", action="store_true", help="measure int8 and float on the test part; write it into the file"
    )
    group = parser.add_argument_group("preprocessing", "Taken from model.json beside MODEL unless told here.")
    group.add_argument("--order", choices=("RGB", "BGR", "GREY"), help="colour order of the input")
    group.add_argument("--resize", choices=("stretch", "letterbox", "crop"))
    group.add_argument(
        "--mean", type=numbers, metavar="M[,M,M]", help="input = (pixel - mean) * scale, per channel"
    )
    group.add_argument("--scale", type=numbers, metavar="S[,S,S]", help="see --mean")


def run(args: argparse.Namespace) -> int:
    """Converts, verifies and writes; prints what came out."""
    given = {name: getattr(args, name) for name in INPUT if getattr(args, name) is not None}
    convert_file(
        args.model,
        args.data,
        args.out or args.model.with_suffix(".tflite"),
        images=args.images,
        judge=args.judge,
        name=args.name,
        labels=args.labels,
        given=given,
    )
    return 0


def convert_file(
    model_path: Path,
    data: Path,
    out: Path,
    *,
    images: int,
    judge: bool = False,
    name: str | None = None,
    labels: Path | None = None,
    given: dict[str, Any] | None = None,
) -> None:
    """The whole way from .keras to .tflite; with `judge` the accuracies are measured and written into it."""
    from edgecore.artefact import Artefact
    from edgecore.converters.data import open_splits
    from edgecore.converters.host import require_tensorflow

    if not model_path.is_file():
        raise UserError(f"there is no model {model_path}; give a .keras file, as `edgecore train` writes it")
    training, test = open_splits(data)
    require_tensorflow()
    from edgecore.converters import convert
    from edgecore.converters.evaluate import evaluate_in_own_process, evaluate_keras
    from edgecore.converters.keras_model import open_model

    model, facts, spec = open_model(model_path, given)
    if labels is not None:
        from edgecore.model import read_labels

        classes = tuple(read_labels(labels))
    else:
        classes = facts.classes if facts is not None else training.classes
    base = facts or Artefact(name=model_path.stem, classes=classes, input=spec.to_json())
    base = dataclasses.replace(base, classes=classes, name=name or base.name)
    converted, agreement = convert.convert(model, base, spec, training, images)
    convert.write(out, converted)
    print(agreement)
    if convert.golden_in_own_process(out) is False:
        raise UserError(
            f"the engine does not give the reference's bytes for {out} on this machine; "
            "please report it with the model"
        )
    if judge:
        whole = evaluate_keras(model_path, test)
        integer = evaluate_in_own_process(out, data)
        measured = {
            "float": round(whole.accuracy, 4),
            "int8": round(integer.accuracy, 4),
            "miou": round(integer.miou, 4),
            "images": integer.images,
            "data": f"{data.resolve().name}/{test.path.name}",
        }
        convert.write(out, convert.with_accuracy(converted, measured))
        print(f"on {integer.images} test images: float {whole.accuracy:.4f}, int8 {integer.accuracy:.4f}")
    print(f"wrote {out}, {out.stat().st_size:,} bytes")
