"""`edgecore import`: trained weights of another tool become a .keras model that `edgecore convert` takes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edgecore.cli.options import positive
from edgecore.errors import UserError

HELP = "put trained weights of another tool into a network of the zoo"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `edgecore import`."""
    parser.epilog = (
        "WEIGHTS is .npz, .keras, .h5, .pth, .pt, .safetensors or .onnx, and is read as data: no code in it "
        "runs. Beside FILE.keras lies FILE.json with the classes and the input that the weights expect."
    )
    parser.add_argument("weights", type=Path, metavar="WEIGHTS", help="the file of trained weights")
    parser.add_argument(
        "--model", required=True, metavar="NAME", help="the network that they are of; see `edgecore zoo`"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="the .keras file to write")
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="one label a line; another number of classes than the weights' leaves the classifier untrained",
    )
    parser.add_argument("--size", type=positive, metavar="PIXELS", help="input side (default: as published)")


def run(args: argparse.Namespace) -> int:
    """Imports and prints which layers were filled."""
    from edgecore.converters.host import require_tensorflow

    if args.out.suffix != ".keras":
        raise UserError(f"--out {args.out} is no .keras file; give it that suffix")
    if args.out.exists() and args.weights.exists() and args.out.samefile(args.weights):
        raise UserError(f"--out {args.out} is the file of weights itself; choose another")
    labels = None
    if args.labels is not None:
        from edgecore.model import read_labels

        labels = tuple(read_labels(args.labels))
    require_tensorflow()
    from edgecore.converters.weights import network

    model, facts, loaded = network.network_of(args.weights, args.model, labels, args.size)
    network.write(model, facts, args.out)
    print(loaded)
    print(f"wrote {args.out} and {args.out.with_suffix('.json').name}: {len(facts.classes)} classes")
    if loaded.fresh:
        print(f"edgecore: {args.out} has untrained layers; train it before use", file=sys.stderr)
    return 0
