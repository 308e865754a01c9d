"""Pipelines of GStreamer, where OpenCV was built with it: Jetson's CSI cameras, hardware decoders."""

from __future__ import annotations

import re
import time
from typing import Any, Self

from edgecore.camera.leavable import Leavable
from edgecore.camera.opencv import opencv
from edgecore.camera.source import TIMEOUT, Frame, Source, SourceLost
from edgecore.camera.uri import Uri, hidden
from edgecore.errors import UserError

SINK = "videoconvert ! appsink drop=true max-buffers=1"
PLANAR = {
    "NV12": ("NV12", 4),
    "I420": ("YUV420", 8),
}  # GStreamer's name: ours, what the width is a multiple of
HD = 720  # rows from which GStreamer takes BT.709 where nobody says otherwise
TITLE_LENGTH = 60


class Pipeline(Source):
    """A pipeline in GStreamer's notation. OpenCV takes its frames from an appsink.

    OpenCV before 4.7 has no timeouts for GStreamer, and a pipeline that waits for a network or a camera
    starts when that does.
    """

    live = True

    def __init__(self, pipeline: str, timeout: float = TIMEOUT) -> None:
        named = re.search(r"\bappsink\b", pipeline) is not None
        self._pipeline = pipeline if named else f"{pipeline} ! {SINK}"
        formats = re.findall(r"\bformat\s*=\s*(?:\(string\))?\s*\"?(\w+)", pipeline)
        self._format = formats[-1] if formats else ""
        short = pipeline if len(pipeline) <= TITLE_LENGTH else pipeline[: TITLE_LENGTH - 3] + "..."
        self.title = "gst:" + re.sub(r"(-pw=)\S*", r"\1***", hidden(short))
        self.timeout = timeout
        self._worker: Leavable | None = None
        self._capture: Any = None
        self._first: Frame | None = None
        self._count = 0

    @classmethod
    def from_uri(cls, uri: Uri) -> Self:
        """`gst:v4l2src device=/dev/video0`; where it names no appsink, SINK is added."""
        if not uri.target.strip(" !"):
            raise UserError("gst: has no pipeline; give one such as gst:v4l2src device=/dev/video0")
        return cls(uri.target)

    def open(self) -> None:
        self.close()
        cv2 = opencv()
        if not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
            raise UserError(
                "this OpenCV has no GStreamer (the wheels of pip have none); use apt's python3-opencv, "
                "in a virtual environment made with --system-site-packages, without opencv-python-headless"
            )
        self._count = 0
        self._worker = Leavable("gstreamer")
        deadline = time.monotonic() + self.timeout
        try:
            opening = self._worker.call(lambda: cv2.VideoCapture(self._pipeline, cv2.CAP_GSTREAMER))
            self._capture = opening.result(self.timeout)
            self._first = self._next(max(deadline - time.monotonic(), 0.0))
        except TimeoutError:
            self._leave(wait=0.0)
            raise SourceLost(
                f"{self.title} gives no frame within {self.timeout:g} s; check its camera or network"
            ) from None
        except BaseException:
            self.close()
            raise
        if self._first is None:
            self.close()
            raise SourceLost(
                f"{self.title} does not start; try it with gst-launch-1.0, fakesink in the place of appsink"
            )

    def _next(self, timeout: float) -> Frame | None:
        assert self._worker is not None
        capture = self._capture
        grabbed = self._worker.call(
            lambda: capture.grab() and (time.monotonic(), *capture.retrieve())
        ).result(timeout)
        if not grabbed or not grabbed[1]:
            return None
        captured, _, pixels = grabbed
        order, colour = ("BGR" if pixels.ndim == 3 else "GREY"), "bt601"
        rows = round(capture.get(opencv().CAP_PROP_FRAME_HEIGHT))
        if pixels.ndim == 2 and pixels.shape[0] * 2 == rows * 3:
            order, colour = self._planar(pixels.shape[1]), "bt709" if rows >= HD else "bt601"
        elif pixels.shape[0] != rows or pixels.dtype != "uint8" or pixels.shape[2:] not in ((), (3,)):
            raise self._unknown()
        frame = Frame(pixels, order, captured, self._count, colour=colour)
        self._count += 1
        return frame

    def _planar(self, width: int) -> str:
        if self._format not in PLANAR:
            raise self._unknown()
        order, multiple = PLANAR[self._format]
        if width % multiple:  # GStreamer pads such rows, and OpenCV does not tell
            raise UserError(
                f"{self.title} gives {self._format} {width} pixels wide; make it a multiple of {multiple}"
            )
        return order

    def _unknown(self) -> UserError:
        return UserError(
            f"{self.title} gives frames that edgecore does not take; "
            "end it in video/x-raw,format=BGR (or NV12, I420, GRAY8) ! appsink"
        )

    def read(self) -> Frame:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if self._worker is None:
            raise SourceLost(f"{self.title} is not open")
        try:
            frame = self._next(self.timeout)
        except TimeoutError:
            self._leave(wait=0.0)
            what = f"has given no frame for {self.timeout:g} s"
        else:
            if frame is not None:
                return frame
            self.close()
            what = f"ended after {self._count} frames"
        raise SourceLost(f"{self.title} {what}; check its camera or network")

    def close(self) -> None:
        self._leave(wait=self.timeout)

    def _leave(self, wait: float) -> None:
        worker, self._worker = self._worker, None
        self._first = None
        if worker is not None:
            capture, self._capture = self._capture, None
            worker.call(lambda: capture is not None and capture.release())
            worker.finish()
            worker.join(timeout=wait)
