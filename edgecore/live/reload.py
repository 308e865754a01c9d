"""A model file that is replaced while the loop runs: noticed, checked, swapped in, or refused."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from edgecore.errors import UserError
from edgecore.live.checks import Checks, check
from edgecore.model import Model

Signature = tuple[int, int, int, int]
LONGEST_END = 0.5  # seconds that `close` waits for a check in progress


def signature(path: Path) -> Signature | None:
    """What changes when a file is replaced or rewritten: device, inode, time, size. None: it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


class _Attempt(threading.Thread):
    """Loads and checks a candidate.

    Afterwards `model` is the one that passed, or `reason` says why there is none; neither: the file's content
    is the running model's.
    """

    def __init__(
        self,
        path: Path,
        load: Callable[[], Model],
        running: Model,
        checks: Checks,
        stop: threading.Event,
        forced: bool,
    ) -> None:
        super().__init__(name="edgecore-reload", daemon=True)
        self._path, self._load, self._running = path, load, running
        self._checks, self._stop_check = checks, stop
        self.signature = signature(path)
        self.forced = forced
        self.model: Model | None = None
        self.reason = ""

    def run(self) -> None:
        try:
            if not self.forced and self._path.read_bytes() == self._running.network.data:
                return
            candidate = self._load()
            check(candidate, self._running, self._checks, self._stop_check)
            self.model = candidate
        except UserError as error:
            self.reason = str(error)
        except Exception as error:  # whatever is wrong with the new file, the loop goes on
            line = (str(error).splitlines() or [""])[0]
            self.reason = f"{type(error).__name__}: {line}"


class Reloader:
    """Watches a model's file and offers what replaces it once that has passed its check.

    The file is looked at once a second, with stat alone, so that every file system will do. One that differs
    between two looks is still being written and waits. Loading and checking take place in a thread of their
    own, which lives only that long; a file that was refused is not tried again until it changes.

    All methods but `request` belong to the loop's thread.

    Args:
        path: the file, as `load` opens it.
        load: opens the model again with the options of the run. A UserError that it raises refuses the file,
            also where the model is sound but does not fit the run, such as its class map. Called in another
            thread.
        running: the model that runs now. It may be used meanwhile.
        checks: see edgecore/live/checks.py.
        notice: takes one-line messages; called from `poll`.
        interval: seconds between two looks.
    """

    def __init__(
        self,
        path: str | Path,
        load: Callable[[], Model],
        running: Model,
        checks: Checks | None = None,
        notice: Callable[[str], None] = lambda line: None,
        interval: float = 1.0,
    ) -> None:
        self._path = Path(path)
        self._load, self._running = load, running
        self._checks = checks or Checks()
        self._notice, self._interval = notice, interval
        self._seen = signature(self._path)
        # A file that was replaced since `running` was loaded counts as a change.
        self._judged = self._seen if self._holds(running) else None
        self._due = float("-inf")
        self._vanished = False
        self._requested = self._forced = False
        self._attempt: _Attempt | None = None
        self._stop = threading.Event()

    def request(self) -> None:
        """Loads the file again although it may not have changed. Made for signal handlers: takes no lock."""
        self._requested = True

    @property
    def busy(self) -> bool:
        """Whether a candidate is being loaded and checked, or waits for the next `poll`."""
        return self._attempt is not None

    def poll(self, now: float, frame: int | None = None) -> Model | None:
        """A model that is to replace the running one from this frame on; mostly None. Never waits.

        Args:
            now: seconds of a monotonic clock.
            frame: the number of the frame that comes next, for the message, where it is known.
        """
        if self._attempt is not None:
            return None if self._attempt.is_alive() else self._finish(frame)
        if self._requested:
            self._requested, self._forced, self._due = False, True, now
        if now < self._due:
            return None
        self._due = now + self._interval
        found = signature(self._path)
        stable, self._seen = found == self._seen, found
        if found is None:
            if self._forced or not self._vanished:
                self._notice(f"{self._path.name} has vanished; the model that runs stays")
            self._vanished, self._forced = True, False
            return None
        self._vanished = False
        if stable and (self._forced or found != self._judged):
            self._start()
        return None

    def close(self) -> None:
        """Ends a check in progress, without waiting for more than half a second."""
        self._stop.set()
        if self._attempt is not None:
            self._attempt.join(LONGEST_END)
            self._attempt = None

    def _start(self) -> None:
        self._attempt = _Attempt(
            self._path, self._load, self._running, self._checks, self._stop, self._forced
        )
        self._judged, self._forced = self._attempt.signature, False
        try:
            self._attempt.start()
        except RuntimeError as error:  # no memory or no process number for a thread
            self._attempt = None
            self._notice(f"the new {self._path.name} cannot be checked ({error}); the old one stays")

    def _finish(self, frame: int | None) -> Model | None:
        attempt, self._attempt = self._attempt, None
        assert attempt is not None
        if signature(self._path) != attempt.signature:  # changed meanwhile: what comes is to be judged
            self._judged, self._forced = None, attempt.forced
            return None
        name = self._path.name
        if attempt.reason:
            self._notice(f"the new {name} is refused: {attempt.reason}; the old one stays")
        elif attempt.model is not None:
            self._running = attempt.model
            what = "loaded again" if attempt.forced else "replaced"
            start = "the next frame on" if frame is None else f"frame {frame}"
            self._notice(f"{name} was {what} and runs from {start}")
        return attempt.model

    def _holds(self, model: Model) -> bool:
        try:
            return self._path.read_bytes() == model.network.data
        except OSError:
            return False
