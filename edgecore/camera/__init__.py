"""Sources of frames behind one contract, found by what the user names; `uri` has the grammar."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from edgecore.camera.source import Frame, Source, SourceLost
from edgecore.camera.uri import IMAGE_SUFFIXES, parse
from edgecore.errors import UserError

__all__ = ["BUNDLED_CLIP", "Frame", "Source", "SourceLost", "source_of"]

BUNDLED_CLIP = Path(__file__).parent.parent / "assets" / "demo.mp4"

# Imported when it is asked for: a scheme's module and class in this folder.
SOURCES = {
    "picam": ("picamera", "PiCamera"),
    "v4l2": ("v4l2", "Camera"),
    "rtsp": ("network", "Stream"),
    "rtsps": ("network", "Stream"),
    "http": ("mjpeg", "MotionJpeg"),
    "https": ("mjpeg", "MotionJpeg"),
    "gst": ("gstreamer", "Pipeline"),
    "file": ("video", "Video"),
    "dir": ("images", "Images"),
    "-": ("raw", "RawFrames"),
    "test": ("pattern", "Pattern"),
}


def source_of(name: str | os.PathLike[str] | int | None = None) -> Source:
    """The source that a URI, a path or a camera's number names; it is not opened yet. None: the bundled clip.

    Raises UserError: an unknown scheme, a bad option, no such file.
    """
    if name is None:
        if not BUNDLED_CLIP.exists():
            raise UserError(
                "the bundled clip is missing from this installation; name a source or reinstall edgecore"
            )
        name = BUNDLED_CLIP
    uri = parse(str(name) if isinstance(name, int) else name)
    picture = uri.scheme == "file" and Path(uri.target).suffix.lower() in IMAGE_SUFFIXES
    module, kind = SOURCES["dir" if picture else uri.scheme]
    source: Source = getattr(import_module(f"edgecore.camera.{module}"), kind).from_uri(uri)
    uri.options.done()
    return source
