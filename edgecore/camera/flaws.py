"""Cameras whose every JPEG has a small flaw, which libjpeg reports on descriptor 2 each time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from edgecore.native_output import held_stderr


class Flaws:
    """Keeps libjpeg's reports off stderr, for a camera whose first picture had one.

    Not for every camera: descriptor 2 is the whole process's, and while it is held what others write there
    comes late.
    """

    def __init__(self) -> None:
        self._first = True
        self._reported = False

    @contextmanager
    def unreported(self) -> Iterator[None]:
        """For the time in which a picture is decoded."""
        if not (self._first or self._reported):
            yield
            return
        with held_stderr(forward=False) as held:
            yield
        self._first = False
        for line in held.lines():
            if "JPEG" in line:
                self._reported = True
            else:
                print(line, file=sys.stderr)
