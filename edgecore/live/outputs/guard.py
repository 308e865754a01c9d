"""What stands between the loop and an output that may fail: the loop never notices, the user is told."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from edgecore.errors import UserError
from edgecore.live.outputs import Output
from edgecore.live.result import Result

RETRY_SECONDS = 5.0
REPEAT_SECONDS = 600.0  # before a failure that was told and mended is told again


def reason(error: Exception) -> str:
    """What went wrong, in the words of a message's second half."""
    if isinstance(error, OSError) and error.errno is not None:
        text = os.strerror(error.errno)
        return text[:1].lower() + text[1:]
    if isinstance(error, (OSError, UserError)):
        return str(error)
    return f"{type(error).__name__}: {error}"


class Guarded:
    """An output of which nothing reaches the loop but silence.

    What publish() and close() raise is told once for each kind of failure. After a failure the output is
    left alone for `retry_seconds`; results that come meanwhile are lost and counted, and when the output
    works again that is told too.

    Args:
        output: the output itself.
        notice: is given each line for the user.
        retry_seconds: between two attempts while it fails.
    """

    def __init__(
        self, output: Output, notice: Callable[[str], None], retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self.output = output
        self.lost = 0  # results, over the whole run
        self._notice = notice
        self._retry_seconds = retry_seconds
        self._missed = 0  # results since it began to fail
        self._failing = False
        self._telling = False  # whether this spell of failures was told of
        self._again = 0.0
        self._told: dict[str, float] = {}

    @property
    def title(self) -> str:
        """The output's."""
        return self.output.title

    @property
    def closed(self) -> bool:
        """Whether the user has closed the output, where one can (a window)."""
        return bool(getattr(self.output, "closed", False))

    def publish(self, result: Result) -> None:
        """One result, unless the output failed a moment ago. Raises nothing."""
        if self._failing and time.monotonic() < self._again:
            self._miss()
            return
        try:
            self.output.publish(result)
        except Exception as error:
            self._miss()
            self._fail(error, "results are lost there until it works again")
        else:
            if self._failing:
                self._recover()

    def close(self) -> None:
        """Closes the output. Raises nothing."""
        try:
            self.output.close()
        except Exception as error:
            self._fail(error, "its end is not written")
        if self._failing and self._missed:
            self._say(f"{self.title}: {_results(self._missed)} lost")
            self._missed = 0

    def _miss(self) -> None:
        self._missed += 1
        self.lost += 1

    def _fail(self, error: Exception, consequence: str) -> None:
        now = time.monotonic()
        self._failing = True
        self._again = now + self._retry_seconds
        kind = reason(error)
        if now - self._told.get(kind, -REPEAT_SECONDS) >= REPEAT_SECONDS:
            self._telling = True
            self._say(f"{self.title}: {kind}; {consequence}")
            self._told[kind] = now
            while len(self._told) > 32:  # texts that differ each time must not pile up
                del self._told[next(iter(self._told))]
        elif self._telling:  # it lasts; of what comes and goes, the next spell after a while is told again
            self._told[kind] = now

    def _recover(self) -> None:
        if self._telling:
            self._say(f"{self.title}: works again; {_results(self._missed)} lost")
        self._failing = self._telling = False
        self._missed = 0

    def _say(self, line: str) -> None:
        # The last resort of a loop that must not end: where even the notice fails (stderr is a full disk),
        # nobody is left to tell.
        try:
            self._notice(line)
        except Exception:
            return


def _results(count: int) -> str:
    return "1 result was" if count == 1 else f"{count} results were"
