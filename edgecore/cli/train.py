"""`edgecore train`: a network of the zoo, trained after a recipe and converted to int8."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

from edgecore.cli.options import positive
from edgecore.errors import UserError

HELP = "train a network after a recipe, and convert it to int8"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `edgecore train`."""
    parser.epilog = (
        "OUT receives log.jsonl, the state that --resume takes up, model.keras, and NAME.tflite with labels, "
        "preprocessing and accuracy inside. A recipe is a TOML file; the shipped ones go by their names."
    )
    parser.add_argument(
        "--recipe", required=True, metavar="NAME|FILE", help="a shipped recipe or a .toml file"
    )
    parser.add_argument(
        "--data",
        required=True,
        type=Path,
        metavar="DIR",
        help="folder with train and test (folders or zips of <class>/<image>), or of class folders alone",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="OUT", help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="continue the run in OUT after its last epoch")
    parser.add_argument("--epochs", type=positive, metavar="N", help="instead of the recipe's")
    parser.add_argument("--batch", type=positive, metavar="N", help="images a step, instead of the recipe's")
    parser.add_argument("--no-convert", dest="convert", action="store_false", help="stop at model.keras")


def run(args: argparse.Namespace) -> int:
    """Trains, then converts and judges; Ctrl-C says how to continue."""
    from edgecore.converters import recipes
    from edgecore.converters.data import open_splits
    from edgecore.converters.host import require_tensorflow

    recipe = recipes.read(args.recipe)
    changes = {name: getattr(args, name) for name in ("epochs", "batch") if getattr(args, name) is not None}
    if "epochs" in changes:
        changes["warmup"] = min(recipe.train.warmup, changes["epochs"])
    recipe = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, **changes))
    training, test = open_splits(args.data)
    require_tensorflow()
    from edgecore.converters.train import Run, prepare_folder

    prepare_folder(args.out, args.resume)
    job = Run(recipe, training.classes, len(training.items), args.out)
    if args.resume:
        print(f"continuing after epoch {job.resume()} of {recipe.train.epochs}")
    print(
        f"{recipe.model}: {job.plain.count_params():,} parameters, {len(training.classes)} classes, "
        f"{len(training.items)} images to train, {len(test.items)} to test",
        flush=True,
    )
    try:
        for epoch in job.epochs(training, test):
            print(
                f"epoch {epoch.epoch}/{recipe.train.epochs}  loss {epoch.loss:.4f}  "
                f"test accuracy {epoch.val_accuracy:.4f}  {epoch.seconds:.0f} s",
                flush=True,
            )
    except KeyboardInterrupt:
        print(
            f"\nstopped after epoch {job.done}; continue with the same command and --resume", file=sys.stderr
        )
        return 130
    path = job.finish()
    print(f"wrote {path}")
    if not args.convert:
        return 0
    from edgecore.cli.convert import convert_file

    try:
        convert_file(
            path,
            args.data,
            args.out / f"{recipe.name}.tflite",
            images=recipe.calibration_images,
            judge=True,
        )
    except UserError as error:
        raise UserError(f"the model is trained ({path}), but: {error}") from error
    return 0
