"""The command `edgecore`: one module per command, imported when it is asked for.

A command is a module with HELP: str, add_arguments(parser) and run(args) -> exit status. It imports numpy,
OpenCV and the interpreter inside run(), so that `edgecore --help` stays quick on a small board.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import edgecore
from edgecore.errors import INTERRUPTED, USER_ERROR, UserError
from edgecore.native_output import give_python_its_own

COMMANDS = (
    *("run", "classify", "bench", "inspect", "devices"),
    *("zoo", "import", "train", "convert", "eval", "table"),
)
# Where a module cannot be called like its command.
MODULES = {"import": "import_weights"}
PIPE_CLOSED = 141


class Parser(argparse.ArgumentParser):
    """Reports a wrong argument the way every other mistake is reported: in one line."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see `{self.prog} --help`")

    def _parse_optional(self, arg_string: str) -> Any:
        # Standard input with options, `-?size=640x480`, is a source, and `-5,0,10,10` a value that its option
        # refuses in better words.
        return None if re.match(r"-[?0-9]", arg_string) else super()._parse_optional(arg_string)


def _parser(commands: Sequence[str]) -> Parser:
    parser = Parser(prog="edgecore", description="Keras models in int8 on small boards, live from a camera.")
    parser.add_argument("--version", action="version", version=f"edgecore {edgecore.__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in commands:
        module = import_module(f"edgecore.cli.{MODULES.get(name, name)}")
        command = parsers.add_parser(name, help=module.HELP, description=module.HELP)
        command.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def _asked_for(argv: Sequence[str]) -> Sequence[str]:
    """The command that the arguments name, so that the others need not be imported; all when in doubt."""
    first = next((word for word in argv if not word.startswith("-")), "")
    return (first,) if first in COMMANDS else COMMANDS


def complain(text: str) -> None:
    """Says what went wrong, in one line."""
    print("edgecore: " + " ".join(text.split()), file=sys.stderr)


def _drop_output() -> None:
    """Nobody takes our output any more; Python would complain once more when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line and returns the exit status.

    0; 1 for a failed check, 2 for a mistake of the user, 130 after Ctrl-C.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # started with it closed
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, PTH123
    if isinstance(sys.stdout, io.TextIOWrapper):  # a label that the terminal has no letters for
        sys.stdout.reconfigure(errors="backslashreplace")
    give_python_its_own()
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    try:
        args, unknown = _parser(_asked_for(words)).parse_known_args(words)
        if unknown:
            raise UserError(
                f"unrecognized arguments: {' '.join(unknown)}; see `edgecore {args.command} --help`"
            )
        status: int = args.run(args)
        sys.stdout.flush()
        return status
    except UserError as error:
        if debug:
            raise
        complain(str(error))
        return error.status
    except KeyboardInterrupt:
        if debug:
            raise
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return PIPE_CLOSED
    except ImportError as error:
        if debug or not (error.name or "").startswith("edgecore.converters"):
            raise
        complain(f"the wheels for boards leave out what `edgecore {words[0]}` needs; install it from source")
        return USER_ERROR
    except OSError as error:  # what nobody else put into words: mostly a full disk
        if debug:
            raise
        _drop_output()
        complain(f"{error.filename or 'the output'}: {error.strerror or error}")
        return USER_ERROR
