"""Where results go beside the terminal: files, clips, pictures, commands, a window."""

from __future__ import annotations

from typing import Protocol

from edgecore.live.result import Result


class Output(Protocol):
    """One place that results go to.

    publish() and close() may raise OSError or UserError (a full disk, a folder that is gone): the loop says
    so once, goes on, and tries again later; an output must therefore stay usable after it raised.
    """

    title: str
    pictures: bool  # whether it needs the results' frames

    def publish(self, result: Result) -> None:
        """One result."""

    def close(self) -> None:
        """Writes what is still held and lets go; may be called twice."""
