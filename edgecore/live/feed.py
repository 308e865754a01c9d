"""A source in a thread of its own: drained, watched, and opened again when it is lost."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from edgecore.camera.source import Frame, Source, SourceLost
from edgecore.errors import UserError
from edgecore.live.slot import Slot
from edgecore.live.threads import NativeThread

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds between tries to open a lost source; each doubles the last
PATIENCE = 4.0  # seconds beyond a source's own timeouts after which it counts as hanging
MOST_HANGING = 3  # threads that may be left behind in calls that never return
LEAVE = 0.3  # seconds that the source has from halt() on


class Taken(NamedTuple):
    """A frame and how long the source took to give it, in seconds."""

    frame: Frame
    seconds: float


class Feed:
    """The frames of a source, taken as they come.

    A live source is drained, so that take() gets the newest frame however slow its caller is; of other
    sources it gets every frame, in order. A source that raises SourceLost is closed and opened again, with
    growing pauses. One whose call never returns is left to its thread, and another instance is opened.

    Args:
        make: gives a new, unopened source.
        newest: the newest frame wins; None: where the source is live.
        give_up_after: seconds without a frame after which take() raises; None: never.
        notice: is told in one line when the source is lost and when it is back.

    `rate` is how many frames a second a clip was made for, where it says; `dropped` counts frames that came
    and that nobody took; `ended` says that take() has given the last frame.
    """

    def __init__(
        self,
        make: Callable[[], Source],
        newest: bool | None = None,
        give_up_after: float | None = None,
        notice: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._make = make
        source = make()
        self.title, self.live, self.named = source.title, source.live, source.named
        self._opened_as = self.title
        self.rate = None if source.live else source.rate
        self.newest = source.live if newest is None else newest
        self._give_up_after = give_up_after
        self._notice = notice
        self._slot: Slot[Taken] = Slot(self.newest, lambda taken: taken.frame.release())
        self._lock = threading.Lock()
        self._frames = 0
        self._last = time.monotonic()  # when the last frame came, or the start
        self._lost: str | None = None
        self._untold: deque[str] = deque()
        self._tries = 0
        self._next_try = 0.0
        self._over = False  # the source has given its last frame
        self._halted = 0.0  # when halt() was called
        self._error: BaseException | None = None  # why, unless it came to its end
        self.ended = False
        self._hanging: list[_Worker] = []
        self._worker = _Worker(self, source)

    @property
    def dropped(self) -> int:
        """Frames that came and that nobody took."""
        return self._slot.dropped

    @property
    def waiting(self) -> str | None:
        """What the feed is waiting for, in a line; None while frames come."""
        lost = self._lost
        if lost is None:
            return None
        pause = max(self._next_try - time.monotonic(), 0.0)
        when = f"next try in {pause:.0f} s" if pause >= 1 else "trying again"
        return f"waiting for {self.title}, {when}: {lost}"

    def start(self) -> None:
        """Opens the source, in the thread; take() raises what is wrong with it."""
        self._last = time.monotonic()
        self._worker.start()

    def take(self, timeout: float) -> Taken | None:
        """The next frame, to be released by the caller; None: there is none yet, or no more (`ended`).

        Raises UserError: the source is damaged, its options do not fit, or it gave nothing for too long.
        """
        over = self._over  # read first: what the source gave before its end is still in the slot
        taken = self._slot.take(0 if over else timeout)
        if taken is not None:
            return taken
        if over:
            self.ended = True
            if self._error is not None:
                raise self._error
        elif self.live:
            self._watch()
        return None

    def _watch(self) -> None:
        now = time.monotonic()
        if self._give_up_after is not None and now - self._last > self._give_up_after:
            reason = self._lost or "no frame came; check it and start again"
            raise UserError(f"{self.title} gave nothing for {now - self._last:.0f} s: {reason}")
        since = self._worker.busy_since
        if since is None or now - since <= _longest(self._worker.source):
            return
        self._hanging = [worker for worker in self._hanging if worker.is_alive()]
        if len(self._hanging) >= MOST_HANGING:
            self._lose("it hangs in its driver; starting edgecore again may help")
            self._tell()
            return
        with self._lock:
            if self._over:  # halt() came meanwhile, and would not stop another worker
                return
            self._hanging.append(self._worker)
            self._worker = _Worker(self, self._make())
            self._lose("it does not answer")
        self._tell()
        self._worker.start()

    def _lose(self, reason: str) -> None:
        reason = reason.removeprefix(self.title).lstrip()  # every line begins with the title
        if self._lost is None:
            what = "is lost" if self._frames else "cannot be opened"
            self._untold.append(f"{self.title} {what}: {reason}; trying again")
        self._lost = reason

    def _tell(self) -> None:
        """Hands on what there is to say; without the lock, as nobody knows how long that takes."""
        with suppress(IndexError):
            while True:
                self._notice(self._untold.popleft())

    def halt(self) -> None:
        """Tells the thread to end; nothing comes any more."""
        with self._lock:
            if not self._worker.stop.is_set():
                self._halted = time.monotonic()
            self._worker.stop.set()
            self._over = True
        self._slot.close()

    def close(self) -> bool:
        """Ends the thread; False when the source did not let go in time and was left to a daemon thread."""
        self.halt()
        if self._worker.ident is not None:
            self._worker.join(max(self._halted + LEAVE - time.monotonic(), 0.0))
        return not any(left.is_alive() for left in (self._worker, *self._hanging))

    # What the worker calls, in its thread.

    def current(self, worker: _Worker) -> bool:
        """Whether this worker is still the one whose frames count."""
        return worker is self._worker and not worker.stop.is_set()

    def deliver(self, worker: _Worker, frame: Frame, seconds: float) -> None:
        """A frame has come."""
        with self._lock:
            if not self.current(worker):
                frame.release()
                return
            numbered = frame if frame.index == self._frames else replace(frame, index=self._frames)
            self._frames += 1
            now = time.monotonic()
            if self._lost is not None:
                self._untold.append(f"{self.title} is back after {now - self._last:.1f} s")
                self._lost = None
            if worker.source.title != self._opened_as:  # the camera has not what it was asked for
                self._opened_as = worker.source.title
                self._untold.append(self._opened_as)
            self._tries = 0
            self._last = now
        self._tell()
        if not self._slot.put(Taken(numbered, seconds)):
            frame.release()

    def lost(self, worker: _Worker, reason: str) -> float:
        """The source is lost; how many seconds to wait before it is opened again."""
        with self._lock:
            if not self.current(worker):
                return 0.0
            self._lose(reason)
            pause = min(FIRST_PAUSE * 2**self._tries, LONGEST_PAUSE)
            self._tries = min(self._tries + 1, 16)
            self._next_try = time.monotonic() + pause
        self._tell()
        return pause

    def finish(self, worker: _Worker, error: BaseException | None) -> None:
        """The source has ended, for good."""
        with self._lock:
            if self.current(worker):
                self._error = error
                self._over = True
                self._slot.finish()


def _longest(source: Source) -> float:
    """Seconds after which a call into the source counts as hanging."""
    return 2 * source.timeout + PATIENCE


class _Worker(NativeThread):
    """Opens one source again and again, and hands over its frames, as long as the feed wants them of it."""

    def __init__(self, feed: Feed, source: Source) -> None:
        super().__init__(f"edgecore {source.title}", self._go_on, feed.halt, _longest(source))
        self.stop = threading.Event()
        self.source = source
        self.busy_since: float | None = None  # when the call into the source began that has not returned
        self._feed = feed

    def _go_on(self) -> None:
        error: BaseException | None = None
        try:
            while self._feed.current(self):
                try:
                    self._drain()
                    break
                except SourceLost as lost:
                    with suppress(Exception):  # what is lost need not close well
                        self._close()
                    self.stop.wait(self._feed.lost(self, str(lost)))
        except BaseException as caught:  # also what nobody foresaw: the loop has to hear of it
            error = caught
        try:
            self._close()
        except Exception as caught:
            error = error or caught
        self._feed.finish(self, error)

    def _drain(self) -> None:
        self.busy_since = time.monotonic()
        self.source.open()
        while self._feed.current(self):
            self.busy_since = begin = time.monotonic()
            frame = self.source.read()
            self.busy_since = None
            if frame is None:
                return
            self._feed.deliver(self, frame, time.monotonic() - begin)

    def _close(self) -> None:
        self.busy_since = time.monotonic()
        self.source.close()
        self.busy_since = None
