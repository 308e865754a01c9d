"""The loop for programs: `for result in edgecore.stream("picam:0", model): ...`."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path

from edgecore.camera import source_of
from edgecore.live.decision import Rules
from edgecore.live.loop import Loop, Settings
from edgecore.live.pacing import Pace
from edgecore.live.region import Region
from edgecore.live.result import Result
from edgecore.model import Model, load


def stream(
    source: str | os.PathLike[str] | None = None,
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
        source: a URI as `edgecore run` takes it, a path, a camera's number as text; None: the bundled clip.
        model: a loaded model, the path of one, or None for the bundled one.
        top: classes of a frame in `predictions`, at most.
        frames: stop after so many.
        newest: the newest frame wins; None: where the source is live.
        give_up_after: seconds without a frame after which UserError is raised; None: never.
        region: the part of the frame that the model sees, "X,Y,WIDTH,HEIGHT" in pixels or percent.
        rules: how `label` and `event` come about; None: a label has to win 8 of 10 frames,
            but of images each is for itself.
        max_fps: frames a second, at most.
        pictures: results carry their frame.
        notice: is told in one line, from another thread, when the source is lost and when it is back.

    Raises UserError: a bad argument, a source or a model that does not open or is damaged.
    """
    usual = Rules() if source_of(source).named else Rules(wins=8, frames=10)
    settings = Settings(
        top=top,
        frames=frames,
        newest=newest,
        give_up_after=give_up_after,
        region=Region.parse(region) if region is not None else None,
        rules=rules or usual,
        pace=Pace(max_fps),
        pictures=pictures,
        notice=notice or (lambda text: None),
    )
    opened = model if isinstance(model, Model) else load(model)
    loop = Loop(lambda: source_of(source), opened, settings)
    loop.start()
    try:
        while not loop.ended:
            result = loop.next()
            if result is not None:
                yield result
    finally:
        loop.close()
