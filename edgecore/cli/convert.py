"""`edgecore convert`: a trained network becomes an int8 .tflite that carries labels and preprocessing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from edgecore.cli.options import numbers, positive
from edgecore.errors import UserError

HELP = "convert a Keras, SavedModel or ONNX network to a full-integer .tflite"
INPUT = ("order", "resize", "mean", "scale")
WISHES = (
    *("images", "seed", "name", "labels", "size", "output", "float_layers", "allow_float"),
    *("qat", "verify", "judge", "max_drop", "report"),
)
# How the releases of large frameworks expect their input: (pixel - mean) * scale in an order.
CONVENTIONS: dict[str, dict[str, Any]] = {
    "unit": {"order": "RGB", "mean": (0.0,), "scale": (1 / 255,)},
    "raw": {"order": "RGB", "mean": (0.0,), "scale": (1.0,)},
    "tf": {"order": "RGB", "mean": (127.5,), "scale": (1 / 127.5,)},
    "torch": {
        "order": "RGB",
        "mean": tuple(255 * mean for mean in (0.485, 0.456, 0.406)),
        "scale": tuple(1 / (255 * deviation) for deviation in (0.229, 0.224, 0.225)),
    },
    "caffe": {"order": "BGR", "mean": (103.939, 116.779, 123.68), "scale": (1.0,)},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `edgecore convert`."""
    parser.add_argument(
        "model", type=Path, metavar="MODEL", help=".keras, .h5 or .onnx file, or the folder of a SavedModel"
    )
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
    _add_quantisation(parser.add_argument_group("quantisation"))
    _add_verification(
        parser.add_argument_group(
            "verification",
            "int8 against float on held-out images, the error of each layer, and the engine against TFLite's "
            "reference kernels. A model that fails is left as FILE.rejected, and the exit status is 1.",
        )
    )
    group = parser.add_argument_group("preprocessing", "Taken from model.json beside MODEL unless told here.")
    group.add_argument(
        "--input",
        choices=tuple(CONVENTIONS),
        help="a usual input: unit (pixel / 255), raw, tf (-1 to 1), torch (ImageNet's mean and deviation), "
        "caffe (blue-green-red minus ImageNet's mean)",
    )
    group.add_argument("--order", choices=("RGB", "BGR", "GREY"), help="colour order of the input")
    group.add_argument("--resize", choices=("stretch", "letterbox", "crop"))
    group.add_argument(
        "--mean", type=numbers, metavar="M[,M,M]", help="input = (pixel - mean) * scale, per channel"
    )
    group.add_argument("--scale", type=numbers, metavar="S[,S,S]", help="see --mean")
    group.add_argument(
        "--size", type=size, metavar="HxW", help="input size, for a network that leaves it open"
    )


def _add_quantisation(group: Any) -> None:
    group.add_argument(
        "--images", type=positive, default=300, metavar="N", help="images to calibrate with (default: 300)"
    )
    group.add_argument(
        "--seed", type=int, default=0, metavar="N", help="draws those images, as many of each class"
    )
    group.add_argument(
        "--output",
        choices=("logits", "softmax"),
        help="drop the final softmax (the device computes it then), or add one (default: as it is)",
    )
    group.add_argument(
        "--qat",
        type=count,
        default=0,
        metavar="EPOCHS",
        help="fine-tune with fake quantisation first, on the training part (default: 0)",
    )
    group.add_argument(
        "--float",
        dest="float_layers",
        type=names,
        default=(),
        metavar="LAYER[,LAYER]",
        help="leave these layers in float",
    )
    group.add_argument(
        "--allow-float", action="store_true", help="leave in float what has no int8 form, instead of refusing"
    )


def _add_verification(group: Any) -> None:
    group.add_argument(
        "--verify",
        type=count,
        default=500,
        metavar="N",
        help="held-out images to use (default: 500; 0: none)",
    )
    group.add_argument(
        "--judge", action="store_true", help="use all of them, and write the accuracies into the file"
    )
    group.add_argument(
        "--max-drop",
        type=float,
        metavar="POINTS",
        help="fail where int8 loses more percentage points of accuracy on all of them",
    )
    group.add_argument("--report", type=Path, metavar="FILE", help="write what was found as JSON")


def count(text: str) -> int:
    """An integer of 0 or more."""
    return 0 if text == "0" else positive(text)


def size(text: str) -> tuple[int, int]:
    """Height and width, as in 224x224."""
    height, by, width = text.lower().partition("x")
    if not (by and height.isdecimal() and width.isdecimal() and int(height) and int(width)):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write height and width, as in 224x224")
    return int(height), int(width)


def names(text: str) -> tuple[str, ...]:
    """Names with commas between."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def run(args: argparse.Namespace) -> int:
    """Converts, verifies and writes; prints what came out."""
    given: dict[str, Any] = dict(CONVENTIONS[args.input]) if args.input is not None else {}
    given |= {name: getattr(args, name) for name in INPUT if getattr(args, name) is not None}
    convert_file(
        args.model,
        args.data,
        args.out or args.model.with_suffix(".tflite"),
        given=given,
        **{wish: getattr(args, wish) for wish in WISHES},
    )
    return 0


def convert_file(model_path: Path, data: Path, out: Path, **wishes: Any) -> None:
    """The whole way from a trained network to .tflite.

    `wishes` are the fields of `edgecore.converters.job.Wishes`, such as images=300 or judge=True. Raises
    UserError for whatever is wrong with the arguments, Rejected if the result fails a check.
    """
    from edgecore.converters.data import open_splits
    from edgecore.converters.host import require_tensorflow

    if not model_path.exists():
        raise UserError(
            f"there is no model {model_path}; give a .keras, .h5 or .onnx file or the folder of a SavedModel"
        )
    parts = open_splits(data)
    require_tensorflow()
    from edgecore.converters.job import Wishes
    from edgecore.converters.job import run as run_job

    run_job(model_path, data, parts, out, Wishes(**wishes))
