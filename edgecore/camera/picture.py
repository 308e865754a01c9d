"""A frame as people see it: what overlays, clips, pictures and windows are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgecore.camera.opencv import opencv
from edgecore.camera.source import Frame

if TYPE_CHECKING:
    import numpy as np


def bgr_of(frame: Frame) -> np.ndarray:
    """A copy of a frame, uint8 (height, width, 3), blue-green-red, rows without gaps, to draw on."""
    if frame.order == "BGR":
        return frame.pixels.copy(order="C")
    if frame.planar:
        from edgecore.preprocess import Preprocessing, image_of

        spec = Preprocessing(frame.width, frame.height, "BGR")
        return image_of(frame.pixels, spec, frame.order, frame.columns, frame.colour)
    cv2 = opencv()
    picture: np.ndarray = cv2.cvtColor(
        frame.pixels, cv2.COLOR_RGB2BGR if frame.order == "RGB" else cv2.COLOR_GRAY2BGR
    )
    return picture
