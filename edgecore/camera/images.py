"""Image files: one, or all in a folder."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from edgecore.camera.opencv import read_image
from edgecore.camera.source import Frame, Source
from edgecore.camera.throttle import Throttle
from edgecore.camera.uri import IMAGE_SUFFIXES, Uri, existing
from edgecore.errors import UserError

LOGGER = logging.getLogger(__name__)


class Images(Source):
    """An image file, or every image beneath a folder in the order of their paths, hidden ones left out.

    An image of a folder that cannot be read is skipped, counted and logged as a warning, once for each file;
    a folder of which none can be read is an error.

    Args:
        path: of the image or the folder.
        loop: begin again after the last image, for ever, with what then is in the folder; numbers go on.
        fps: give no more frames a second than this.

    Attributes:
        skipped: how often an image was left out since open().
    """

    named = True

    def __init__(self, path: Path, loop: bool = False, fps: float | None = None) -> None:
        self.title = str(path)
        self.skipped = 0
        self._path = path
        self._loop = loop
        self._throttle = Throttle(fps)
        self._folder = False
        self._files: list[Path] = []
        self._next = 0
        self._good = 0  # images that could be read in this round
        self._count = 0
        self._told: set[Path] = set()

    @classmethod
    def from_uri(cls, uri: Uri) -> Self:
        """`dir:photos/?loop=1&fps=5`, or the path of an image or a folder.

        Raises UserError when there is no such path.
        """
        return cls(existing(uri), uri.options.flag("loop"), uri.options.number("fps"))

    def open(self) -> None:
        self._folder = self._path.is_dir()
        self._list()
        self._count = self.skipped = 0
        self._told.clear()
        self._throttle.start()

    def _list(self) -> None:
        self._next = self._good = 0
        self._files = sorted(self._found()) if self._folder else [self._path]
        if not self._files:
            kinds = ", ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
            raise UserError(f"the folder {self._path} holds no images ({kinds}); name another")
        self._told.intersection_update(self._files)

    def _found(self) -> Iterator[Path]:
        # os.walk() passes over a folder that vanishes under it.
        for folder, inner, names in os.walk(self._path):
            inner[:] = [name for name in inner if not name.startswith(".")]
            for name in names:
                path = Path(folder, name)
                if path.suffix.lower() in IMAGE_SUFFIXES and not name.startswith(".") and path.is_file():
                    yield path

    def read(self) -> Frame | None:
        paced = False
        while self._next < len(self._files) or self._another_round():
            if not paced:
                self._throttle.wait()
                paced = True
            path = self._files[self._next]
            self._next += 1
            try:
                pixels = read_image(path)
            except UserError as error:
                self._skip(path, error)
                continue
            self._good += 1
            self._count += 1
            return Frame(pixels, "BGR", time.monotonic(), self._count - 1, str(path))
        return None

    def _another_round(self) -> bool:
        if self._loop and self._files:
            self._list()
        return self._next < len(self._files)

    def _skip(self, path: Path, error: UserError) -> None:
        """Goes on without a file, unless it was the last hope of this round."""
        if not self._good and self._next == len(self._files):
            if len(self._files) == 1:
                raise error
            raise UserError(f"no image in {self._path} can be read; {error}") from error
        self.skipped += 1
        if path not in self._told:
            self._told.add(path)
            LOGGER.warning("%s; skipped", error)

    def close(self) -> None:
        self._files = []
