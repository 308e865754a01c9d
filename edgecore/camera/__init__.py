"""Sources of frames behind one contract, found by what the user names."""

from __future__ import annotations

import os
from pathlib import Path

from edgecore.camera.source import Frame, Source
from edgecore.errors import UserError

__all__ = ["BUNDLED_CLIP", "Frame", "Source", "source_of"]

BUNDLED_CLIP = Path(__file__).parent.parent / "assets" / "demo.mp4"


def source_of(text: str | os.PathLike[str] | None = None) -> Source:
    """The source that a text names; it is not opened yet.

    A number or /dev/video... is a camera, a folder its images, an image file itself, any other file a video;
    None the bundled clip. Raises UserError when there is no such file.
    """
    from edgecore.camera.images import SUFFIXES, Images
    from edgecore.camera.video import Camera, Video

    if text is None:
        if not BUNDLED_CLIP.exists():
            raise UserError(
                "the bundled clip is missing from this installation; name a source or reinstall edgecore"
            )
        return Video(BUNDLED_CLIP)
    name = os.fspath(text)
    if name.isdecimal() or name.startswith("/dev/"):
        return Camera(name)
    path = Path(name)
    if path.is_dir():
        return Images(path)
    if not path.exists():
        raise UserError(
            f"there is no file, folder or camera {name}; name a video, a folder of images or a number"
        )
    return Images(path) if path.suffix.lower() in SUFFIXES else Video(path)
