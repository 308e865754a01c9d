"""The one exception that reaches a user as a single line, and how a program reports it."""

from __future__ import annotations

import sys
from collections.abc import Callable

USER_ERROR = 2
INTERRUPTED = 130


class UserError(Exception):
    """Something the user can mend: the text says what is wrong and what to do.

    The command line prints it on stderr and exits with status 2.
    """


def exit_status(action: Callable[[], None]) -> int:
    """Runs `action`; its UserError becomes a line on standard error and status 2, Ctrl-C status 130."""
    try:
        action()
    except UserError as error:
        print(f"edgecore: {error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0
