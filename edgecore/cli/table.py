"""`edgecore table`: many models on the same images, as the table of a paper and its picture."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgecore.cli.eval import add_evaluation_arguments, options_of, progress_on_terminal, source_of
from edgecore.errors import UserError

if TYPE_CHECKING:
    from edgecore.converters.data import Source
    from edgecore.converters.evaluation.candidates import Candidate
    from edgecore.converters.evaluation.evaluation import Evaluation, Options
    from edgecore.converters.evaluation.table import CrossValidated

HELP = "compare models on labelled images: accuracy, mIoU, latency and size, as table and picture"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `edgecore table`."""
    parser.epilog = (
        "OUT receives table.md, table.csv, table.png and table.svg, and in its folder rows what was found of "
        "each model: the same command again goes on where it was interrupted. A cross-validation of "
        "`edgecore train --folds` is shown with mean, variance and standard deviation."
    )
    parser.add_argument(
        "models",
        nargs="+",
        metavar="[NAME=]MODEL",
        help="folder of a run of `edgecore train`, .keras or .tflite, with the name that the table gives it",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="OUT", help="folder of the table")
    add_evaluation_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Evaluates what is not yet known, then writes and prints the table."""
    from edgecore.converters.evaluation import candidates, picture, table
    from edgecore.converters.evaluation.cache import write
    from edgecore.devices import machine

    chosen = _chosen(args.models)
    source, options = source_of(args), options_of(args)
    for candidate in chosen:
        candidates.require_tensorflow_for(candidate)
    try:
        (args.out / "rows").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot make the folder {args.out}: {error.strerror}; choose another --out"
        ) from error
    rows = _evaluated([candidate for candidate in chosen if candidate.files], source, options, args.out)
    crossed = _cross_validated(chosen, rows, source)
    parts = []
    if rows:
        text = table.explanation(rows, str(source.path), str(machine.identify()))
        notes = "".join(f"\n- {note}" for note in _notes(rows))
        parts.append(f"{table.as_markdown(rows)}\n{text}\n{notes}".rstrip("\n") + "\n")
        write(args.out / "table.csv", table.as_csv(rows))
        print(f"{table.as_text(rows)}\n\n{text}\n{notes}".rstrip("\n"))
    if crossed:
        parts.append(f"{table.folds_markdown(crossed)}\n{table.FOLDS_EXPLAINED}\n")
        print(("\n" if rows else "") + f"{table.folds_text(crossed)}\n\n{table.FOLDS_EXPLAINED}")
    write(args.out / "table.md", "\n".join(parts))
    if rows and importlib.util.find_spec("matplotlib") is not None:
        picture.draw(rows, [args.out / "table.png", args.out / "table.svg"])
    elif rows:
        print("edgecore: no picture without matplotlib; pip install 'edgecore[host]'", file=sys.stderr)
    print(f"\nwrote {args.out}")
    return 0


def _notes(rows: list[Evaluation]) -> list[str]:
    """Each note once, with the names of the models that it is about unless it is about all."""
    about: dict[str, list[str]] = {}
    for row in rows:
        for note in row.notes:
            about.setdefault(note, []).append(row.name)
    return [
        note if len(names) == len(rows) else f"{', '.join(names)}: {note}" for note, names in about.items()
    ]


def _chosen(words: list[str]) -> list[Candidate]:
    """The candidates that the words name, all with names of their own."""
    from edgecore.converters.evaluation import candidates

    chosen = []
    for word in words:
        name, equals, path = word.partition("=")
        if not equals or Path(word).exists():
            name, path = "", word
        chosen.append(candidates.find(Path(path), name or None))
    names = [candidate.name for candidate in chosen]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"two models would be called '{twice}' in the table; give names: NAME=MODEL")
    return chosen


def _evaluated(chosen: list[Candidate], source: Source, options: Options, out: Path) -> list[Evaluation]:
    from edgecore.converters.evaluation import cache
    from edgecore.converters.evaluation.evaluation import evaluate

    def row(candidate: Candidate) -> Evaluation:
        key = cache.key_of(candidate, source, options)
        with progress_on_terminal(len(source.items), candidate.name) as progress:
            return cache.kept(
                out / "rows", candidate.name, key, lambda: evaluate(candidate, source, options, progress)
            )

    rows: list[Evaluation] = []
    for candidate in chosen:
        try:
            rows.append(row(candidate))
        except UserError as error:
            kept = f"; the {len(rows)} before it are kept" if rows else ""
            raise UserError(f"{candidate.name}: {error}{kept}") from error
    return rows


def _cross_validated(chosen: list[Candidate], rows: list[Evaluation], source: Source) -> list[CrossValidated]:
    from edgecore.converters.evaluation import folds
    from edgecore.converters.evaluation.evaluation import parameters_of
    from edgecore.converters.evaluation.table import CrossValidated

    known = {row.name: row.parameters for row in rows}
    crossed = []
    for candidate in chosen:
        if candidate.folds is None:
            continue
        one = next(iter(sorted(candidate.folds.parent.glob("fold*/model.keras"))), None)
        parameters = known.get(candidate.name)
        if parameters is None and one is not None:
            try:
                parameters = parameters_of(one, source)
            except UserError as error:
                raise UserError(f"{candidate.name}: {error}") from error
        crossed.append(CrossValidated(candidate.name, parameters, folds.read(candidate.folds)))
    return crossed
