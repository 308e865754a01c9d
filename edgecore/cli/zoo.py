"""`edgecore zoo`: the networks that can be built by name."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from edgecore.cli.options import positive

HELP = "list the networks of the zoo, or build one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `edgecore zoo`."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="build this one and print its layers' sum")
    parser.add_argument("--classes", type=positive, metavar="N", help="outputs (default: as published)")
    parser.add_argument(
        "--size", type=positive, metavar="N", help="input side in pixels (default: as published)"
    )
    parser.add_argument("--layers", action="store_true", help="print every layer")
    parser.add_argument("--out", type=Path, metavar="FILE", help="save it with random weights as .keras")


def run(args: argparse.Namespace) -> int:
    """The table without a name; with one, parameters and multiply-adds of the built network."""
    from edgecore.converters import zoo

    if args.name is None:
        width = max(len(name) for name in zoo.MEMBERS)
        for name, entry in zoo.MEMBERS.items():
            print(f"{name:<{width}}  {entry.input_size:3d} px  {entry.classes:4d} classes  {entry.summary}")
        return 0
    zoo.member(args.name)
    if args.out is not None and args.out.suffix != ".keras":
        from edgecore.errors import UserError

        raise UserError(f"--out {args.out} must end in .keras")
    from edgecore.converters.host import require_tensorflow

    require_tensorflow()
    from edgecore.converters.zoo.count import multiply_adds

    model = zoo.build(args.name, args.classes, input_size=args.size)
    if args.layers:
        model.summary(line_length=110)
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    print(
        f"{args.name}: {model.count_params():,} parameters ({trainable:,} trainable), "
        f"{multiply_adds(model) / 1e6:,.1f} M multiply-adds, "
        f"input {'x'.join(map(str, model.input_shape[1:]))}, {model.output_shape[-1]} classes"
    )
    if args.out is not None:
        try:
            model.save(args.out)
        except OSError as error:
            from edgecore.errors import UserError

            raise UserError(f"cannot write {args.out}: {error.strerror or error}") from error
        print(f"wrote {args.out}")
    return 0
