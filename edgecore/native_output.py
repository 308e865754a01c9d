"""Keeping the chatter of native libraries off stderr without losing what they say.

TFLite, libjpeg and libpng write to file descriptor 2 directly, where neither Python nor an option reaches
them.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST_WAIT = 5.0  # seconds for another thread's block; one that hangs in a driver never ends
_LOCK = threading.RLock()  # descriptor 2 belongs to the process


class Held:
    """What was written to descriptor 2 while it was held."""

    def __init__(self) -> None:
        self.text = ""

    def lines(self) -> list[str]:
        """Its lines, without TFLite's notices about delegates."""
        return [
            line
            for line in self.text.splitlines()
            if line.strip() and not line.startswith(("INFO:", "VERBOSE:"))
        ]


@contextmanager
def held_stderr(forward: bool = True) -> Iterator[Held]:
    """Holds back descriptor 2 during the block; `lines()` of the result tell afterwards what came.

    With `forward` those lines go to the real stderr after a block that ends well; after an exception they
    do not, because the caller puts them into its own message. Nothing is held back where there is no stderr,
    or where another thread's block does not end.
    """
    held = Held()
    if sys.stderr is None or not _LOCK.acquire(timeout=LONGEST_WAIT):
        yield held
        return
    try:
        sys.stderr.flush()
        sink = os.memfd_create("edgecore-stderr", os.MFD_CLOEXEC)
        real = os.dup(2)
        os.dup2(sink, 2)
        try:
            yield held
        except BaseException:
            forward = False
            raise
        finally:
            sys.stderr.flush()
            os.dup2(real, 2)
            held.text = os.pread(sink, 1 << 16, 0).decode("utf-8", "replace")
            os.close(real)
            os.close(sink)
            if forward:
                for line in held.lines():
                    print(line, file=sys.stderr)
    finally:
        _LOCK.release()


def give_python_its_own() -> None:
    """Makes sys.stderr write through a descriptor of its own, so that nothing of Python's is held back.

    What another thread says while a camera is opened would be lost with what the driver says.
    """
    stream = sys.stderr
    try:
        if stream.fileno() != 2:
            return
    except (OSError, ValueError):  # io.UnsupportedOperation is both: it is no file, as under a test
        return
    stream.flush()
    sys.stderr = open(os.dup(2), "w", 1, stream.encoding, stream.errors)  # noqa: SIM115, PTH123
