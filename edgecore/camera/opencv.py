"""OpenCV, imported late and without its and FFmpeg's own messages on stderr."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from edgecore.camera.layout import MAX_PIXELS
from edgecore.camera.uri import MAX_SIDE
from edgecore.errors import UserError
from edgecore.native_output import held_stderr

if TYPE_CHECKING:
    import numpy as np


def opencv() -> ModuleType:
    """The module cv2. Its settings are read at its first import, and what the user set stays."""
    # A JPEG of a few hundred bytes may claim to be a gigabyte of pixels, and OpenCV would make it that.
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
    import cv2

    return cv2


def cut_off(data: bytes) -> bool:
    """Whether a JPEG lacks its end, which OpenCV before 4.11 makes up in silence.

    Markers do not occur in JPEG's coded data, so the last scan (FF DA) has an end of image (FF D9) after it;
    a thumbnail's lies before.
    """
    return data.startswith(b"\xff\xd8") and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda")


def read_image(path: Path) -> np.ndarray:
    """Decodes an image file to uint8 (height, width, 3), BGR.

    Raises UserError: it is missing, no image, or damaged so that a decoder had to make up pixels.
    """
    import numpy as np

    try:
        data = np.fromfile(path, dtype=np.uint8)
    except IsADirectoryError:
        raise UserError(f"{path} is a folder, not an image; `edgecore run` takes folders") from None
    except FileNotFoundError:
        raise UserError(f"there is no image {path}; check the path") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    if not data.size:
        raise UserError(f"{path} is empty; copy it again")
    if cut_off(data.tobytes()):
        raise UserError(f"{path} is damaged (it ends too early); copy it again")
    cv2 = opencv()
    with held_stderr(forward=False) as held:
        try:
            image: np.ndarray | None = cv2.imdecode(data, cv2.IMREAD_COLOR)
        except cv2.error:  # e.g. more pixels than OpenCV's limit
            image = None
    if image is None:
        raise UserError(f"{path} does not decode as an image; use JPEG, PNG, BMP or another format of OpenCV")
    if max(image.shape) > MAX_SIDE:
        height, width = image.shape[:2]
        raise UserError(f"{path} is {width}x{height}; scale it to at most {MAX_SIDE} pixels a side")
    damage = [line for line in held.lines() if "premature" in line.lower() or "corrupt" in line.lower()]
    if damage:
        raise UserError(f"{path} is damaged ({damage[0].strip()}); copy it again")
    return image
