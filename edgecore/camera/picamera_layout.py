"""What picamera2 says of a frame, in edgecore's terms: how it lies in its buffer, and when it was seen."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgecore.camera.source import PLANAR
from edgecore.errors import UserError

if TYPE_CHECKING:
    import numpy as np

# picamera2 names packed formats by a little-endian word, so its RGB888 lies in memory as B, G, R.
FORMATS = {"BGR": "RGB888", "RGB": "BGR888", "YUV420": "YUV420", "NV12": "NV12"}
ORDERS = {theirs: ours for ours, theirs in FORMATS.items()}
OLDEST = 10.0  # seconds; a sensor stamp that is older, or in the future, comes from another clock


@dataclass(frozen=True)
class Layout:
    """How a picture lies in a camera's buffer; `stride` is the bytes from one row to the next."""

    order: str
    width: int
    height: int
    stride: int
    length: int
    colour: str

    def pixels(self, buffer: mmap.mmap) -> np.ndarray:
        """A view of the buffer, as Frame wants it."""
        import numpy as np

        if self.order in PLANAR:
            return np.ndarray((self.height * 3 // 2, self.stride), np.uint8, buffer)
        return np.ndarray((self.height, self.width, 3), np.uint8, buffer, strides=(self.stride, 3, 1))


def layout_of(stream: Mapping[str, Any], colour_space: Any) -> Layout:
    """What the camera really gives, from picamera2's configuration after configure().

    Raises UserError: edgecore cannot read that format.
    """
    order = ORDERS.get(stream["format"])
    if order is None:
        raise UserError(
            f"the camera gives {stream['format']}, which picam: does not read; a USB camera is named v4l2:0"
        )
    width, height = stream["size"]
    return Layout(order, width, height, stream["stride"], stream["framesize"], _colour(colour_space))


def _colour(space: Any) -> str:
    if space is None:  # USB cameras may not say
        return "bt601"
    if str(space.ycbcrEncoding).endswith("Rec709"):
        return "bt709"
    return "jpeg" if str(space.range).endswith("Full") else "bt601"


def capture_time(metadata: Mapping[str, Any], now: float) -> tuple[float, str]:
    """(captured, clock) of a frame that came at `now`, in seconds of time.monotonic().

    SensorTimestamp is when the first row was read out, which ends that row's exposure. A camera that does
    not tell ExposureTime gives at best the read-out, and that is called arrival.
    """
    stamp = metadata.get("SensorTimestamp")
    if stamp is None or not 0 <= now - stamp / 1e9 <= OLDEST:
        return now, "arrival"
    exposure = metadata.get("ExposureTime")
    if exposure is None:
        return stamp / 1e9, "arrival"
    return stamp / 1e9 - exposure / 1e6, "exposure"
