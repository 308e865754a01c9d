"""The contract of everything that gives frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Frame:
    """One picture.

    Attributes:
        pixels: uint8, (height, width, 3) in `order`, or (height, width) grey.
        order: "BGR", "RGB" or "GREY".
        captured: when it was taken or arrived, in seconds of time.monotonic().
        index: its number, from 0.
        name: the file it came from, where every frame has its own.
    """

    pixels: np.ndarray
    order: str
    captured: float
    index: int
    name: str | None = None


class Source(ABC):
    """Frames, one after the other: open, next frame, close. Also a context manager and an iterator.

    Attributes:
        title: what a status line calls it.
        live: frames are lost when nobody takes them (a camera); else each waits its turn (a file).
        named: every frame has a file of its own.
    """

    title: str
    live: bool = False
    named: bool = False

    @abstractmethod
    def open(self) -> None:
        """Gets ready to give frames. Raises UserError when the source cannot."""

    @abstractmethod
    def read(self) -> Frame | None:
        """The next frame, or None after the last. Raises UserError when the source failed."""

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
