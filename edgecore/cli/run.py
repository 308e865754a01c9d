"""`edgecore run`: frames of a source through a classifier, live."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from edgecore.cli.options import Formatter, add_engine_arguments, add_model_arguments, load_model, positive
from edgecore.cli.run_options import add_run_arguments
from edgecore.errors import USER_ERROR, UserError

if TYPE_CHECKING:
    from edgecore.live.display import Display
    from edgecore.live.loop import Loop

HELP = "classify the frames of a camera, a stream, a video or a folder of images"

EPILOG = """\
sources, and the options that may follow their names:
  picam:0?size=640x480&fps=30    Raspberry Pi camera: size, fps, format, stream,
                                 exposure, gain, rotation, hflip, vflip, timeout
  0, v4l2:/dev/v4l/by-id/...     USB camera, by its number or by a name that
                                 stays: size, fps, fourcc, timeout
  rtsp://user:password@host/1    network camera; options after #, such as
                                 #transport=udp: transport, timeout
  http://host/stream             the same with Motion JPEG: timeout, verify
  gst:PIPELINE                   GStreamer, where OpenCV has it
  clip.mp4, file:clip.mp4?loop=1 video or image file: loop, fps
  photos/, dir:photos/           folder of images: loop, fps
  -?size=640x480&format=BGR      raw frames on standard input: size, format
                                 (BGR, RGB, GREY, YUV420, NV12), colour, fps,
                                 timeout
  test:pattern                   moving picture with a clock: size, fps, frames,
                                 format, live

The newest frame of a camera or stream wins; of files every frame is taken. A
camera that is lost is opened again.

The status line has the label that counts and its score (with a ? while none
does: the best of this frame), frames a second, the time from the capture of a
frame to its answer, how many frames were dropped, and the time in each stage.
p50/p95: half, and 95 in 100, of the last frames took no longer.

SIGTERM and Ctrl-C end the run with everything written; SIGHUP looks at the
model file again.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `edgecore run`."""
    parser.epilog = EPILOG
    parser.formatter_class = Formatter
    parser.add_argument(
        "source",
        nargs="?",
        metavar="SOURCE",
        help="where frames come from (default: a bundled clip); see below",
    )
    parser.add_argument("--frames", type=positive, metavar="N", help="stop after N frames")
    parser.add_argument(
        "--top", type=positive, default=1, metavar="K", help="classes per frame in JSON (default: 1)"
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a frame on stdout, then a summary"
    )
    add_run_arguments(parser)
    add_model_arguments(parser)
    add_engine_arguments(parser)


def _display(args: argparse.Namespace, loop: Loop) -> Display:
    from edgecore.live.display import JsonLines, Plain, Terminal

    if args.json:
        return JsonLines(sys.stdout, sys.stderr)
    if sys.stdout.isatty() and not loop.feed.named:
        return Terminal(sys.stdout)
    return Plain(sys.stdout, loop.feed.named, sys.stderr)


def run(args: argparse.Namespace) -> int:
    """Loops until the source ends, N frames are done or a signal comes; then prints a summary."""
    from edgecore.camera import source_of
    from edgecore.cli import complain
    from edgecore.cli.run_options import check_options, outputs_of, settings_of
    from edgecore.live import session
    from edgecore.live.loop import Loop

    before = threading.enumerate()
    check_options(args)
    notices = session.Notices()
    source = source_of(args.source)  # what is wrong with its name is said before the model is loaded
    model = load_model(args)
    settings = settings_of(args, source, model, notices)
    loop = Loop(lambda: source_of(args.source), model, settings)
    unused = _not_there(args)
    try:
        outputs = outputs_of(args, source, notices)
        settings.pictures = any(output.pictures for output in outputs)
        lost = session.run(loop, _display(args, loop), outputs, notices)
        status = USER_ERROR if lost else 0
    except UserError as error:
        _remove_empty(unused)
        if not _left_behind(before):
            raise
        complain(str(error))
        status = USER_ERROR
    if _left_behind(before):
        # Everything is written. The interpreter's own end would wait for what a driver does at exit, or
        # crash when the thread comes back from native code meanwhile.
        sys.stdout.flush()
        os._exit(status)
    return status


def _not_there(args: argparse.Namespace) -> list[Path]:
    """What the outputs are about to make, before anything comes that could be written there."""
    paths = [Path(args.out)] if args.out is not None else []
    if args.save_uncertain is not None:
        folder = Path(args.save_uncertain)
        paths += [folder / "scores.jsonl", folder, *folder.parents]
    return [path for path in paths if not os.path.lexists(path)]


def _remove_empty(paths: list[Path]) -> None:
    """A run that fails before its first result leaves nothing behind."""
    for path in paths:
        with contextlib.suppress(OSError):
            if path.is_dir():
                path.rmdir()
            elif path.stat().st_size == 0:
                path.unlink()


def _left_behind(before: list[threading.Thread]) -> bool:
    """Whether a thread of this run still hangs in a driver."""
    return any(thread.daemon and thread not in before for thread in threading.enumerate())
