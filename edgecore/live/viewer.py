"""The process behind `--show`: a window for the pictures that come on standard input.

It is a process of its own, because the libraries behind a window end theirs when there is no display or
when it goes away, want its main thread, and have to be looked after while no picture comes.

    python -m edgecore.live.viewer TITLE        writes a line when the window is there
"""

from __future__ import annotations

import os
import select
import sys

from edgecore.camera.opencv import opencv

CLOSED, NO_WINDOWS, NO_DISPLAY = 0, 3, 4  # exit statuses
SIZES = 8  # bytes before each picture: height and width, little-endian
INTERVAL = 0.03  # seconds between two looks at keys and buttons
KEYS = (ord("q"), ord("Q"), 27)


def has_windows() -> bool:
    """Whether this OpenCV was built with any."""
    lines = opencv().getBuildInformation().splitlines()
    return not any(line.strip().startswith("GUI:") and line.split()[-1] == "NONE" for line in lines)


def show(title: str) -> int:
    """Shows pictures until the user closes the window or standard input ends; returns the exit status."""
    import numpy as np

    if not has_windows():
        return NO_WINDOWS
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return NO_DISPLAY
    cv2 = opencv()
    cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
    print("ready", flush=True)
    source = sys.stdin.fileno()
    shape = (0, 0)
    while True:
        if select.select([source], [], [], INTERVAL)[0]:
            sizes = _exactly(source, SIZES)
            if sizes is None:
                return CLOSED
            height, width = int.from_bytes(sizes[:4], "little"), int.from_bytes(sizes[4:], "little")
            pixels = _exactly(source, height * width * 3)
            if pixels is None:
                return CLOSED
            if shape != (height, width):
                shape = (height, width)
                cv2.resizeWindow(title, width, height)
            cv2.imshow(title, np.frombuffer(pixels, np.uint8).reshape(height, width, 3))
        if cv2.pollKey() & 0xFF in KEYS or cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) < 1:
            return CLOSED


def _exactly(source: int, size: int) -> bytearray | None:
    """The next `size` bytes; None at the end. Not buffered: select() must know of all that is waiting."""
    data = bytearray(size)
    left = memoryview(data)
    while left:
        count = os.readv(source, [left])
        if not count:
            return None
        left = left[count:]
    return data


if __name__ == "__main__":
    sys.exit(show(sys.argv[1]))
