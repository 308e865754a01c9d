"""`--show`: a window with the frames and their overlay."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from edgecore.errors import UserError
from edgecore.live.outputs.drawing import Drawing
from edgecore.live.outputs.worker import Worker
from edgecore.live.result import Result
from edgecore.live.viewer import CLOSED, NO_DISPLAY, NO_WINDOWS

if TYPE_CHECKING:
    import numpy as np

START_SECONDS = 15.0
CLOSE_SECONDS = 0.3


class Window:
    """A window; q, Esc or its button closes it for good.

    It lives in a process of its own, see `edgecore.live.viewer`. A window that is slower than the frames
    come shows the newest.

    Args:
        title: in its title bar.
        draw: as in Drawing.

    Raises:
        UserError: this OpenCV has no windows, or there is no display.
    """

    pictures = True

    def __init__(self, title: str = "edgecore", draw: Callable[..., np.ndarray] | None = None) -> None:
        self.title = "window"
        self._drawing = Drawing(draw)
        self._process = _start(title)
        self._worker = Worker("edgecore-window", self._send, 1, lambda error: None)

    @property
    def closed(self) -> bool:
        """Whether the user has closed it."""
        return self._process.poll() == CLOSED

    def publish(self, result: Result) -> None:
        """Shows a frame; never waits for the window. Raises UserError: the window or its display is gone."""
        status = self._process.poll()
        if status == CLOSED:
            return
        if status is not None:
            raise UserError("its display has gone; start again to have it back")
        picture = self._drawing(result)
        if picture is not None:
            self._worker.put(picture)

    def _send(self, picture: np.ndarray) -> None:
        assert self._process.stdin is not None
        height, width = picture.shape[:2]
        self._process.stdin.write(height.to_bytes(4, "little") + width.to_bytes(4, "little"))
        self._process.stdin.write(picture.data)
        self._process.stdin.flush()

    def close(self) -> None:
        """Takes the window away; it is killed when it does not go by itself."""
        self._process.terminate()
        try:
            self._process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._worker.close(CLOSE_SECONDS)
        _let_go(self._process)


def _start(title: str) -> subprocess.Popen[bytes]:
    """The process, when its window is there."""
    process = subprocess.Popen(
        [sys.executable, "-m", "edgecore.live.viewer", title],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the loop, which then closes the window
    )
    assert process.stdout is not None
    answered = select.select([process.stdout], [], [], START_SECONDS)[0]
    if answered and os.read(process.stdout.fileno(), 64):
        return process
    process.kill()
    status = process.wait()
    _let_go(process)
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if status == NO_WINDOWS:
        raise UserError(
            "this OpenCV has no windows; install opencv-python in place of opencv-python-headless"
        )
    if status == NO_DISPLAY:
        raise UserError(
            "there is no display to show a window on (DISPLAY is not set); start it on the desktop, "
            "or with ssh -X"
        )
    raise UserError(f"no window can be shown on the display {display}; check DISPLAY, or leave out --show")


def _let_go(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:  # what it still held has no reader any more
                continue
