"""The one exception that reaches a user as a single line, and how a program reports it."""

from __future__ import annotations

import sys
from collections.abc import Callable

USER_ERROR = 2
REJECTED = 1
INTERRUPTED = 130


class UserError(Exception):
    """Something the user can mend: the text says what is wrong and what to do.

    The command line prints it on stderr and exits with `status`, 2.
    """

    status = USER_ERROR


class Rejected(UserError):
    """A result that fails a check which the user asked for; `status` is 1."""

    status = REJECTED


def exit_status(action: Callable[[], None]) -> int:
    """Runs `action`; its UserError becomes a line on standard error and its status, Ctrl-C status 130."""
    try:
        action()
    except UserError as error:
        print(f"edgecore: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0
