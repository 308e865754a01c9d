"""`edgecore run`: frames of a source through a classifier, live."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from edgecore.cli.options import add_engine_arguments, add_model_arguments, load_model, positive
from edgecore.errors import UserError

if TYPE_CHECKING:
    from edgecore.camera import Source
    from edgecore.live.display import Display
    from edgecore.live.result import Tally

HELP = "classify the frames of a video, a folder of images or a camera"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `edgecore run`."""
    parser.add_argument(
        "source",
        nargs="?",
        metavar="SOURCE",
        help="video file, image folder or camera number (default: a bundled clip)",
    )
    add_model_arguments(parser)
    parser.add_argument("--frames", type=positive, metavar="N", help="stop after N frames")
    parser.add_argument(
        "--top", type=positive, default=1, metavar="K", help="classes per frame in JSON (default: 1)"
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a frame on stdout, then a summary"
    )
    parser.add_argument("--out", metavar="FILE", help="append one JSON object a frame to FILE")
    add_engine_arguments(parser)


def _display(args: argparse.Namespace, source: Source) -> Display:
    from edgecore.live.display import JsonLines, Plain, Terminal

    if args.json:
        return JsonLines(sys.stdout)
    return Terminal(sys.stdout) if sys.stdout.isatty() else Plain(sys.stdout, every=source.named)


def _finish(displays: list[Display], tally: Tally) -> None:
    tally.stop()
    if tally.frames:
        for display in displays:
            display.finish(tally)


def run(args: argparse.Namespace) -> int:
    """Loops until the source ends, N frames are done or Ctrl-C; then prints a summary."""
    from edgecore.camera import source_of
    from edgecore.live.display import JsonLines
    from edgecore.live.loop import results
    from edgecore.live.result import Tally

    source = source_of(args.source)
    model = load_model(args)
    with ExitStack() as stack:
        stack.enter_context(source)
        displays: list[Display] = [_display(args, source)]
        if args.out is not None:
            try:
                displays.append(JsonLines(stack.enter_context(Path(args.out).open("a", encoding="utf-8"))))
            except OSError as error:
                raise UserError(f"{args.out} cannot be written: {error.strerror}") from error
        tally = Tally()
        try:
            for result in results(source, model, args.frames, args.top):
                tally.add(result)
                for display in displays:
                    display.show(result, tally)
        except KeyboardInterrupt:
            _finish(displays, tally)
        except UserError:
            _finish(displays, tally)
            raise
        else:
            _finish(displays, tally)
    return 0
