"""`edgecore classify`: the best classes of image files."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from edgecore.cli.options import add_engine_arguments, add_model_arguments, load_model, positive
from edgecore.errors import UserError

HELP = "print the best classes of image files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `edgecore classify`."""
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="image file")
    add_model_arguments(parser)
    parser.add_argument("--top", type=positive, default=5, metavar="K", help="classes per image (default: 5)")
    parser.add_argument("--json", action="store_true", help="one JSON object an image on stdout")
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Answers for every image that decodes; complains of each other one, and then returns 2."""
    from edgecore.camera.opencv import read_image

    model = load_model(args)
    failed = 0
    for name in args.images:
        try:
            image = read_image(Path(name))
        except UserError as error:
            if args.debug or len(args.images) == 1:
                raise
            print(f"edgecore: {error}", file=sys.stderr)
            failed += 1
            continue
        predictions = model.classify(image, args.top)
        if args.json:
            items = [
                {"label": item.label, "score": round(item.score, 6), "index": item.index}
                for item in predictions
            ]
            print(json.dumps({"image": name, "predictions": items}), flush=True)
        else:
            print(name)
            for item in predictions:
                print(f"  {item.score:.4f}  {item.index:4d}  {item.label}", flush=True)
    return 2 if failed else 0
