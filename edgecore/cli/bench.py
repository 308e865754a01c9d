"""`edgecore bench`: how fast a model runs here."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from edgecore.cli.options import add_engine_arguments, positive
from edgecore.errors import UserError

if TYPE_CHECKING:
    from edgecore.bench.report import Picture

HELP = "measure a model: percentiles of every stage, memory, and the time of every step"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `edgecore bench`."""
    parser.add_argument("model", nargs="?", metavar="MODEL", help="a .tflite (default: the bundled one)")
    parser.add_argument("--runs", type=positive, metavar="N", help="measure N runs (default: for --seconds)")
    parser.add_argument(
        "--seconds", type=float, default=5.0, metavar="S", help="measure for S s (default: 5)"
    )
    parser.add_argument("--warmup", type=int, default=10, metavar="N", help="runs before (default: 10)")
    parser.add_argument(
        "--image", metavar="FILE", help="decode and measure this image (default: 640x480 of noise)"
    )
    parser.add_argument("--steps", action="store_true", help="the time of every step of the engine")
    parser.add_argument(
        "--compare",
        action="store_true",
        help="take turns with the plain TFLite interpreter and give the ratio",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    add_engine_arguments(parser)


def _picture(path: str | None) -> Picture:
    import numpy as np

    from edgecore.bench.report import Picture

    if path is None:
        return Picture(np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8))
    from edgecore.camera.opencv import read_image

    return Picture(read_image(Path(path)), Path(path))


def run(args: argparse.Namespace) -> int:
    """Prints the report."""
    from edgecore.bench.report import Plan, bench
    from edgecore.bench.text import text
    from edgecore.model import bundled_model
    from edgecore.network import Network

    if args.seconds <= 0 or args.warmup < 0:
        raise UserError("--seconds must be above 0 and --warmup not below 0")
    if args.compare and not args.delegate:
        raise UserError("--compare sets the engine against the plain interpreter; drop --no-delegate")
    picture = _picture(args.image)
    path = bundled_model() if args.model is None else args.model
    network = Network(path, args.threads, args.delegate, args.isa)
    plain = Network(path, args.threads, delegate=False) if args.compare else None
    report = bench(network, plain, picture, Plan(args.runs, args.seconds, args.warmup, args.steps))
    print(json.dumps(report, indent=1) if args.json else text(report))
    return 0
