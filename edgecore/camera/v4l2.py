"""Cameras of V4L2: USB cameras, capture cards."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Self

from edgecore.camera.capture import Capture
from edgecore.camera.opencv import opencv
from edgecore.camera.source import Frame
from edgecore.camera.uri import Uri
from edgecore.errors import UserError


class Camera(Capture):
    """A camera of V4L2, by its number or its device file."""

    live = True

    def __init__(self, name: str) -> None:
        super().__init__()
        self._device = Path(f"/dev/video{int(name)}" if name.isdecimal() else name)
        self.title = f"camera {name}"

    @classmethod
    def from_uri(cls, uri: Uri) -> Self:
        """`v4l2:0` or `v4l2:/dev/v4l/by-id/...`; the number or the device alone will do."""
        return cls(uri.target)

    def _start(self) -> Any:
        if not self._device.exists():
            present = sorted(path.name.removeprefix("video") for path in Path("/dev").glob("video*"))
            choice = f"there are: {', '.join(present)}" if present else "no camera is plugged in"
            raise UserError(f"{self.title} does not exist ({self._device}); {choice}")
        if not os.access(self._device, os.R_OK | os.W_OK):
            raise UserError(
                f"{self.title} may not be opened; put yourself into the group video and log in again"
            )
        cv2 = opencv()
        capture = cv2.VideoCapture(str(self._device), cv2.CAP_V4L2)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the driver's queue otherwise holds four old frames
        return capture

    def _refused(self) -> UserError:
        return UserError(f"{self.title} gives no frame; check the cable and that no other program uses it")

    def read(self) -> Frame | None:
        frame = super().read()
        if frame is None:
            raise UserError(
                f"{self.title} stopped after {self._count} frames; check the cable and start again"
            )
        return frame
