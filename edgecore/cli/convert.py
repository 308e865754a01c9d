"""`edgecore convert`: a trained network becomes an int8 .tflite that carries labels and preprocessing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from edgecore.cli.options import numbers, positive
from edgecore.errors import UserError

HELP = "convert a Keras, SavedModel or ONNX network to a full-integer .tflite"
INPUT = ("order", "resize", "mean", "scale")
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
    parser.add_argument(
        "--judge", action="store_true", help="measure int8 and float on the test part; write it into the file"
    )
    _add_quantisation(parser.add_argument_group("quantisation"))
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
    options = ("images", "seed", "name", "labels", "size", "output", "float_layers", "allow_float")
    convert_file(
        args.model,
        args.data,
        args.out or args.model.with_suffix(".tflite"),
        judge=args.judge,
        given=given,
        **{option: getattr(args, option) for option in options},
    )
    return 0


def convert_file(model_path: Path, data: Path, out: Path, *, judge: bool = False, **wishes: Any) -> None:
    """The whole way from a trained network to .tflite.

    With `judge` the accuracies are measured and written into it. `wishes` are the fields of
    `edgecore.converters.job.Wishes`. Raises UserError for whatever is wrong with the arguments.
    """
    from edgecore.converters.data import open_splits
    from edgecore.converters.host import require_tensorflow

    if not model_path.exists():
        raise UserError(
            f"there is no model {model_path}; give a .keras, .h5 or .onnx file or the folder of a SavedModel"
        )
    training, test = open_splits(data)
    require_tensorflow()
    from edgecore.converters import convert
    from edgecore.converters.evaluate import evaluate_in_own_process, evaluate_keras
    from edgecore.converters.job import Wishes, convert_path

    converted, _, _ = convert_path(model_path, training, Wishes(**wishes))
    convert.write(out, converted)
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
