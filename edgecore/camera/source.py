"""The contract of everything that gives frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from edgecore.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from edgecore.camera.uri import Uri

FORMATS = ("BGR", "RGB", "GREY", "YUV420", "NV12")
PLANAR = ("YUV420", "NV12")
COLOURS = ("bt601", "bt709", "jpeg")
TIMEOUT = 3.0  # seconds that open() and read() of a live source may take unless its URI says otherwise


class SourceLost(UserError):
    """The source gives nothing now; opening it again may help (a network, a cable, a camera that hangs)."""


@dataclass(frozen=True)
class Frame:
    """One picture. Its pixels are valid until `release()`.

    Attributes:
        pixels: uint8. BGR and RGB: (height, width, 3); GREY: (height, width); rows may lie apart.
            YUV420 (I420) and NV12: (height * 3 / 2, stride), as cameras give it: `height` luma rows of
            `stride` bytes, then for NV12 height / 2 rows with U and V in turns, for YUV420 the U and then the
            V plane, height / 2 rows of stride / 2 bytes each.
        order: one of FORMATS.
        captured: in seconds of time.monotonic(); `clock` says of what.
        index: its number, from 0.
        name: the file it came from, where every frame has its own.
        clock: "exposure" where `captured` is when the sensor began to see it, else "arrival".
        columns: how many columns of planar `pixels` are picture; None: all.
        colour: one of COLOURS, what YUV means: the matrix of BT.601 or BT.709 in limited range, or "jpeg",
            BT.601's in full range.
        on_release: gives the pixels' memory back to the camera.
    """

    pixels: np.ndarray
    order: str
    captured: float
    index: int
    name: str | None = None
    clock: str = "arrival"
    columns: int | None = None
    colour: str = "bt601"
    on_release: Callable[[], None] | None = None

    @property
    def planar(self) -> bool:
        """Whether luma and chroma lie in planes of their own."""
        return self.order in PLANAR

    @property
    def height(self) -> int:
        """Rows of the picture."""
        rows: int = self.pixels.shape[0]
        return rows * 2 // 3 if self.planar else rows

    @property
    def width(self) -> int:
        """Columns of the picture."""
        columns: int = self.pixels.shape[1]
        return columns if self.columns is None else self.columns

    def release(self) -> None:
        """Tells the source that nobody looks at the pixels any more; to be called once."""
        if self.on_release is not None:
            self.on_release()


class Source(ABC):
    """Frames, one after the other: open, next frame, close. Also a context manager and an iterator.

    Attributes:
        title: what a status line calls it; no passwords.
        live: frames are lost when nobody takes them (a camera); else each waits its turn (a file).
        named: every frame has a file of its own.
        timeout: seconds that open() and read() of a live source may take.
    """

    title: str
    live: bool = False
    named: bool = False
    timeout: float = TIMEOUT

    @property
    def rate(self) -> float | None:
        """Frames a second that a video was made for; None: its file does not say, or it is none."""
        return None

    @classmethod
    @abstractmethod
    def from_uri(cls, uri: Uri) -> Self:
        """The source that a URI of its scheme describes, not opened.

        Raises UserError: a bad target or option.
        """

    @abstractmethod
    def open(self) -> None:
        """Gets ready to give frames, within a few seconds.

        Raises SourceLost when trying again may help, UserError when it does not.
        """

    @abstractmethod
    def read(self) -> Frame | None:
        """The next frame, or None after the last.

        Raises SourceLost: a live source gives none in time. UserError: the source is damaged.
        """

    @abstractmethod
    def close(self) -> None:
        """Gives back what open() took; may be called twice."""

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        while (frame := self.read()) is not None:
            yield frame
