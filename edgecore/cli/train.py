"""`edgecore train`: a network of the zoo, trained after a recipe or by options, and converted to int8."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgecore.cli.options import Formatter, positive
from edgecore.errors import INTERRUPTED, UserError

if TYPE_CHECKING:
    from edgecore.converters.recipes import Recipe
    from edgecore.converters.training.parts import Parts
    from edgecore.converters.training.run import Run

HELP = "train a network of the zoo, and convert it to int8"
EPILOG = """\
OUT receives config.json, environment.json and split.json, which convert and eval take as --data; after
every epoch metrics.csv, the state that --resume takes up (state.npz) and, where it is the best so far,
best.keras; at the end model.keras, report.json, curves.png and confusion.png, and NAME.tflite with labels,
preprocessing and accuracy inside.

The epochs are judged on the test part, unless --validation holds out a share of the training images for
that. model.keras is the last epoch's; with --patience it is the best one's, and then only --validation keeps
the test part's figure honest.
"""
TRAINING = (
    *("epochs", "batch", "rate", "optimizer", "schedule", "warmup", "momentum", "weight_decay"),
    *("label_smoothing", "class_weights", "patience", "validation", "seed"),
)
# Option -> (section, entry) of a recipe's table.
ENTRIES = {
    "model": ("model", "zoo"),
    "size": ("input", "size"),
    **{name: ("train", name) for name in TRAINING},
    **{name: ("augment", name) for name in ("rotate", "translate", "brightness", "flip", "mixup")},
    "weights": ("transfer", "weights"),
    "freeze_until": ("transfer", "freeze_until"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `edgecore train`."""
    parser.formatter_class = Formatter
    parser.epilog = EPILOG
    parser.add_argument("--recipe", metavar="NAME|FILE", help="a shipped recipe or a .toml file")
    parser.add_argument("--model", metavar="NAME", help="a network of the zoo, instead of the recipe's")
    parser.add_argument(
        "--data",
        required=True,
        type=Path,
        metavar="DIR",
        help="folder with train and test (folders or zips of <class>/<image>), or of class folders alone",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="OUT", help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="continue the run in OUT after its last epoch")
    parser.add_argument("--name", help="of the .tflite and in its facts (default: the recipe's or network's)")
    parser.add_argument("--no-convert", dest="convert", action="store_false", help="stop at model.keras")
    parser.add_argument("--threads", type=positive, metavar="N", help="cores to use (default: all)")
    _add_training(
        parser.add_argument_group(
            "training",
            "Each goes over the recipe's entry. Without a recipe: 20 epochs of 64 images a step; rate 0.05, "
            "or 0.001 for Adam, falling linearly to 0 after an epoch of warm-up.",
        )
    )
    group = parser.add_argument_group("variation of the training images")
    group.add_argument("--rotate", type=float, metavar="DEGREES", help="the largest angle")
    group.add_argument("--translate", type=int, metavar="PIXELS", help="the largest shift")
    group.add_argument("--brightness", type=float, metavar="SHARE", help="the largest relative change")
    group.add_argument("--flip", action=argparse.BooleanOptionalAction, help="left-right, half of the images")
    group.add_argument("--mixup", type=float, metavar="ALPHA", help="blend pairs of images and labels")
    group = parser.add_argument_group(
        "transfer learning", "Trained weights want a lower --rate than random ones, such as 0.001."
    )
    group.add_argument("--weights", metavar="FILE", help="start from these weights where they fit")
    group.add_argument("--freeze-until", metavar="LAYER", help="leave all layers up to this one as they are")
    group = parser.add_argument_group("cross-validation")
    group.add_argument(
        "--folds", type=positive, metavar="K", help="train K times, each in OUT/fold1 ...; 1: once"
    )
    group.add_argument("--only-folds", type=_folds, metavar="N[,N]", help="only these of them, from 1")


def _add_training(group: Any) -> None:
    group.add_argument("--epochs", type=positive, metavar="N")
    group.add_argument("--batch", type=positive, metavar="N", help="images a step")
    group.add_argument("--rate", type=float, metavar="R", help="the highest learning rate")
    group.add_argument("--optimizer", choices=("sgd", "adam", "adamw"))
    group.add_argument("--schedule", choices=("linear", "cosine", "plateau", "constant", "onecycle"))
    group.add_argument("--warmup", type=int, metavar="N", help="epochs in which the rate rises")
    group.add_argument("--momentum", type=float, metavar="M", help="of SGD")
    group.add_argument("--weight-decay", type=float, metavar="D", help="decoupled")
    group.add_argument("--label-smoothing", type=float, metavar="SHARE")
    group.add_argument("--class-weights", choices=("none", "balanced"))
    group.add_argument("--patience", type=int, metavar="N", help="stop N epochs after the best one")
    group.add_argument("--validation", type=float, metavar="SHARE", help="hold out to judge the epochs")
    group.add_argument("--seed", type=int, metavar="N")
    group.add_argument("--size", type=positive, metavar="PIXELS", help="of the network's square input")


def _folds(text: str) -> list[int]:
    return sorted({positive(part) for part in text.split(",")})


def run(args: argparse.Namespace) -> int:
    """Trains, then converts and judges; Ctrl-C says how to continue."""
    from edgecore.converters.data import open_splits
    from edgecore.converters.host import require_tensorflow
    from edgecore.converters.training.files import check_folder
    from edgecore.converters.training.parts import parts_of

    recipe = _recipe(args)
    if recipe.folds > 1:
        return _train_folds(args, recipe)
    if args.only_folds:
        raise UserError("--only-folds chooses of several; give --folds too")
    check_folder(args.out, args.resume)
    parts = parts_of(*open_splits(args.data), recipe.train.validation)
    require_tensorflow()
    _limit_threads(args.threads)
    if not _train(args, recipe, parts, args.out, args.resume):
        return INTERRUPTED
    if args.convert:
        _convert(args.out, args.data, recipe)
    return 0


def _recipe(args: argparse.Namespace) -> Recipe:
    from edgecore.converters import recipes

    if args.recipe is None and args.model is None:
        raise UserError("nothing says what to train; give --recipe or --model (`edgecore zoo` lists them)")
    whole = {"name": args.name, "folds": args.folds}
    given: dict[str, Any] = {name: value for name, value in whole.items() if value is not None}
    for option, (section, entry) in ENTRIES.items():
        if getattr(args, option) is not None:
            given.setdefault(section, {})[entry] = getattr(args, option)
    table = recipes.read_table(args.recipe) if args.recipe else {}
    return recipes.from_table(recipes.overlay(table, given), f"recipe {args.recipe or args.model}")


def _limit_threads(threads: int | None) -> None:
    if threads is not None:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


def _train(args: argparse.Namespace, recipe: Recipe, parts: Parts, folder: Path, resume: bool) -> bool:
    """Trains in one folder; False: it was interrupted."""
    from edgecore.converters.data import left_out
    from edgecore.converters.training import files
    from edgecore.converters.training.run import Run

    with files.opened(folder, resume):
        job = Run(recipe, parts, folder, args.threads)
        if job.done:
            print(f"continuing after epoch {job.done} of {recipe.train.epochs}")
        _introduce(job)
        try:
            for epoch in job.epochs(_bar):
                print(
                    f"epoch {epoch.epoch}/{recipe.train.epochs}  loss {epoch.loss:.4f}  "
                    f"accuracy {epoch.accuracy:.4f}  validation loss {epoch.val_loss:.4f}  "
                    f"accuracy {epoch.val_accuracy:.4f}  {epoch.seconds:.0f} s",
                    flush=True,
                )
        except KeyboardInterrupt:
            job.draw()
            _tell(left_out(*vars(parts).values()))
            print(
                f"\nstopped after epoch {job.done}; continue with the same command and --resume",
                file=sys.stderr,
            )
            return False
        path, report = job.finish()
        _tell(left_out(*vars(parts).values()))
        print(
            f"epoch {job.result_epoch} is the result: accuracy {report.accuracy:.4f}, mIoU {report.miou:.4f} "
            f"on {report.images} images; wrote {path}"
        )
    return True


def _introduce(job: Run) -> None:
    parts, network = job.parts, job.network
    count = parts.counts()
    judged = f", {count['validation']} to validate" if "validation" in count else ""
    print(
        f"{job.recipe.model}: {network.plain.count_params():,} parameters, {len(parts.classes)} classes, "
        f"{count['training']} images to train{judged}, {count['test']} to test"
    )
    for note in network.notes:
        print(note)
    sys.stdout.flush()


def _tell(lines: list[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)


def _bar(steps: Iterable[Any], count: int, text: str) -> Iterable[Any]:
    if not sys.stderr.isatty():
        return steps
    from tqdm import tqdm

    bar: Iterable[Any] = tqdm(steps, total=count, desc=text, leave=False, file=sys.stderr, unit="batch")
    return bar


def _train_folds(args: argparse.Namespace, recipe: Recipe) -> int:
    from edgecore.converters.data import open_source
    from edgecore.converters.host import require_tensorflow
    from edgecore.converters.training import files, folds
    from edgecore.converters.training.parts import parts_of

    chosen = args.only_folds or list(range(1, recipe.folds + 1))
    if chosen[-1] > recipe.folds:
        raise UserError(f"there is no fold {chosen[-1]} of {recipe.folds}; choose from 1 to {recipe.folds}")
    splits = open_source(args.data).folds(recipe.folds)
    resumed = {number: args.resume and folds.is_begun(args.out, number) for number in chosen}
    for number in chosen:
        files.check_folder(folds.folder_of(args.out, number), resumed[number])
    require_tensorflow()
    _limit_threads(args.threads)
    import keras

    for number in chosen:
        print(f"fold {number} of {recipe.folds}", flush=True)
        folder = folds.folder_of(args.out, number)
        training, held = splits[number - 1]
        parts = parts_of(training, held, recipe.train.validation)
        if not _train(args, recipe, parts, folder, resumed[number]):
            return INTERRUPTED
        if args.convert and not (folder / f"{recipe.name}.tflite").exists():
            _convert(folder, folder / files.SPLIT, recipe)
        keras.backend.clear_session()
    results = folds.results(args.out, recipe.folds)
    folds.write_table(args.out / folds.TABLE, results)
    print(folds.as_text(results, recipe.name))
    return 0


def _convert(folder: Path, data: Path, recipe: Recipe) -> None:
    from edgecore.cli.convert import convert_file

    path = folder / "model.keras"
    try:
        convert_file(
            path,
            data,
            folder / f"{recipe.name}.tflite",
            images=recipe.calibration_images,
            judge=True,
        )
    except UserError as error:
        raise UserError(f"the model is trained ({path}), but: {error}") from error
