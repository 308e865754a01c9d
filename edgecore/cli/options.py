"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgecore.model import Model


class Formatter(argparse.HelpFormatter):
    """Wraps paragraphs, and leaves a text that has lines of its own as it is."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)


def positive(text: str) -> int:
    """An integer of 1 or more."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return value


def numbers(text: str) -> tuple[float, ...]:
    """Numbers separated by commas."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number, or several with commas between"
        ) from None


def add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    """How the model is run."""
    group = parser.add_argument_group("engine")
    group.add_argument(
        "--threads", type=positive, metavar="N", help="threads (default: every core it may use)"
    )
    group.add_argument(
        "--isa",
        metavar="TIER",
        help="instruction set tier, e.g. scalar, avx2 (default: $EDGECORE_ISA or the best)",
    )
    group.add_argument(
        "--no-delegate", dest="delegate", action="store_false", help="run the plain TFLite interpreter"
    )


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Which classifier, and what a model without edgecore's metadata does not say itself."""
    parser.add_argument("--model", metavar="FILE", help="a full-integer .tflite (default: the bundled one)")
    group = parser.add_argument_group(
        "labels and preprocessing",
        "They travel in the .tflite that `edgecore convert` makes. For another model: a uint8 input gets the "
        "pixels as they are, an int8 input the pixels - 128, in RGB, stretched to the input's size by plain "
        "bilinear interpolation, unless told here.",
    )
    group.add_argument("--labels", metavar="FILE", help="text file with one label a line, one per output")
    group.add_argument(
        "--mean", type=numbers, metavar="M[,M,M]", help="input = (pixel - mean) * scale, per channel"
    )
    group.add_argument("--scale", type=numbers, metavar="S[,S,S]", help="see --mean")
    group.add_argument("--order", choices=("RGB", "BGR", "GREY"), help="colour order of the input")
    group.add_argument(
        "--resize", choices=("stretch", "letterbox", "crop"), help="how a frame meets the input's size"
    )
    group.add_argument(
        "--filter", choices=("triangle", "bilinear"), help="antialiased or plain interpolation"
    )


def load_model(args: argparse.Namespace) -> Model:
    """The model that the arguments of the two functions above describe."""
    from edgecore.model import OPTIONS, load

    given: dict[str, Any] = {name: getattr(args, name) for name in OPTIONS if getattr(args, name) is not None}
    return load(
        args.model,
        threads=args.threads,
        labels=args.labels,
        preprocessing=given or None,
        delegate=args.delegate,
        isa=args.isa,
    )
