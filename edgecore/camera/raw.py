"""Raw frames on standard input, from any program that writes them."""

from __future__ import annotations

import os
import select
import sys
import time
from typing import Self

from edgecore.camera.layout import shape_of
from edgecore.camera.source import COLOURS, FORMATS, Frame, Source
from edgecore.camera.throttle import Throttle
from edgecore.camera.uri import Uri
from edgecore.errors import UserError

EXAMPLE = "ffmpeg -i clip.mp4 -s 640x360 -f rawvideo -pix_fmt bgr24 - | edgecore run '-?size=640x360'"
LONGEST = 2**31 - 1  # milliseconds that poll() can wait


class RawFrames(Source):
    """Frames of one size and format from a file descriptor, byte after byte without anything between.

    Opening it again goes on where the stream is: a pipe has no beginning to go back to.

    Args:
        size: (width, height) in pixels.
        order: one of FORMATS, rows dense.
        colour: one of COLOURS, for planar frames.
        fps: give no more frames a second than this; the writer has to wait.
        timeout: seconds without a byte that end the run; None: wait for ever.
        descriptor: where to read; None: standard input.
    """

    title = "stdin"

    def __init__(
        self,
        size: tuple[int, int],
        order: str = "BGR",
        colour: str = "bt601",
        fps: float | None = None,
        timeout: float | None = None,
        descriptor: int | None = None,
    ) -> None:
        self._shape = shape_of(order, *size, "-")
        self._order = order
        self._colour = colour
        self._timeout = timeout
        self._given = descriptor
        self._descriptor: int | None = None
        self._poll = select.poll()
        self._throttle = Throttle(fps)
        self._count = 0

    @classmethod
    def from_uri(cls, uri: Uri) -> Self:
        """`-?size=640x480&format=RGB&fps=30&timeout=10`. Raises UserError without a size."""
        options = uri.options
        size = options.size("size")
        if size is None:
            raise UserError("raw frames do not say how large they are; give it: '-?size=640x480'")
        order = options.choice("format", FORMATS, "BGR")
        colour = options.choice("colour", COLOURS, "bt601")
        return cls(size, order, colour, options.number("fps"), options.number("timeout"))

    def open(self) -> None:
        descriptor = self._given
        if descriptor is None:
            try:
                descriptor = sys.stdin.fileno()
            except (AttributeError, OSError, ValueError):
                raise UserError(f"there is no standard input; try {EXAMPLE}") from None
        if os.isatty(descriptor):
            raise UserError(f"standard input is a terminal; pipe raw frames into it: {EXAMPLE}")
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._descriptor = descriptor
        self._count = 0
        self._throttle.start()

    def read(self) -> Frame | None:
        import numpy as np

        if self._descriptor is None:
            return None
        self._throttle.wait()
        pixels = np.empty(self._shape, np.uint8)
        memory = pixels.data.cast("B")
        got = 0
        while got < len(memory):
            count = self._receive(self._descriptor, memory[got:])
            if not count and not got:
                if not self._count:
                    raise UserError("standard input gave no frame; check the program that writes to it")
                return None
            if not count:
                raise UserError(
                    f"standard input ended with {got} of the {len(memory)} bytes of frame {self._count}; "
                    "check that size and format are the sender's"
                )
            got += count
        self._count += 1
        return Frame(pixels, self._order, time.monotonic(), self._count - 1, colour=self._colour)

    def _receive(self, descriptor: int, memory: memoryview) -> int:
        """How many bytes came; 0 at the end of the stream."""
        wait = None if self._timeout is None else min(self._timeout * 1e3, LONGEST)
        while self._poll.poll(wait):
            try:
                return os.readv(descriptor, [memory])
            except BlockingIOError:  # the descriptor does not block, and another process was faster
                continue
            except OSError as error:
                raise UserError(f"standard input cannot be read: {error.strerror}") from error
        raise UserError(
            f"standard input gave nothing for {self._timeout:g} s; check the program that writes to it"
        )

    def close(self) -> None:
        self._descriptor = None  # it is not this source's to close
