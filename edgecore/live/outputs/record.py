"""`--record clip.mp4`: what the loop sees and says, as a clip that plays whatever happens to it."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from itertools import count, pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from edgecore.camera.opencv import opencv
from edgecore.errors import UserError
from edgecore.live.outputs.drawing import Drawing
from edgecore.live.outputs.fragments import FragmentFile, named_pipe
from edgecore.live.result import Result
from edgecore.native_output import held_stderr

if TYPE_CHECKING:
    import numpy as np

CODECS = ("mp4v", "avc1", "hvc1")
RESERVE = 64 << 20  # bytes
CLIP_SECONDS = 3600.0
MEASURE_SECONDS = 1.0
MEASURE_BYTES = 32 << 20  # of pictures that wait until the frame rate is known
RATES = (1, 60)
FILE_RATE = 25.0
MAX_REPEATS = 150  # how often one picture may be repeated where frames are missing
LOOK_SECONDS = 1.0  # between two looks at the disk


class Recording:
    """Records frames with their overlay as fragmented mp4.

    A clip that exists is never touched: `clip.mp4` becomes `clip-1.mp4` and so on, also for the next clip
    after `clip_seconds` or a failure. After a power cut a clip plays but for its last seconds.

    A live clip keeps time: frames are repeated or left out so that a second of it is a second of the camera.
    Of a pause no more than MAX_REPEATS frames are shown. A frame of another size than the clip's first is
    fitted in between bars.

    Args:
        path: ends with .mp4.
        rate: frames a second of the clip; None: measured over the first second of a live source, else 25.
        live: frames have their own time; else every frame is in the clip once.
        codec: one of CODECS that this OpenCV can write.
        clip_seconds: of the source, after which the next clip begins.
        reserve: how many bytes stay free on the disk; twice as many must be free when a clip begins.
        draw: as in Drawing.

    Raises:
        UserError: the path cannot be used, or this OpenCV writes no such clips.
    """

    pictures = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        rate: float | None = None,
        live: bool = True,
        codec: str = CODECS[0],
        clip_seconds: float = CLIP_SECONDS,
        reserve: int = RESERVE,
        draw: Callable[..., np.ndarray] | None = None,
    ) -> None:
        self.title = os.fspath(path)
        self._path = Path(path)
        if self._path.suffix.lower() != ".mp4":
            raise UserError(f"{path}: clips are recorded as mp4; name it {self._path.stem or 'clip'}.mp4")
        if not self._path.parent.is_dir():
            raise UserError(f"{path} cannot be written: there is no folder {self._path.parent}; make it")
        if not os.access(self._path.parent, os.W_OK):
            raise UserError(
                f"{path} cannot be written: {self._path.parent} is read-only; name another folder"
            )
        _check(codec)
        self._rate = rate if live or rate else FILE_RATE
        self._live = live
        self._codec = codec
        self._clip_seconds = clip_seconds
        self._reserve = reserve
        self._drawing = Drawing(draw)
        self._clip: Clip | None = None
        self._held: list[tuple[float, np.ndarray]] = []
        self._looked = 0.0

    @property
    def path(self) -> Path | None:
        """Of the clip that is being written."""
        return self._clip.file.path if self._clip is not None else None

    def publish(self, result: Result) -> None:
        """Adds a frame.

        Raises OSError: the disk is full or gone. The clip is closed then; another begins with the next frame.
        """
        picture = self._drawing(result)
        if picture is None or result.frame is None:
            return
        captured = result.frame.captured
        if self._rate is not None:
            self._add(captured, picture)
            return
        self._held.append((captured, picture))
        if (
            captured - self._held[0][0] >= MEASURE_SECONDS
            or sum(held.nbytes for _, held in self._held) >= MEASURE_BYTES
        ) and len(self._held) > 1:
            self._write_held()

    def _write_held(self) -> None:
        """The rate can be told now: what waited for it is written."""
        held, self._held = self._held, []
        self._rate = rate_of([captured for captured, _ in held])
        for captured, picture in held:
            self._add(captured, picture)

    def _add(self, captured: float, picture: np.ndarray) -> None:
        clip = self._clip
        if clip is not None and self._live and captured - clip.begin >= self._clip_seconds:
            self._end()
            clip = None
        if clip is None:
            clip = self._begin(captured, picture)
        self._look(clip)
        clip.add(captured if self._live else None, picture)
        if clip.file.error is not None:
            error = clip.file.error
            self._end()
            raise error

    def _begin(self, captured: float, picture: np.ndarray) -> Clip:
        assert self._rate is not None
        self._need(2 * self._reserve)
        self._clip = Clip(self._path, self._codec, self._rate, captured, picture.shape[1], picture.shape[0])
        self._looked = time.monotonic()
        return self._clip

    def _look(self, clip: Clip) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        try:
            if clip.file.gone():
                raise FileNotFoundError(errno.ENOENT, "it was removed", str(clip.file.path))
            self._need(self._reserve)
        except OSError:
            self._end()
            raise

    def _need(self, size: int) -> None:
        disk = os.statvfs(self._path.parent)
        if disk.f_bavail * disk.f_frsize < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.title)

    def _end(self) -> None:
        clip, self._clip = self._clip, None
        if clip is not None:
            clip.close()

    def close(self) -> None:
        """Ends the clip. Raises OSError: its end did not fit on the disk."""
        if self._held:
            self._write_held()
        clip = self._clip
        self._end()
        if clip is not None and clip.file.error is not None:
            raise clip.file.error


class Clip:
    """One mp4 file that takes pictures with their times."""

    def __init__(self, path: Path, codec: str, rate: float, begin: float, width: int, height: int) -> None:
        self.begin = begin
        self._rate = rate
        self._size = (width, height)
        self._next = 0
        self._last: np.ndarray | None = None
        with named_pipe() as (pipe, reading):
            self._writer = _writer(pipe, codec, rate, self._size)
            if not self._writer.isOpened():
                raise UserError(
                    f"{path}: pictures of {width}x{height} cannot be recorded; choose another size"
                )
            self.file = _new_file(path, reading)

    def add(self, captured: float | None, picture: np.ndarray) -> None:
        """Adds a picture at its time, or next (None). One whose place is taken is left out."""
        place = self._next if captured is None else round((captured - self.begin) * self._rate)
        if place < self._next:
            return
        pause = place - self._next
        if pause > MAX_REPEATS:
            self.begin += (pause - MAX_REPEATS) / self._rate
            pause = MAX_REPEATS
        picture = fitted(picture, *self._size)
        for _ in range(pause):
            self._writer.write(self._last)
        self._writer.write(picture)
        self._last = picture
        self._next += pause + 1

    def close(self) -> None:
        """Ends the file."""
        self._writer.release()
        self.file.close()


def rate_of(times: list[float]) -> float:
    """Whole frames a second of frames with these times, from their median distance."""
    steps = [after - before for before, after in pairwise(times)]
    low, high = RATES
    return float(min(max(round(1 / max(median(steps), 1e-3)), low), high)) if steps else 10.0


def fitted(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """`picture` itself if it has that size, else the whole of it, as large as it gets, between black bars."""
    import numpy as np

    if picture.shape[:2] == (height, width):
        return picture
    cv2 = opencv()
    scale = min(width / picture.shape[1], height / picture.shape[0])
    inner = (max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1))
    small = cv2.resize(picture, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[top : top + inner[1], left : left + inner[0]] = small
    return canvas


def _writer(pipe: Path, codec: str, rate: float, size: tuple[int, int]) -> Any:
    cv2 = opencv()
    with held_stderr(forward=False):
        return cv2.VideoWriter(str(pipe), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), rate, size)


def _new_file(path: Path, reading: int) -> FragmentFile:
    """The first of clip.mp4, clip-1.mp4, ... that is not there yet."""
    for number in count():
        name = path if number == 0 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        try:
            return FragmentFile(name, reading)
        except FileExistsError:
            continue
    raise AssertionError


def _works(codec: str) -> bool:
    with named_pipe() as (pipe, reading):
        writer = _writer(pipe, codec, 10.0, (64, 64))
        works: bool = writer.isOpened()
        writer.release()
        os.close(reading)
    return works


def _check(codec: str) -> None:
    if codec in CODECS and _works(codec):
        return
    there = [other for other in CODECS if other != codec and _works(other)]
    if there:
        raise UserError(f"this OpenCV cannot write {codec} clips; there is {', '.join(there)}")
    raise UserError("this OpenCV writes no mp4 clips (it lacks FFmpeg); pip install opencv-python-headless")
