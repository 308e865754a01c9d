"""`edgecore eval`: accuracy, per-class figures and mIoU of a model on labelled images."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from edgecore.cli.options import positive
from edgecore.errors import UserError

HELP = "measure a model's accuracy on labelled images"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `edgecore eval`."""
    parser.epilog = (
        "A .tflite runs as on the device and needs no TensorFlow. mIoU is the mean over the classes of "
        "TP / (TP + FP + FN)."
    )
    parser.add_argument(
        "model", nargs="?", type=Path, metavar="MODEL", help=".tflite or .keras (default: the bundled model)"
    )
    parser.add_argument(
        "--data",
        required=True,
        type=Path,
        metavar="DIR",
        help="folder or zip of <class>/<image>, or a folder that holds one named test",
    )
    parser.add_argument(
        "--held-out",
        action="store_true",
        help="of a single source only the part that `edgecore train` left out",
    )
    parser.add_argument("--images", type=positive, metavar="N", help="about N images, evenly of each class")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="labels of a .tflite that carries none")
    parser.add_argument("--threads", type=positive, metavar="N", help="threads of the engine")
    parser.add_argument(
        "--confusion", action="store_true", help="print the confusion matrix, a row per true class"
    )
    parser.add_argument("--json", action="store_true", help="everything as one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """Evaluates and prints the report."""
    from edgecore.converters.data import judged_source
    from edgecore.converters.evaluate import as_text, confusion_text, evaluate_keras, evaluate_tflite

    if args.model is not None and not args.model.is_file():
        raise UserError(f"there is no model {args.model}; check the path")
    source = judged_source(args.data, held_out=args.held_out)
    if args.images:
        source = source.balanced(args.images)
    if args.model is not None and args.model.suffix in (".keras", ".h5"):
        from edgecore.converters.host import require_tensorflow

        require_tensorflow()
        report = evaluate_keras(args.model, source)
    else:
        show = sys.stderr.isatty() and not args.json

        def progress(done: int) -> None:
            if show:
                print(f"\r{done}/{len(source.items)}", end="", file=sys.stderr, flush=True)

        report = evaluate_tflite(
            args.model, source, threads=args.threads, labels=args.labels, progress=progress
        )
        if show:
            print(file=sys.stderr)
    if args.json:
        print(json.dumps(report.to_json()))
        return 0
    print(as_text(report))
    if args.confusion:
        print("\n" + confusion_text(report))
    return 0
