"""A file that lines are appended to for months: rotated, whole after a power cut or a full disk."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import stat
import time
from pathlib import Path

from edgecore.errors import UserError
from edgecore.live.outputs.worker import Worker

PIPE_SECONDS = 0.5  # how long the reader of a pipe may take to make room
CLOSE_SECONDS = 0.5  # how long close() waits for the disk
TRANSIENT = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EAGAIN,
)  # the open file may still take lines later


class LineFile:
    """Appends lines, each given to the system at once and asked onto the disk every few seconds.

    `path` becomes `path.1`, that `path.2` and so on up to `keep` whenever the next line would make it
    larger than `rotate_bytes`. A file that is moved or removed from outside is made anew. A regular file is
    locked against a second writer. A pipe or a device (`/dev/stdout`) is written as it is.

    The disk is waited for in a thread, because a memory card can take a second for it.

    Raises:
        UserError: the file cannot be opened, or another program writes it.
    """

    def __init__(
        self, path: str | os.PathLike[str], rotate_bytes: int, keep: int, sync_seconds: float
    ) -> None:
        given = Path(path)
        # A device's link leads to whatever the shell has opened: that must not be moved away from it.
        self._device = _is_device(given.absolute())
        self.path = given if self._device else Path(os.path.realpath(given))
        self._rotate_bytes = rotate_bytes
        self._rotate_at = rotate_bytes
        self._keep = keep
        self._sync_seconds = sync_seconds
        self._fd: int | None = None
        self._regular = False
        self._torn = False  # the last line is incomplete and could not be cut off
        self._rest = b""  # of a line that a pipe took a part of
        self._dirty = False
        self._synced = 0.0
        self._sync_error: Exception | None = None
        self._syncer = Worker("edgecore-sync", _sync, 2, self._sync_failed, os.close)
        try:
            self._open()
        except OSError as error:
            if error.errno != errno.ENXIO:  # a pipe whose reader comes later
                raise UserError(f"{given} cannot be written: {error.strerror}; name another file") from error

    def _sync_failed(self, error: Exception) -> None:
        self._sync_error = error

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        fd = os.open(self.path, flags, 0o666)
        try:
            self._regular = stat.S_ISREG(os.fstat(fd).st_mode)
            if self._regular and not self._device:
                _lock(fd, self.path)
            # The last line of a writer that was cut short must not run into ours.
            self._torn = self._regular and not _ends_whole(self.path)
        except BaseException:
            os.close(fd)
            raise
        self._fd = fd
        self._rest = b""
        return fd

    def write(self, line: bytes) -> None:
        """Appends `line`, which ends with a newline and holds no other.

        Raises OSError, after which nothing of the line is in a regular file; the next call tries anew.
        """
        fd = self._current(len(line))
        if self._regular:
            self._append(fd, line)
            self._dirty = True
            now = time.monotonic()
            if now - self._synced >= self._sync_seconds:
                self._synced = now
                self._sync(fd)
        else:
            self._feed(fd, line)
        error, self._sync_error = self._sync_error, None
        if error is not None:
            raise error

    def _current(self, size: int) -> int:
        """The open file that the next `size` bytes belong into."""
        if self._fd is None:
            try:
                return self._open()
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
                raise UserError(f"nobody reads the pipe {self.path}; start its reader") from error
        if self._device or not self._regular:
            return self._fd
        own = os.fstat(self._fd)
        try:
            there = self.path.stat()
            moved = (there.st_ino, there.st_dev) != (own.st_ino, own.st_dev)
        except FileNotFoundError:
            moved = True
        if moved:
            self._release()
            return self._open()
        if own.st_size and own.st_size + size > self._rotate_at:
            return self._rotate(self._fd, own.st_size)
        return self._fd

    def _append(self, fd: int, line: bytes) -> None:
        start = os.fstat(fd).st_size
        data = memoryview(b"\n" + line if self._torn else line)
        try:
            while data:
                data = data[os.write(fd, data) :]
        except OSError as error:
            self._cut(fd, start)
            if error.errno not in TRANSIENT:
                self._release()
            raise
        self._torn = False

    def _cut(self, fd: int, size: int) -> None:
        try:
            if os.fstat(fd).st_size > size:
                os.ftruncate(fd, size)
        except OSError:
            self._torn = True  # the next line begins with a newline then

    def _feed(self, fd: int, line: bytes) -> None:
        data = memoryview(self._rest + line)
        owed = len(self._rest)
        until = time.monotonic() + PIPE_SECONDS
        poll = select.poll()
        poll.register(fd, select.POLLOUT)
        sent = 0
        try:
            while sent < len(data):
                try:
                    sent += os.write(fd, data[sent:])
                except BlockingIOError:
                    left = until - time.monotonic()
                    if left <= 0 or not poll.poll(left * 1e3):
                        raise
        except BlockingIOError as error:
            # A line that is begun is ended before the next; one that is not is lost.
            self._rest = bytes(data[sent:] if sent > owed else data[sent:owed])
            if sent <= owed:
                raise UserError(f"the reader of {self.path} takes nothing; let it read or end it") from error
        except OSError:
            self._release()  # the reader has gone; another may come
            raise
        else:
            self._rest = b""

    def _rotate(self, fd: int, size: int) -> int:
        """Moves the full file out of the way. Where that fails the file grows on: no line is lost for it."""
        if self._dirty:
            self._sync(fd)
        try:
            shift(self.path, self._keep)
        except OSError:
            self._rotate_at = size + self._rotate_bytes
            return fd
        self._rotate_at = self._rotate_bytes
        self._release()
        return self._open()

    def _sync(self, fd: int) -> None:
        self._dirty = False
        self._syncer.put(os.dup(fd))

    def _release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def close(self) -> None:
        """Waits for the disk, but not long, and lets go; write() must not follow."""
        if self._fd is not None and self._dirty:
            self._sync(self._fd)
        self._syncer.close(CLOSE_SECONDS)
        self._release()
        error, self._sync_error = self._sync_error, None
        if error is not None:
            raise error


def rotated(path: Path) -> list[Path]:
    """`path.1`, `path.2` and so on, as far as there are any, in the order of their numbers."""
    found = []
    for other in path.parent.glob("*"):
        number = other.name.removeprefix(path.name + ".")
        numbered = number != other.name and number.isascii() and number.isdecimal() and number[0] != "0"
        if numbered and other.is_file():  # no folder, and no link that leads nowhere
            found.append((int(number), other))
    return [other for _, other in sorted(found)]


def shift(path: Path, keep: int) -> None:
    """`path` becomes `path.1`, that `path.2` and so on up to `path.<keep>`; the one before is gone.

    The oldest goes first, so that nothing is lost when the power is cut half-way. With `keep` 0 `path` is
    removed.
    """
    if keep == 0:
        path.unlink()
        return
    names = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, keep + 1))]
    free = next((place for place, name in enumerate(names) if not name.exists()), keep)
    for place in range(free, 0, -1):
        names[place - 1].replace(names[place])


def _is_device(path: Path) -> bool:
    return path.is_relative_to("/proc") or (
        path.is_relative_to("/dev") and not path.is_relative_to("/dev/shm")
    )


def _sync(fd: int) -> None:
    try:
        os.fdatasync(fd)
    finally:
        os.close(fd)


def _lock(fd: int, path: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(f"{path} is being written by another program; name another file") from None
    except OSError:
        return  # a file system without locks (some network folders)


def _ends_whole(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if size == 0:
                return True
            file.seek(size - 1)
            return file.read(1) == b"\n"
    except OSError:
        return False  # it may be written but not read: an empty line does no harm
