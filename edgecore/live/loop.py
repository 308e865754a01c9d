"""Capture, preprocess, infer, publish: the loop behind `edgecore run` and `edgecore.stream`.

Three threads hand frames on through slots that hold one: the feed captures, a second one preprocesses into
the model's input and infers, the caller publishes. The frame rate is that of the slowest of them.
Preprocessing and inference are one stage: they share the model's input tensor, which is written in place.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from edgecore.camera.source import Frame, Source
from edgecore.live.classes import ClassMap
from edgecore.live.decision import Decider, Rules
from edgecore.live.feed import Feed, Taken
from edgecore.live.pacing import Pace
from edgecore.live.region import Region
from edgecore.live.result import Result
from edgecore.live.slot import Slot
from edgecore.live.threads import NativeThread
from edgecore.model import ranked

if TYPE_CHECKING:
    from edgecore.live.reload import Reloader
    from edgecore.model import Model

TICK = 0.1  # seconds between looks at whether to stop
LEAVE = 0.5  # seconds that close() gives the inference under way
PATIENCE = 5.0  # seconds that the interpreter's end gives it


@dataclass
class Settings:
    """What a loop does beside classifying.

    Attributes:
        top: classes of a frame in `Result.predictions`, at most.
        frames: stop after so many; None: when the source ends.
        newest: the newest frame wins, older ones are dropped; None: where the source is live.
        give_up_after: seconds without a frame after which the run fails; None: it waits for ever.
        region: the part of the frame that the model sees; None: all.
        rules: how the label that counts comes about.
        classes: the class map, made for a model's labels; None: the model's classes as they are.
        pace: holds the frame rate down.
        pictures: results keep their frames.
        reloader: where newer models come from.
        notice: is told, in a line each, what happens beside the results; from any thread.
    """

    top: int = 5
    frames: int | None = None
    newest: bool | None = None
    give_up_after: float | None = None
    region: Region | None = None
    rules: Rules = field(default_factory=Rules)
    classes: Callable[[Model], ClassMap] | None = None
    pace: Pace = field(default_factory=Pace)
    pictures: bool = False
    reloader: Reloader | None = None
    notice: Callable[[str], None] = lambda text: None


class Loop:
    """The results of a source's frames.

    start() it, take results with next() until `ended`, and close() it. Where the newest frame wins, the
    newest result does too, so that a slow caller gets no old ones; none of the events is lost.

    Args:
        source: gives a new, unopened source each time it is called.
        model: a classifier; while the loop runs nobody else may use it.
    """

    def __init__(self, source: Callable[[], Source], model: Model, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.feed = Feed(source, self.settings.newest, self.settings.give_up_after, self.settings.notice)
        self.ended = False
        self._model = model
        self._out: Slot[Result] = Slot(self.feed.newest, join=_joined)
        self._stop = threading.Event()
        self._stopping = False
        self._error: BaseException | None = None
        self._over = False
        self._thread = NativeThread("edgecore inference", self._run, self.halt, PATIENCE)

    def start(self) -> None:
        """Opens the source and begins, in threads; next() raises what is wrong with it."""
        self.feed.start()
        self._thread.start()

    def next(self, timeout: float = TICK) -> Result | None:
        """The next result; None: there is none yet, or no more (`ended`).

        Raises UserError: the source or the model cannot go on.
        """
        over = self._over  # read first: what was made before the end is still in the slot
        result = self._out.take(0 if over else timeout)
        if result is None and over:
            self.ended = True
            if self._error is not None:
                raise self._error
        return result

    def stop(self) -> None:
        """Ends the loop after the inference under way, whose result next() still gives.

        A signal's handler may call it.
        """
        if not self._stopping:  # the handler may have interrupted set(), which holds a lock
            self._stopping = True
            self._stop.set()

    def halt(self) -> None:
        """Tells every thread to end; next() gives nothing any more."""
        self.stop()
        self._out.close()
        self.feed.halt()

    def close(self) -> bool:
        """Ends everything; False when a thread hangs in a driver and was left behind."""
        self.halt()
        let_go = self.feed.close()
        if self._thread.ident is not None:
            self._thread.join(LEAVE)
        return let_go and not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._infer_all()
        except BaseException as error:  # the caller's thread raises it
            self._error = error
        if self.settings.reloader is not None:
            self.settings.reloader.close()
        self._over = True
        self._out.finish()

    def _infer_all(self) -> None:
        settings = self.settings
        stage = _Stage(self._model, settings, self.feed.rate)
        count = following = 0
        due = False
        while not self._stop.is_set():
            if settings.frames is not None and count - self._out.dropped >= settings.frames:
                return
            if settings.reloader is not None:
                model = settings.reloader.poll(time.monotonic(), following)
                if model is not None:
                    stage = stage.with_model(model)
            due = due or settings.pace.wait(self._stop)
            taken = self.feed.take(TICK)
            if taken is None:
                if self.feed.ended:
                    return
                continue
            due = False
            result = stage.result(taken, self.feed.dropped + self._out.dropped)
            if result.event is not None:
                settings.pace.changed()
            count += 1
            following = result.index + 1
            if not self._out.put(result):
                return


def _joined(old: Result, new: Result) -> Result | None:
    """The newer result, with the event of the one that it takes the place of; None: each has its own."""
    if old.event is None:
        return new
    return None if new.event is not None else replace(new, event=old.event)


class _Stage:
    """A model, and what its answers pass through."""

    def __init__(self, model: Model, settings: Settings, rate: float | None) -> None:
        self._model = model
        self._rate = rate
        self._settings = settings
        self._classes = settings.classes(model) if settings.classes is not None else None
        self._labels = self._classes.labels if self._classes is not None else model.labels
        self._decider = Decider(self._labels, settings.rules)

    def with_model(self, model: Model) -> _Stage:
        """The same with another model; where its labels are the same ones, the label that counts stays."""
        stage = _Stage(model, self._settings, self._rate)
        if stage._labels == self._labels:
            stage._decider = self._decider
        return stage

    def result(self, taken: Taken, dropped: int) -> Result:
        """Preprocesses, infers and decides."""
        frame = taken.frame
        clock = time.perf_counter
        begin = clock()
        try:
            region = self._settings.region
            box = region.box(frame.width, frame.height) if region is not None else None
            self._model.prepare(frame.pixels, frame.order, frame.columns, frame.colour, box)
        finally:
            kept = _kept(frame) if self._settings.pictures else None
            frame.release()
        prepared = clock()
        self._model.infer()
        scores = self._model.scores()
        if self._classes is not None:
            scores = self._classes.apply(scores)
        predictions = ranked(scores, self._labels, self._settings.top)
        # A clip is smoothed over its own seconds, however fast this machine takes it.
        moment = frame.index / self._rate if self._rate is not None else None
        label, score, event = self._decider.decide(scores, frame.captured, frame.index, moment)
        done = clock()
        stages = {"read": taken.seconds, "preprocess": prepared - begin, "inference": done - prepared}
        latency = time.monotonic() - frame.captured
        return Result(
            index=frame.index,
            name=frame.name,
            predictions=predictions,
            stages=stages,
            latency=latency,
            label=label,
            score=score,
            event=event,
            frame=kept,
            dropped=dropped,
            captured=time.time() - latency,
            clock=frame.clock,
        )


def _kept(frame: Frame) -> Frame:
    """A frame that stays valid: of memory that belongs to the camera, a copy."""
    return frame if frame.on_release is None else replace(frame, pixels=frame.pixels.copy(), on_release=None)
