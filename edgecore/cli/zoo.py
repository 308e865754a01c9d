"""`edgecore zoo`: the networks that can be built by name."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgecore.cli.options import positive
from edgecore.errors import UserError

if TYPE_CHECKING:
    import keras

HELP = "list the networks of the zoo, draw and check one, or build one"
SHOW = "show"
FAULTY = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `edgecore zoo`."""
    parser.usage = "edgecore zoo [NAME | show NAME | show FILE.keras] [options]"
    parser.add_argument(
        "words",
        nargs="*",
        metavar="NAME",
        help="build this network and print its sums; after the word show, draw its blocks, list its layers "
        "and look for mistakes before it is trained (also in a .keras file)",
    )
    parser.add_argument("--classes", type=positive, metavar="N", help="outputs (default: as published)")
    parser.add_argument(
        "--size", type=positive, metavar="N", help="input side in pixels (default: as published)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="save it with random weights as .keras")


def run(args: argparse.Namespace) -> int:
    """The table without a name; with one, the sums of the built network, or its drawing and analysis."""
    show = args.words[:1] == [SHOW]
    words = args.words[1:] if show else args.words
    if not words and not show:
        print(_table())
        return 0
    if len(words) != 1:
        raise UserError("give one network's name, as in `edgecore zoo show resnet18`")
    return _show(words[0], args) if show else _build(words[0], args)


def _table() -> str:
    from edgecore.converters import zoo
    from edgecore.converters.zoo.figures import table as figures
    from edgecore.table import table

    known = figures()
    rows = []
    for name, entry in zoo.MEMBERS.items():
        found = known[name]
        rows.append(
            [
                name,
                f"{found.parameters:,}",
                f"{found.multiply_adds / 1e6:,.1f}",
                f"{found.float_bytes / 1e6:.2f}",
                f"{found.int8_bytes / 1e6:.2f}",
                str(entry.input_size),
                str(entry.classes),
                entry.summary,
                entry.source,
            ]
        )
    head = ["name", "parameters", "MMAC", "float MB", "int8 MB", "input", "classes", "what", "source"]
    return table(head, rows, left=(0, 7, 8))


def _sums(name: str, model: keras.Model) -> str:
    from edgecore.converters.zoo.count import figures

    found = figures(model)
    return (
        f"{name}: {found.parameters:,} parameters ({found.trainable:,} trainable), "
        f"{found.multiply_adds / 1e6:,.1f} M multiply-adds, "
        f"about {found.float_bytes / 1e6:.2f} MB in float and {found.int8_bytes / 1e6:.2f} MB in int8, "
        f"input {'x'.join(map(str, model.input_shape[1:]))}, {model.output_shape[-1]} classes"
    )


def _build(name: str, args: argparse.Namespace) -> int:
    from edgecore.converters import zoo

    zoo.member(name)
    if args.out is not None and args.out.suffix != ".keras":
        raise UserError(f"--out {args.out} must end in .keras")
    from edgecore.converters.host import require_tensorflow

    require_tensorflow()
    if args.out is None:
        print(_sums(name, _sketch(name, args)))
        return 0
    from edgecore.converters.whole_file import write_whole

    model = zoo.build(name, args.classes, input_size=args.size)
    print(_sums(name, model))
    write_whole(args.out, model.save, "choose another --out")
    print(f"wrote {args.out}")
    return 0


def _sketch(name: str, args: argparse.Namespace) -> keras.Model:
    from functools import partial

    from edgecore.converters import zoo
    from edgecore.converters.zoo.count import sketch

    return sketch(partial(zoo.build, name, args.classes, input_size=args.size))


def _show(name: str, args: argparse.Namespace) -> int:
    from edgecore.converters import zoo
    from edgecore.converters.host import require_tensorflow

    if args.out is not None:
        raise UserError("show writes no file; leave out --out, or the word show")
    if name.endswith(".keras"):
        if args.classes is not None or args.size is not None:
            raise UserError(f"{name} has its own classes and size; leave out --classes and --size")
        require_tensorflow()
        from edgecore.converters.keras_model import load

        model = load(name)
    else:
        entry = zoo.member(name)
        require_tensorflow()
        model = _sketch(name, args)
        print(f"{entry.summary}; {entry.source}")
    from edgecore.converters.zoo.analysis import analyse
    from edgecore.converters.zoo.drawing import draw

    found = analyse(model)
    print(_sums(name, model), draw(model), _layers(found.layers), sep="\n\n")
    for label, texts in (("warning", found.warnings), ("error", found.errors)):
        print(f"\n{len(texts) or 'no'} {label}{'' if len(texts) == 1 else 's'}")
        for text in texts:
            print(f"  {label}: {text}")
    return FAULTY if found.errors else 0


def _layers(facts: list[Any]) -> str:
    from edgecore.table import table

    rows = [
        [
            str(number),
            layer.name,
            layer.kind,
            layer.shape,
            f"{layer.learnables:,}" if layer.learnables else "",
            f"{layer.fixed:,}" if layer.fixed else "",
            f"{layer.multiply_adds / 1e6:,.2f}" if layer.multiply_adds else "",
        ]
        for number, layer in enumerate(facts, start=1)
    ]
    head = ["", "layer", "kind", "output", "learnables", "fixed", "MMAC"]
    return table(head, rows, left=(1, 2))
