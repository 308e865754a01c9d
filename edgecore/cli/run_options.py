"""The options of `edgecore run` beside its source and its model, and what they make."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from edgecore.cli.options import load_model, numbers, positive
from edgecore.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edgecore.camera import Source
    from edgecore.live.classes import ClassMap
    from edgecore.live.decision import Rules
    from edgecore.live.loop import Settings
    from edgecore.live.outputs import Output
    from edgecore.live.reload import Reloader
    from edgecore.live.session import Notices
    from edgecore.model import Model

IDLE_AFTER = 10.0  # seconds
UNCERTAIN = (0.3, 0.7)
UNCERTAIN_EVERY = 2.0  # seconds
UNCERTAIN_SIZE = 200 << 20  # bytes
OUT_SIZE = 64 << 20  # bytes
OUT_KEEP = 4
EVENT_TIMEOUT = 10.0  # seconds

# What says something only beside another option.
BELONGS_TO = {
    "idle_after": "idle_fps",
    "out_size": "out",
    "out_keep": "out",
    "uncertain": "save_uncertain",
    "uncertain_every": "save_uncertain",
    "uncertain_size": "save_uncertain",
    "event_timeout": "on_event",
}

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def filled(text: str) -> str:
    """A text that is not empty, as that of an unset variable is."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; give a name or a command, or leave the option out")
    return text


def above_zero(text: str) -> float:
    """A number above 0."""
    values = numbers(text)
    if len(values) != 1 or not 0 < values[0] < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return values[0]


def byte_count(text: str) -> int:
    """A number of bytes such as 500M."""
    match = re.fullmatch(r"([0-9]{1,9})([KMG]?)B?", text.upper())
    if match is None or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 500K, 64M or 2G")
    return int(match[1]) * UNITS[match[2]]


def bounds(text: str) -> tuple[float, float]:
    """LOW,HIGH with 0 <= LOW < HIGH <= 1."""
    values = numbers(text)
    if len(values) != 2 or not 0 <= values[0] < values[1] <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not LOW,HIGH between 0 and 1, such as 0.3,0.7")
    return values[0], values[1]


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Frames, the label that counts, outputs, and replacing the model."""
    frames = parser.add_argument_group("frames")
    frames.add_argument("--roi", metavar="X,Y,W,H", help="the part that the model sees, in pixels or percent")
    frames.add_argument(
        "--policy",
        choices=("newest", "every"),
        help="drop frames that come too fast, or take each (default: newest for cameras and streams)",
    )
    frames.add_argument("--max-fps", type=above_zero, metavar="F", help="frames a second, at most")
    frames.add_argument(
        "--idle-fps",
        type=above_zero,
        metavar="F",
        help="low power: F frames a second while the label has not changed for --idle-after seconds",
    )
    frames.add_argument("--idle-after", type=above_zero, metavar="S", help="see --idle-fps (default: 10)")
    frames.add_argument(
        "--give-up-after",
        type=above_zero,
        metavar="S",
        help="end with status 2 after S seconds without a frame (default: wait for ever)",
    )
    label = parser.add_argument_group("the label that counts")
    label.add_argument(
        "--smooth",
        metavar="HOW",
        help="scores over time: exponential:SECONDS, window:FRAMES, window:SECONDSs (default: none)",
    )
    label.add_argument(
        "--threshold", metavar="HIGH[,LOW]", help="a label counts from score HIGH on and until below LOW"
    )
    label.add_argument(
        "--confirm",
        metavar="N/M",
        help="a new label has to win N of M frames (default: 8/10; of images: 1/1)",
    )
    label.add_argument(
        "--classes", type=filled, metavar="FILE", help="TOML file that merges, renames or ignores classes"
    )
    out = parser.add_argument_group("outputs")
    out.add_argument("--out", type=filled, metavar="FILE", help="append one JSON object a frame to FILE")
    out.add_argument(
        "--out-size",
        type=byte_count,
        metavar="SIZE",
        help="rotate FILE there (default: 64M)",
    )
    out.add_argument("--out-keep", type=positive, metavar="N", help="rotated files to keep (default: 4)")
    out.add_argument(
        "--record", type=filled, metavar="CLIP", help="video of the frames with label, confidence and latency"
    )
    out.add_argument(
        "--save-uncertain", type=filled, metavar="DIR", help="pictures that the model is not sure of"
    )
    out.add_argument(
        "--uncertain",
        type=bounds,
        metavar="LOW,HIGH",
        help="best scores that count as not sure (default: 0.3,0.7)",
    )
    out.add_argument(
        "--uncertain-every",
        type=above_zero,
        metavar="S",
        help="seconds between two (default: 2)",
    )
    out.add_argument("--uncertain-size", type=byte_count, metavar="SIZE", help="of DIR (default: 200M)")
    out.add_argument(
        "--on-event",
        type=filled,
        metavar="CMD",
        help="shell command run when the label changes, the event as JSON on stdin",
    )
    out.add_argument("--event-timeout", type=above_zero, metavar="S", help="CMD may take (default: 10)")
    out.add_argument("--show", action="store_true", help="a window with the frames; q closes it")
    swap = parser.add_argument_group(
        "replacing the model",
        "A model file that is replaced while the loop runs is checked and taken over without a pause; one "
        "that fails its check is refused, and the old one stays.",
    )
    swap.add_argument("--no-reload", dest="reload", action="store_false", help="leave the model alone")
    swap.add_argument("--golden", metavar="IMAGE=LABEL", help="a new model has to answer LABEL for IMAGE")
    swap.add_argument(
        "--max-latency",
        type=above_zero,
        metavar="MS",
        help="of a new model on one core (default: 4 times the old one's)",
    )


def check_options(args: argparse.Namespace) -> None:
    """Raises UserError for options that contradict each other, or that would do nothing."""
    for name, other in BELONGS_TO.items():
        if getattr(args, name) is not None and getattr(args, other) is None:
            option, wanted = (text.replace("_", "-") for text in (name, other))
            raise UserError(f"--{option} does nothing without --{wanted}; give that too, or leave it out")
    for name in ("golden", "max_latency"):
        if getattr(args, name) is not None and not args.reload:
            raise UserError(
                f"--{name.replace('_', '-')} is for a new model, and --no-reload takes none; "
                "leave one of them out"
            )


def check_threshold(rules: Rules, model: Model) -> None:
    """Raises UserError where no score of the model can reach the threshold."""
    largest = model.largest_score
    if rules.enter > largest:
        raise UserError(
            f"no score reaches the --threshold of {rules.enter:g}: this model's are {largest:.3g} at most"
        )


def rules_of(args: argparse.Namespace, named: bool) -> Rules:
    """How the label that counts comes about."""
    from edgecore.live.decision import Rules, usual_confirmation

    return Rules.from_texts(args.smooth, args.threshold, args.confirm or usual_confirmation(named))


def classes_of(args: argparse.Namespace) -> Callable[[Model], ClassMap] | None:
    """What makes the class map for a model, if there is one."""
    if args.classes is None:
        return None
    from edgecore.live.classes import ClassMap, read_mapping

    mapping = read_mapping(args.classes)
    return lambda model: ClassMap(model.labels, mapping, args.classes)


def reloader_of(
    args: argparse.Namespace, model: Model, classes: Callable[[Model], ClassMap] | None, notices: Notices
) -> Reloader | None:
    """What watches the model's file, unless that was declined."""
    if not args.reload:
        return None
    from edgecore.live.checks import Checks, KnownPicture
    from edgecore.live.reload import Reloader

    def load() -> Model:
        candidate = load_model(args)
        if classes is not None:
            classes(candidate)
        return candidate

    known = KnownPicture.from_text(args.golden) if args.golden is not None else None
    if known is not None and known.label not in model.labels:
        raise UserError(
            f"--golden {args.golden}: the model has no label {known.label!r}; give one of its own"
        )
    limit = args.max_latency / 1e3 if args.max_latency is not None else None
    return Reloader(model.network.path, load, model, Checks(known, limit), notices)


def settings_of(args: argparse.Namespace, source: Source, model: Model, notices: Notices) -> Settings:
    """What the loop does with a source's frames; whether it keeps them is for the outputs to say."""
    from edgecore.live.loop import Settings
    from edgecore.live.pacing import Pace
    from edgecore.live.region import Region

    classes = classes_of(args)
    if classes is not None:
        classes(model)  # raises what is wrong with it before anything is opened
    rules = rules_of(args, source.named)
    if classes is None:  # scores of merged classes are added up
        check_threshold(rules, model)
    return Settings(
        top=args.top,
        frames=args.frames,
        newest=None if args.policy is None else args.policy == "newest",
        give_up_after=args.give_up_after,
        region=Region.parse(args.roi) if args.roi is not None else None,
        rules=rules,
        classes=classes,
        pace=Pace(args.max_fps, args.idle_fps, args.idle_after or IDLE_AFTER),
        reloader=reloader_of(args, model, classes, notices),
        notice=notices,
    )


def outputs_of(args: argparse.Namespace, source: Source, notices: Notices) -> list[Output]:
    """Where the source's results go beside the display."""
    outputs: list[Output] = []
    try:
        outputs.extend(_outputs(args, source, notices))
    except BaseException:
        for output in outputs:
            output.close()
        raise
    return outputs


def _outputs(args: argparse.Namespace, source: Source, notices: Notices) -> Iterator[Output]:
    if args.record is not None:
        from edgecore.live.outputs.record import Recording

        yield Recording(args.record, source.rate, source.live)
    if args.out is not None:
        from edgecore.live.outputs.results import ResultsFile

        yield ResultsFile(args.out, args.out_size or OUT_SIZE, args.out_keep or OUT_KEEP)
    if args.save_uncertain is not None:
        from edgecore.live.outputs.uncertain import Uncertain

        yield Uncertain(
            args.save_uncertain,
            args.uncertain or UNCERTAIN,
            args.uncertain_every or UNCERTAIN_EVERY,
            args.uncertain_size or UNCERTAIN_SIZE,
            notices,
        )
    if args.on_event is not None:
        from edgecore.live.outputs.events import EventCommand

        yield EventCommand(args.on_event, notices, args.event_timeout or EVENT_TIMEOUT)
    if args.show:
        from edgecore.live.outputs.window import Window

        yield Window(f"edgecore {source.title}")
