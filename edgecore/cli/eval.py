"""`edgecore eval`: how right, how fast and how large a model is, in Keras, the interpreter and the engine."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edgecore.cli.options import positive
from edgecore.errors import UserError

if TYPE_CHECKING:
    from edgecore.converters.data import Source
    from edgecore.converters.evaluation.evaluation import Options, Progress
    from edgecore.converters.evaluation.report import Report

HELP = "measure a model's accuracy on labelled images, float and int8, with its latency and size"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `edgecore eval`."""
    parser.epilog = (
        "A .tflite runs as on the device and needs no TensorFlow; with a .keras or a run of `edgecore train` "
        "the float model answers to the same images. Intervals are Wilson's at 95 %. mIoU is the mean over "
        "the classes of TP / (TP + FP + FN). Latencies are worth what the quiet of the machine is worth."
    )
    parser.add_argument(
        "model",
        nargs="?",
        type=Path,
        metavar="MODEL",
        help=".tflite, .keras or the folder of a run (default: the bundled model)",
    )
    add_evaluation_arguments(parser)
    parser.add_argument(
        "--reference",
        action="store_true",
        help="run TFLite's reference kernels too, whose bytes the engine gives",
    )
    parser.add_argument(
        "--confusion", action="store_true", help="print the confusion matrix, a row per true class"
    )
    parser.add_argument("--png", type=Path, metavar="FILE", help="draw the confusion matrix")
    parser.add_argument("--json", action="store_true", help="everything as one JSON object on stdout")


def add_evaluation_arguments(parser: argparse.ArgumentParser) -> None:
    """What `edgecore eval` and `edgecore table` have in common."""
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
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="one label a line, for a model that carries none"
    )
    parser.add_argument(
        "--threads", type=positive, default=1, metavar="N", help="threads of the latency (default: 1)"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=2.0,
        metavar="S",
        help="measure each latency for S s (default: 2; 0: none)",
    )


def source_of(args: argparse.Namespace) -> Source:
    """The images that the arguments name."""
    from edgecore.converters.data import judged_source

    source = judged_source(args.data, held_out=args.held_out)
    return source.balanced(args.images) if args.images else source


def options_of(args: argparse.Namespace, reference: bool = False) -> Options:
    """How the arguments want it done."""
    from edgecore.converters.evaluation.evaluation import Options

    if not 0 <= args.seconds < 3600:
        raise UserError(f"--seconds {args.seconds:g} is no time to measure for; give 0 or more")
    if args.labels is not None:
        from edgecore.model import read_labels

        read_labels(args.labels)
    return Options(args.labels, args.threads, args.seconds, reference)


@contextlib.contextmanager
def progress_on_terminal(images: int, name: str, quiet: bool = False) -> Iterator[Progress | None]:
    """Counts images on stderr, where that is a terminal, on a line that is gone at the end."""
    if quiet or not sys.stderr.isatty():
        yield None
        return

    def write(text: str) -> None:
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    try:
        yield lambda run, done: write(f"{name}, {run}: {done} of {images} images")
    finally:
        write("")


def _check_drawing(path: Path) -> None:
    """Complains before the work is done rather than after it."""
    if importlib.util.find_spec("matplotlib") is None:
        raise UserError("--png needs matplotlib, which is missing; run: pip install 'edgecore[host]'")
    if path.suffix.lower() != ".png" or not path.parent.is_dir():
        raise UserError(f"--png {path} is no place for a picture; give a .png in a folder that is there")


def _draw(path: Path, report: Report) -> None:
    from edgecore.converters import plots

    try:
        plots.confusion(report, path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another --png") from error


def run(args: argparse.Namespace) -> int:
    """Evaluates and prints the tables."""
    from edgecore.converters.evaluation import candidates, text
    from edgecore.converters.evaluation.evaluation import evaluate

    candidate = candidates.find(args.model)
    if not candidate.files:
        raise UserError(f"{args.model} holds a cross-validation; name one fold, or use `edgecore table`")
    source, options = source_of(args), options_of(args, args.reference)
    candidates.require_tensorflow_for(candidate)
    if args.png is not None:
        _check_drawing(args.png)
    with progress_on_terminal(len(source.items), candidate.name, args.json) as progress:
        found = evaluate(candidate, source, options, progress)
    report = found.shipped.report
    if args.png is not None:
        _draw(args.png, report)
    if args.json:
        print(json.dumps({"data": str(source.path), **found.to_json()}))
        return 0
    print(
        f"{found.name}: {found.parameters:,} parameters, {len(report.classes)} classes, "
        f"{report.images:,} images of {source.path}\n"
    )
    print(text.summary(found))
    print(f"\n{text.TITLES[found.shipped.name]}\n{text.by_class(report)}")
    if args.confusion:
        print("\n" + text.confusion(report))
    for note in found.notes:
        print(f"\nnote: {note}")
    return 0
