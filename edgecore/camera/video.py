"""Video files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from edgecore.camera.capture import Capture
from edgecore.camera.opencv import opencv
from edgecore.camera.source import Frame
from edgecore.camera.uri import Uri, existing
from edgecore.errors import UserError

OPEN_TIMEOUT_MS = 3000
WHOLE = 0.9  # a container may only estimate its number of frames, from duration and rate


class Video(Capture):
    """A video file: every frame once, in order, as fast as they are taken."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.title = str(path)
        self._path = path
        self._declared = 0.0

    @classmethod
    def from_uri(cls, uri: Uri) -> Self:
        """`file:clip.mp4`, or its path. Raises UserError when there is no such file."""
        return cls(existing(uri))

    def _start(self) -> Any:
        cv2 = opencv()
        timeout = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS]
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG, timeout)
        self._declared = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        return capture

    def read(self) -> Frame | None:
        frame = super().read()
        if frame is None and self._count < self._declared * WHOLE:
            raise UserError(
                f"{self._path} ends after {self._count} of {self._declared:.0f} frames; "
                "it is truncated or damaged"
            )
        return frame

    def _refused(self) -> UserError:
        return UserError(
            f"{self._path} does not decode as a video; check that it is one and that it is complete"
        )
