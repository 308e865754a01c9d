"""A frame as people see it: what overlays, clips, pictures and windows are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgecore.camera.opencv import opencv
from edgecore.camera.source import Frame

if TYPE_CHECKING:
    import numpy as np

WEIGHTS = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "jpeg": (0.299, 0.114)}  # of R and B in Y


def bgr_of(frame: Frame) -> np.ndarray:
    """A copy of a frame, uint8 (height, width, 3), blue-green-red, rows without gaps, to draw on."""
    import numpy as np

    cv2 = opencv()
    if frame.order == "BGR":
        return frame.pixels.copy(order="C")
    if frame.planar:
        return _bgr_of_planes(frame)
    code = cv2.COLOR_RGB2BGR if frame.order == "RGB" else cv2.COLOR_GRAY2BGR
    return np.asarray(cv2.cvtColor(frame.pixels, code), np.uint8)


def _bgr_of_planes(frame: Frame) -> np.ndarray:
    import numpy as np

    cv2 = opencv()
    height, width = frame.height, frame.width
    chroma = frame.pixels[height:]
    if frame.order == "NV12":
        u, v = chroma[:, 0:width:2], chroma[:, 1:width:2]
    else:
        stride = frame.pixels.shape[1] // 2
        u, v = chroma.reshape(2, height // 2, stride)[:, :, : width // 2]
    full = [
        cv2.resize(np.ascontiguousarray(plane), (width, height), interpolation=cv2.INTER_NEAREST)
        for plane in (u, v)
    ]
    picture = cv2.merge([np.ascontiguousarray(frame.pixels[:height, :width]), *full])
    return np.asarray(cv2.transform(picture, _matrix(frame.colour)), np.uint8)


def _matrix(colour: str) -> np.ndarray:
    """From (Y, U, V, 1) to (B, G, R), float64 (3, 4)."""
    import numpy as np

    red, blue = WEIGHTS[colour]
    green = 1 - red - blue
    luma, chroma, black = (1.0, 1.0, 0.0) if colour == "jpeg" else (255 / 219, 255 / 224, 16.0)
    to_blue, to_red = 2 * (1 - blue) * chroma, 2 * (1 - red) * chroma
    rows = np.array(
        [
            [luma, to_blue, 0.0],
            [luma, -to_blue * blue / green, -to_red * red / green],
            [luma, 0.0, to_red],
        ]
    )
    return np.hstack([rows, -rows @ np.array([[black], [128.0], [128.0]])])
