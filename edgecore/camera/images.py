"""Image files: one, or all in a folder."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Self

from edgecore.camera.opencv import read_image
from edgecore.camera.source import Frame, Source
from edgecore.camera.uri import IMAGE_SUFFIXES, Uri, existing
from edgecore.errors import UserError


class Images(Source):
    """An image file, or every image beneath a folder in the order of their paths, hidden ones left out."""

    named = True

    def __init__(self, path: Path) -> None:
        self.title = str(path)
        self._path = path
        self._files: list[Path] = []
        self._next = 0

    @classmethod
    def from_uri(cls, uri: Uri) -> Self:
        """`dir:photos/`, or the path of an image or a folder. Raises UserError when there is no such path."""
        return cls(existing(uri))

    def open(self) -> None:
        self._next = 0
        if not self._path.is_dir():
            self._files = [self._path]
            return
        self._files = sorted(path for path in self._path.rglob("*") if self._takes(path))
        if not self._files:
            kinds = ", ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
            raise UserError(f"the folder {self._path} holds no images ({kinds}); name another")

    def _takes(self, path: Path) -> bool:
        parts = path.relative_to(self._path).parts
        return (
            path.suffix.lower() in IMAGE_SUFFIXES
            and not any(part.startswith(".") for part in parts)
            and path.is_file()
        )

    def read(self) -> Frame | None:
        if self._next >= len(self._files):
            return None
        path = self._files[self._next]
        pixels = read_image(path)
        frame = Frame(pixels, "BGR", time.monotonic(), self._next, str(path))
        self._next += 1
        return frame

    def close(self) -> None:
        self._files = []
