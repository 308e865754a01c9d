"""The loop for programs: `for result in edgecore.stream("picam:0", model): ...`."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path
from weakref import WeakSet

from edgecore.camera import source_of
from edgecore.errors import UserError
from edgecore.live.decision import Rules, usual_confirmation
from edgecore.live.loop import Loop, Settings
from edgecore.live.pacing import Pace
from edgecore.live.region import Region
from edgecore.live.result import Result
from edgecore.model import Model, load

_IN_USE: WeakSet[Model] = WeakSet()  # two loops in one interpreter would mix their frames up


def stream(
    source: str | os.PathLike[str] | int | None = None,
    model: Model | str | Path | None = None,
    *,
    top: int = 5,
    frames: int | None = None,
    newest: bool | None = None,
    give_up_after: float | None = None,
    region: str | None = None,
    rules: Rules | None = None,
    max_fps: float | None = None,
    pictures: bool = True,
    notice: Callable[[str], None] | None = None,
) -> Generator[Result, None, None]:
    """The model's answers to a source's frames, as they come, until the source ends.

    Capture and inference go on in threads of their own while the caller works on a result. A caller that is
    slower than a camera gets the newest frame each time; of a file it gets every frame. A camera that is lost
    is opened again.

    Args:
        source: a URI as `edgecore run` takes it, a path, a camera's number; None: the bundled clip.
        model: a loaded model, the path of one, or None for the bundled one.
        top: classes of a frame in `predictions`, at most.
        frames: stop after so many.
        newest: the newest frame wins; None: where the source is live.
        give_up_after: seconds without a frame after which UserError is raised; None: never.
        region: the part of the frame that the model sees, "X,Y,WIDTH,HEIGHT" in pixels or percent.
        rules: how `label` and `event` come about; None: a label has to win 8 of 10 frames; of
            images each is for itself.
        max_fps: frames a second, at most.
        pictures: results carry their frame.
        notice: is told in one line, from another thread, when the source is lost and when it is back.

    Raises UserError: a bad argument or model, a model that another stream uses; from the iteration, a source
    that does not open or is damaged.
    """
    if top < 1:
        raise UserError(f"top is {top}; give 1 or more")
    if frames is not None and frames < 1:
        raise UserError(f"frames is {frames}; give 1 or more, or None")
    if give_up_after is not None and not give_up_after > 0:
        raise UserError(f"give_up_after is {give_up_after}; give seconds above 0, or None")
    named = source_of(source).named
    settings = Settings(
        top=top,
        frames=frames,
        newest=newest,
        give_up_after=give_up_after,
        region=Region.parse(region) if region is not None else None,
        rules=rules or Rules.from_texts(confirm=usual_confirmation(named)),
        pace=Pace(max_fps),
        pictures=pictures,
        notice=notice or (lambda text: None),
    )
    opened = model if isinstance(model, Model) else load(model)
    return _results(Loop(lambda: source_of(source), opened, settings), opened)


def _results(loop: Loop, model: Model) -> Generator[Result, None, None]:
    if model in _IN_USE:
        raise UserError(f"another stream uses the model {model.name}; load it once more for this one")
    _IN_USE.add(model)
    try:
        loop.start()
        while not loop.ended:
            result = loop.next()
            if result is not None:
                yield result
    finally:
        loop.close()
        _IN_USE.discard(model)
