"""`--save-uncertain DIR`: pictures that the model is not sure of, to label and train with."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from edgecore.camera.opencv import opencv
from edgecore.camera.picture import bgr_of
from edgecore.errors import UserError
from edgecore.live.outputs.lines import LineFile
from edgecore.live.outputs.worker import Worker
from edgecore.live.result import Result

if TYPE_CHECKING:
    import numpy as np

BOUNDS = (0.3, 0.7)
EVERY = 2.0  # seconds
SIZE = 200 << 20  # bytes
QUALITY = 95  # of the JPEG: what it loses is less than a camera's noise, at a fifth of a PNG's size
SCORES = "scores.jsonl"
WAITING = 2  # pictures
CLOSE_SECONDS = 0.5
SYNC_SECONDS = 5.0
PARTIAL = ".part"
UNFINISHED = f"*/.[0-9]*T[0-9]*-*.jpg{PARTIAL}"  # as _write() names them: the user may have files like them
LONGEST_NAME = 60  # bytes of a label in the name of a file or folder
PROBE = b"\0" * 65536


class _Job(NamedTuple):
    """A picture to save; without one, whether the disk takes anything again."""

    picture: np.ndarray | None
    result: Result | None
    when: float


class Uncertain:
    """Saves frames whose best score lies between two bounds, as a folder that `edgecore train` takes.

    A picture is `<folder>/<best label>/<UTC time>-<score>-<label>.jpg`, without an overlay, in full or not
    at all; whoever knows better moves it to another label's folder. `scores.jsonl` has a line for each, as
    `--out` writes it, with "picture" for its name. What is slow about it is done in a thread.

    Args:
        folder: made where it is missing.
        bounds: lowest and highest best score, of the frame alone.
        every: seconds between two pictures.
        size: bytes that may lie in the folder, with what lies there already; then nothing more is saved,
            until something is taken away.
        notice: is told when the folder is full.

    Raises:
        UserError: the folder cannot be made or written, or another program saves there.
    """

    pictures = True

    def __init__(
        self,
        folder: str | os.PathLike[str],
        bounds: tuple[float, float] = BOUNDS,
        every: float = EVERY,
        size: int = SIZE,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        self.title = os.fspath(folder)
        self._folder = Path(folder)
        self._low, self._high = bounds
        self._every = every
        self._limit = size
        self._notice = notice
        self._last: float | None = None
        self._error: Exception | None = None
        self._told = False
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._scores = LineFile(
                self._folder / SCORES, size, 1, SYNC_SECONDS
            )  # nobody else saves here now
            for partial in self._folder.glob(UNFINISHED):  # of a run that a power cut ended
                partial.unlink(missing_ok=True)
            self._try()
            self._used = used_bytes(self._folder)
        except OSError as error:
            raise UserError(
                f"pictures cannot be saved in {folder}: {error.strerror}; name another folder"
            ) from error
        self._changed = changes(self._folder)
        self._worker = Worker("edgecore-uncertain", self._work, WAITING, self._failed)

    def publish(self, result: Result) -> None:
        """Has the frame saved, if it is one to save; never waits for the disk.

        Raises OSError: what was to be saved before could not be.
        """
        if self._error is not None:
            if self._worker.idle:
                self._worker.put(_Job(None, None, 0.0))
            raise self._error
        if result.frame is None or not result.predictions:
            return
        now = time.monotonic()
        if not self._low <= result.predictions[0].score <= self._high:
            return
        if self._last is not None and now - self._last < self._every:
            return
        self._last = now
        self._worker.put(_Job(bgr_of(result.frame), result, result.captured or time.time()))

    def close(self) -> None:
        """Waits half a second for what is being saved. Raises OSError: it could not be."""
        self._worker.close(CLOSE_SECONDS)
        self._scores.close()
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _failed(self, error: Exception) -> None:
        self._error = error

    def _work(self, job: _Job) -> None:
        if job.picture is None or job.result is None:
            self._try()
        else:
            self._save(job.picture, job.result, job.when)
        self._error = None

    def _try(self) -> None:
        """Raises OSError when no picture could be saved now."""
        path = self._folder / ".trying"
        try:
            _write(path, PROBE)
        finally:
            path.unlink(missing_ok=True)

    def _save(self, picture: np.ndarray, result: Result, when: float) -> None:
        cv2 = opencv()
        best = result.predictions[0]
        done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        if not done:
            raise OSError(errno.EINVAL, f"a picture of {picture.shape} does not become a JPEG")
        label = file_name(best.label)
        stamp = datetime.fromtimestamp(when, UTC).strftime("%Y%m%dT%H%M%S.%f")[:-3]
        name = f"{label}/{stamp}-{best.score:.2f}-{label}.jpg"
        line = json.dumps({"picture": name, **result.to_json()}).encode() + b"\n"
        if not self._room(len(data) + len(line)):
            return
        (self._folder / label).mkdir(exist_ok=True)
        _write(self._folder / name, data.tobytes())
        self._used += len(data) + len(line)
        self._scores.write(line)
        self._changed = changes(self._folder)

    def _room(self, size: int) -> bool:
        if self._used + size > self._limit:
            changed = changes(self._folder)
            if changed != self._changed:  # counting is only worth it where something may have gone
                self._changed = changed
                self._used = used_bytes(self._folder)
        if self._used + size <= self._limit:
            self._told = False
            return True
        if not self._told and self._notice is not None:
            self._notice(
                f"{self.title}: {self._limit / 1e6:.4g} MB of pictures are the limit; "
                "no more are saved until some are taken away"
            )
        self._told = True
        return False


def file_name(label: str) -> str:
    """A label as the name of a folder: what a name cannot hold is written %2F, and "." in front %2E."""
    safe = "".join(
        letter if letter.isprintable() and letter not in "/\\%:" else _escaped(letter) for letter in label
    ).strip()
    if safe.startswith("."):
        safe = _escaped(".") + safe[1:]
    return safe.encode("utf-8", "replace")[:LONGEST_NAME].decode("utf-8", "ignore").strip() or "no label"


def _escaped(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogateescape"))


def used_bytes(folder: Path) -> int:
    """What the files in a folder and those below it take."""
    total = 0
    for entry in folder.rglob("*"):
        try:
            total += entry.lstat().st_size if not entry.is_dir() else 0
        except FileNotFoundError:  # somebody is tidying up
            continue
    return total


def changes(folder: Path) -> list[int]:
    """Another list after a picture was added or taken away."""
    folders = [folder, *sorted(entry for entry in folder.iterdir() if entry.is_dir())]
    return [entry.stat().st_mtime_ns for entry in folders]


def _write(path: Path, data: bytes) -> None:
    """Makes a file that has all of `data`, also after a power cut, or is not there."""
    partial = path.with_name(f".{path.name}{PARTIAL}")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fdatasync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
