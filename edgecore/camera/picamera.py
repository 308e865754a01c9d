"""Raspberry Pi cameras, and any other that libcamera drives, through picamera2."""

from __future__ import annotations

import atexit
import logging
import mmap
import os
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any, Self, TypeVar

from edgecore.camera.leavable import Leavable
from edgecore.camera.picamera_layout import FORMATS, Layout, capture_time, layout_of
from edgecore.camera.source import PLANAR, TIMEOUT, Frame, Source, SourceLost
from edgecore.camera.uri import Uri
from edgecore.errors import UserError

T = TypeVar("T")

INSTALL = (
    "apt install python3-picamera2 --no-install-recommends, and make the virtual environment with "
    "--system-site-packages"
)
BUFFERS = 4
STARTING = 4.0  # seconds beyond its timeout that a camera may take to open; libcamera starts slowly
CLOSE_TIMEOUT = 2.0


@dataclass(frozen=True)
class Settings:
    """What a URI asks of a camera; None leaves it to the camera. `exposure` is in microseconds."""

    size: tuple[int, int] = (640, 480)
    stream: str = "main"
    order: str = "BGR"
    fps: float | None = None
    exposure: int | None = None
    gain: float | None = None
    hflip: bool = False
    vflip: bool = False

    def controls(self) -> dict[str, tuple[str, Any]]:
        """{option: (libcamera's control, its value)} of what was asked for."""
        asked: dict[str, tuple[str, Any]] = {}
        if self.fps is not None:
            duration = round(1e6 / self.fps)
            asked["fps"] = ("FrameDurationLimits", (duration, duration))
        if self.exposure is not None:
            asked["exposure"] = ("ExposureTime", self.exposure)
        if self.gain is not None:
            asked["gain"] = ("AnalogueGain", self.gain)
        return asked


class PiCamera(Source):
    """A camera of libcamera. Frames are views of its buffers, so they have to be released.

    There are BUFFERS buffers; a camera all of whose buffers are held gives nothing more. Any call into
    picamera2 may hang, so opening and closing are done in threads that can be left behind.
    """

    live = True

    def __init__(self, number: int, settings: Settings, timeout: float = TIMEOUT) -> None:
        self.title = f"Pi camera {number}"
        self.timeout = timeout
        self._number = number
        self._settings = settings
        self._camera: Any = None
        self._layout: Layout | None = None
        self._buffers: dict[int, mmap.mmap] = {}
        self._held: set[Any] = set()
        self._job: Any = None
        self._count = 0
        self._was_there = False
        self._hanging: Future[Any] | None = None

    @classmethod
    def from_uri(cls, uri: Uri) -> Self:
        """`picam:0?size=640x480&fps=30`, and stream, format, exposure, gain, rotation, hflip, vflip, timeout.

        The format is that of the frames: by default BGR of the main stream, YUV420 of lores, which has
        nothing else before the Pi 5. A camera that lacks a format or a size gives another one, and the frames
        say which. Exposure is in microseconds. Raises UserError: no number, or a bad option.
        """
        if not (uri.target or "0").isdecimal():
            raise UserError(f"{uri.text}: name the camera by its number, such as picam:0")
        options = uri.options
        stream = options.choice("stream", ("main", "lores"), "main")
        order = options.choice("format", tuple(FORMATS), "BGR" if stream == "main" else "YUV420")
        turned = options.choice("rotation", ("0", "180"), "0") == "180"
        settings = Settings(
            size=options.size("size") or Settings.size,
            stream=stream,
            order=order,
            fps=options.number("fps"),
            exposure=options.integer("exposure"),
            gain=options.number("gain"),
            hflip=options.flag("hflip") != turned,
            vflip=options.flag("vflip") != turned,
        )
        return cls(int(uri.target or "0"), settings, options.number("timeout") or TIMEOUT)

    def open(self) -> None:
        self.close()
        deadline = time.monotonic() + self.timeout + STARTING
        if self._hanging is not None:
            if not wait([self._hanging], self.timeout).done:
                raise SourceLost(
                    f"{self.title} hangs since it was last used; restart the program or the board"
                )
            self._hanging = None
        opening = _in_thread(partial(self._start, _picamera2()))
        if not wait([opening], max(deadline - time.monotonic(), 0)).done:
            self._hanging = opening
            opening.add_done_callback(_close_late)
            raise SourceLost(f"{self.title} did not open in {self.timeout + STARTING:g} s; check its cable")
        self._camera, self._layout = opening.result()
        self._count = 0
        self._was_there = True

    def _start(self, picamera2: ModuleType) -> tuple[Any, Layout]:
        try:
            present = picamera2.Picamera2.global_camera_info()
            if self._number >= len(present):
                raise self._missing(present)
            camera = picamera2.Picamera2(self._number)
        except UserError:
            raise
        except Exception as error:  # picamera2 raises whatever libcamera does
            raise SourceLost(
                f"{self.title} does not open ({_reason(error)}); see that no other program uses it"
            ) from None
        try:
            layout = self._configure(camera)
            camera.start()
        except Exception as error:
            with suppress(Exception):
                camera.close()
            if isinstance(error, UserError):
                raise
            raise SourceLost(f"{self.title} does not start ({_reason(error)}); try again") from None
        return camera, layout

    def _missing(self, present: list[dict[str, Any]]) -> UserError:
        names = ", ".join(f"{number} ({camera.get('Model')})" for number, camera in enumerate(present))
        there = f"there are: {names}" if names else "libcamera sees no camera; check the cable"
        return (SourceLost if self._was_there else UserError)(f"{self.title} does not exist; {there}")

    def _configure(self, camera: Any) -> Layout:
        asked = self._settings
        for option, (control, _) in asked.controls().items():
            if control not in camera.camera_controls:
                raise UserError(f"{self.title} has no control for {option}; leave {option}= out")
        stream = {"size": asked.size, "format": FORMATS[asked.order]}
        # lores cannot do without main; the smallest and cheapest that is allowed.
        streams = {"main": stream | {"format": "YUV420"}, "lores": stream}
        configuration = camera.create_video_configuration(
            **(streams if asked.stream == "lores" else {"main": stream}),
            transform=_transform(asked),
            controls=dict(asked.controls().values()),
            buffer_count=BUFFERS,
            queue=False,
            display=None,
            encode=None,
        )
        try:
            camera.check_camera_config(configuration)
        except RuntimeError as error:
            raise UserError(f"{self.title} cannot be set so: {_reason(error)}; change the options") from None
        camera.configure(configuration)
        # What the camera lacks it replaces without a word.
        given = camera.camera_configuration()
        if (given["transform"].hflip, given["transform"].vflip) != (asked.hflip, asked.vflip):
            raise UserError(f"{self.title} cannot turn its picture; leave rotation, hflip and vflip out")
        return layout_of(given[asked.stream], given["colour_space"])

    def read(self) -> Frame | None:
        camera, layout = self._camera, self._layout
        if camera is None or layout is None:
            raise SourceLost(f"{self.title} is not open; open it")
        # A job that was not done in time stays for the next read or for close(), so its request is not lost.
        if self._job is None:
            self._job = camera.capture_request(wait=False)
        try:
            request = camera.wait(self._job, timeout=self.timeout)
        except TimeoutError:
            raise SourceLost(
                f"{self.title} gave no frame for {self.timeout:g} s after {self._count} frames"
            ) from None
        except (Exception, CancelledError) as error:
            self._job = None
            raise SourceLost(f"{self.title} stopped after {self._count} frames ({_reason(error)})") from None
        self._job = None
        captured, clock = capture_time(request.get_metadata(), time.monotonic())
        frame = Frame(
            layout.pixels(self._buffer(camera, request, layout)),
            layout.order,
            captured,
            self._count,
            clock=clock,
            columns=layout.width if layout.order in PLANAR else None,
            colour=layout.colour,
            on_release=partial(_give_back, request, self._held),
        )
        # libcamera may crash when a request goes away that it has just completed, as it would with a frame
        # that is dropped and not released.
        self._held.add(request)
        self._count += 1
        return frame

    def _buffer(self, camera: Any, request: Any, layout: Layout) -> mmap.mmap:
        """The request's buffer, mapped once.

        picamera2 has a mapping too, but closes it with the camera, which fails halfway, and leaks the buffer,
        when somebody still looks at it. This one ends with the last frame that shows it.
        """
        descriptor = request.request.buffers[camera.stream_map[self._settings.stream]].planes[0].fd
        if descriptor not in self._buffers:
            self._buffers[descriptor] = mmap.mmap(descriptor, layout.length, mmap.MAP_SHARED, mmap.PROT_READ)
        return self._buffers[descriptor]

    def close(self) -> None:
        camera, self._camera = self._camera, None
        job, self._job = self._job, None
        held, self._held = self._held, set()
        self._buffers = {}
        if camera is None:
            return
        closing = _in_thread(partial(_shut, camera, job, held))
        if not wait([closing], CLOSE_TIMEOUT).done:
            self._hanging = closing
            atexit.unregister(camera.close)  # which would hang as well


def _transform(asked: Settings) -> Any:
    from libcamera import Transform

    return Transform(hflip=asked.hflip, vflip=asked.vflip)


def _picamera2() -> ModuleType:
    """The module, with neither its messages nor libcamera's on stderr unless the user wants them."""
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:FATAL")
    log = logging.getLogger("picamera2")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    try:
        import picamera2
    except ModuleNotFoundError as error:
        raise UserError(f"picam: needs {error.name}, which this Python does not find; {INSTALL}") from None
    except Exception as error:  # a numpy that its compiled parts were not built for raises ValueError
        raise UserError(
            f"picamera2 is installed but does not load ({_reason(error)}); reinstall it, and keep no newer "
            f"numpy in the virtual environment than the system's; {INSTALL}"
        ) from None
    return picamera2


def _shut(camera: Any, job: Any, held: set[Any]) -> None:
    """Stops and closes a camera. `job` is a capture that was not waited for; `held` lives until the end."""
    with suppress(Exception):  # a camera that was pulled out fails here, and its files are to be closed still
        camera.cancel_all_and_flush()
        camera.stop()
    if job is not None:
        with suppress(Exception, CancelledError):
            _give_back(job.get_result(timeout=0), held)
    camera.close()


def _close_late(opening: Future[Any]) -> None:
    """Closes a camera that opened after all, when nobody waited for it any more."""
    if opening.exception() is None:
        with suppress(Exception):
            _shut(opening.result()[0], None, set())


def _give_back(request: Any, held: set[Any]) -> None:
    # A camera that is being closed meanwhile refuses the request, and wants it no more.
    with suppress(Exception):
        request.release()
    held.discard(request)


def _reason(error: BaseException) -> str:
    """The first line of what began it: picamera2 wraps libcamera's words in its own."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def _in_thread(work: Callable[[], T]) -> Future[T]:
    thread = Leavable("picamera")
    future = thread.call(work)
    thread.finish()
    return future
