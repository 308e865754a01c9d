"""A clip on the disk that plays up to its last fragment, whatever happens while it is written.

OpenCV hands an mp4's index over with its last byte only, keeps a quarter of a megabyte to itself, and never
says that a disk is full. FFmpeg's "ismv" container is an mp4 in fragments of about a dozen frames, each with
its own index, and on a pipe each is handed over when it is complete. So OpenCV writes into a pipe, and what
comes out of it is written here, whole fragments at a time.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PIPE_BYTES = 1 << 20  # how far the encoder may be ahead of the disk
SYNC_SECONDS = 5.0
CLOSE_SECONDS = 0.5
# The plain brands of a fragmented mp4 in place of those of Microsoft's streaming server.
BRANDS = b"iso5" + (512).to_bytes(4, "big") + b"iso5mp41"


@contextmanager
def named_pipe() -> Iterator[tuple[Path, int]]:
    """(path, its reading end): the name is gone after the block, the reading end belongs to the caller."""
    with tempfile.TemporaryDirectory(prefix="edgecore-", dir=_memory_folder()) as folder:
        path = Path(folder) / "clip.ismv"
        os.mkfifo(path, 0o600)
        reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            yield path, reading
        except BaseException:
            os.close(reading)
            raise


def _memory_folder() -> str | None:
    """A pipe's name costs no disk where there is a file system in memory."""
    shared = "/dev/shm"
    return shared if os.access(shared, os.W_OK | os.X_OK) else None


class FragmentFile:
    """Copies a fragmented mp4 from a pipe to a new file, in a thread, until the pipe is closed.

    The file never ends within a fragment: one that does not fit on the disk is taken back whole, and what
    comes after it is thrown away.

    Attributes:
        path: of the file.
        error: why nothing more is written.
        fragments: how many are in the file.

    Raises:
        FileExistsError: `path` is there already.
        OSError: it cannot be made.
    """

    def __init__(self, path: Path, reading: int) -> None:
        self.path = path
        self.error: OSError | None = None
        self.fragments = 0
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        self._reading = reading
        self._size = 0
        self._synced = time.monotonic()
        os.set_blocking(reading, True)
        with suppress(OSError):  # the user's share of pipe memory is used up: the usual 64 KiB will do
            fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._thread = threading.Thread(target=self._run, name="edgecore-clip", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        pending = bytearray()
        try:
            while chunk := os.read(self._reading, 1 << 16):
                if self.error is None:
                    pending += chunk
                    self._take(pending)
        finally:
            os.close(self._reading)
            self._sync()
            os.close(self._file)

    def _take(self, pending: bytearray) -> None:
        """Writes the boxes at the start of `pending` that are complete, an index with its pictures."""
        done = 0
        end = 0
        while len(pending) - end >= 8:
            size, kind = int.from_bytes(pending[end : end + 4], "big"), bytes(pending[end + 4 : end + 8])
            if size == 1 and len(pending) - end >= 16:
                size = int.from_bytes(pending[end + 8 : end + 16], "big")
            if size < 8 or len(pending) - end < size:
                break
            if kind == b"ftyp" and size == 8 + len(BRANDS):
                pending[end + 8 : end + size] = BRANDS
            end += size
            if kind != b"moof":  # its pictures follow in the next box
                self._write(memoryview(bytes(pending[done:end])))
                self.fragments += kind == b"mdat" and self.error is None
                done = end
        del pending[:done]

    def _write(self, data: memoryview) -> None:
        if self.error is not None:
            return
        start, self._size = self._size, self._size + len(data)
        try:
            while data:
                data = data[os.write(self._file, data) :]
            if time.monotonic() - self._synced >= SYNC_SECONDS:
                self._sync()
        except OSError as error:
            self.error = error
            self._size = start
            os.ftruncate(self._file, start)

    def _sync(self) -> None:
        self._synced = time.monotonic()
        try:
            os.fdatasync(self._file)
        except OSError as error:
            self.error = self.error or error

    def gone(self) -> bool:
        """Whether somebody has removed or replaced the file."""
        try:
            there = self.path.stat()
            mine = os.fstat(self._file)
        except OSError:
            return True
        return (there.st_ino, there.st_dev) != (mine.st_ino, mine.st_dev)

    def close(self) -> None:
        """Waits until all is written, but not long; the writing end must be closed. Removes an empty clip."""
        self._thread.join(CLOSE_SECONDS)
        if not self.fragments and not self._thread.is_alive():
            self.path.unlink(missing_ok=True)
