"""Images out of folders and zips: bytes, and the frames that they decode to."""

from __future__ import annotations

import lzma
import os
import stat
import struct
import threading
import zipfile
import zlib
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from edgecore.camera.opencv import cut_off, opencv
from edgecore.camera.uri import MAX_SIDE
from edgecore.errors import UserError

MAX_BYTES = 1 << 28  # of one image file; a member of a zip may claim any size
# What zipfile and its decompressors raise besides OSError for damaged, encrypted or unknown content.
ZIP_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    KeyError,
    RuntimeError,
    ValueError,
)
PNG, PNG_END = b"\x89PNG", b"IEND"


class Unusable(Exception):
    """An image cannot be read or decoded; the text is the reason, in a few words."""


def decoded(data: bytes) -> NDArray[np.uint8]:
    """An image file's pixels, uint8 (height, width, 3), blue-green-red, as the device's sources decode it.

    A picture is turned as its EXIF orientation says; an alpha channel is dropped, not blended; of 16 bits the
    upper 8 stay; grey is repeated in the three channels.

    Raises Unusable, also for a JPEG that ends too early, whose rest OpenCV would make up in grey, and for a
    PNG, of which libpng would tell stderr.
    """
    if not data:
        raise Unusable("empty")
    if cut_off(data) or (data.startswith(PNG) and PNG_END not in data):
        raise Unusable("ends too early")
    cv2 = opencv()
    try:
        frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # more pixels than OpenCV's limit
        frame = None
    if frame is None:
        raise Unusable("does not decode")
    if max(frame.shape) > MAX_SIDE:
        raise Unusable(f"more than {MAX_SIDE} pixels a side")
    return np.asarray(frame, np.uint8)


class Reader:
    """Reads the images of a folder or zip by their names inside; threads may share one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._archive: zipfile.ZipFile | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the zip; the next image opens it again."""
        with self._lock:
            if self._archive:
                self._archive.close()
                self._archive = None

    def frame(self, name: str) -> NDArray[np.uint8]:
        """The decoded image, see `decoded`.

        Raises:
            Unusable: this image cannot be read or decoded.
            UserError: the folder or zip itself is gone.
        """
        return decoded(self._bytes(name))

    def _bytes(self, name: str) -> bytes:
        try:
            return self._member(name) if self._path.is_file() else self._file(name)
        except OSError as error:
            if not os.access(self._path, os.R_OK):
                raise UserError(f"{self._path} can no longer be read; bring it back, start again") from error
            raise Unusable(f"cannot be read: {error.strerror or error}") from error
        except ZIP_DAMAGE as error:
            raise Unusable("damaged in the zip") from error

    def _file(self, name: str) -> bytes:
        path = self._path / name
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):  # a named pipe would be waited for
            raise Unusable("is no file")
        _check_size(facts.st_size)
        return path.read_bytes()

    def _member(self, name: str) -> bytes:
        with self._lock:
            if self._archive is None:
                self._archive = zipfile.ZipFile(self._path)
            _check_size(self._archive.getinfo(name).file_size)
            return self._archive.read(name)


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise Unusable(f"larger than {MAX_BYTES >> 20} MiB")
