"""How old is a frame by the time its result is there, when everything behind the camera is slower than it?

    python tests/servers/rtsp.py 8554 &
    python -m edgecore.benchmarks.frame_age rtsp://127.0.0.1:8554/cam --seconds 300 --opencv

The source has to draw the time into its frames as `test:pattern` does, on this machine; the server of the
tests does. A frame's age is read back from its pixels when the result has come: exposure, encoding, network,
decoding, waiting and inference are all in it. Frames are taken 10 times a second in two ways: `pace` has the
loop hold its rate, `caller` is a loop whose results are used by someone slow. `--opencv` adds what
cv2.VideoCapture gives when it is read frame by frame at that rate.

Exit status 1 when the 95th percentile of one of edgecore's windows is 150 ms or more.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from edgecore.errors import UserError, exit_status
from edgecore.statistics import percentile
from edgecore.table import table

if TYPE_CHECKING:
    import numpy as np

WINDOW = 30.0  # seconds
MOST = 0.150  # seconds
GIVE_UP = 20.0  # seconds without a frame
SPAN = 1 << 32  # of the clock in the frames, in ms


def age(pixels: np.ndarray, now: float) -> float:
    """Seconds from the time that a frame shows to `now`, of time.monotonic().

    Raises UserError: it shows no time.
    """
    from edgecore.camera.pattern import read_clock

    shown = read_clock(pixels)
    if shown is None:
        raise UserError("the frames show no clock; use the server in tests/servers, or test:pattern")
    late = (int(now * 1e3) - shown) % SPAN
    return (late if late < SPAN // 2 else late - SPAN) / 1e3


def paced(source: str, fps: float) -> Iterator[np.ndarray]:
    """Frames with their results, of a loop that is held to a rate."""
    import edgecore

    for result in edgecore.stream(source, max_fps=fps, give_up_after=GIVE_UP):
        assert result.frame is not None
        yield result.frame.pixels


def called(source: str, fps: float) -> Iterator[np.ndarray]:
    """Frames with their results, for a caller who takes 1 / `fps` seconds for each."""
    import edgecore

    for result in edgecore.stream(source, give_up_after=GIVE_UP):
        assert result.frame is not None
        yield result.frame.pixels
        time.sleep(1 / fps)


def opencv(source: str, fps: float) -> Iterator[np.ndarray]:
    """Frames of a cv2.VideoCapture with what it does by default, for that caller."""
    import cv2

    capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG)
    while True:
        ok, pixels = capture.read()
        if not ok:
            raise UserError(f"OpenCV reads no frame of {source}; check that its server runs")
        yield pixels
        time.sleep(1 / fps)


READERS: dict[str, Callable[[str, float], Iterator[np.ndarray]]] = {
    "pace": paced,
    "caller": called,
    "opencv": opencv,
}


def watch(reader: str, source: str, seconds: float, fps: float = 10.0) -> list[tuple[float, float]]:
    """(when, age) of every frame that one of READERS gives, in seconds, from its first frame on."""
    seen: list[tuple[float, float]] = []
    begin: float | None = None
    frames = READERS[reader](source, fps)
    for pixels in frames:
        now = time.monotonic()
        begin = now if begin is None else begin
        if now - begin >= seconds:
            break
        seen.append((now - begin, age(pixels, now)))
    with suppress(AttributeError):
        frames.close()  # type: ignore[attr-defined]
    return seen


def windows(seen: list[tuple[float, float]], length: float = WINDOW) -> list[dict[str, float]]:
    """Of each window: when it began, its frames, and percentiles of their ages in ms."""
    found = []
    for number in range(int(seen[-1][0] // length) + 1):
        ages = sorted(age for when, age in seen if when // length == number)
        if ages:
            ranks = {f"p{rank}": percentile(ages, rank) * 1e3 for rank in (50, 95, 100)}
            found.append({"from": number * length, "frames": len(ages), **ranks})
    return found


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m edgecore.benchmarks.frame_age", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("source", metavar="URI", help="a stream whose frames show a clock")
    parser.add_argument("--seconds", type=float, default=300, metavar="S", help="of each way (default: 300)")
    parser.add_argument("--fps", type=float, default=10, metavar="F", help="frames taken (default: 10)")
    parser.add_argument("--way", choices=("pace", "caller"), help="one of them alone")
    parser.add_argument("--opencv", action="store_true", help="OpenCV too, for 10 seconds at most")
    parser.add_argument("--json", action="store_true", help="the windows as one JSON object")
    args = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {}

    def run() -> None:
        for way in (args.way,) if args.way else ("pace", "caller"):
            found[way] = windows(watch(way, args.source, args.seconds, args.fps))
        if args.opencv:
            found["opencv"] = windows(watch("opencv", args.source, min(args.seconds, 10.0), args.fps), 2.0)
        if args.json:
            print(json.dumps(found))
            return
        rows = [
            [way, *(f"{value:.0f}" for value in window.values())] for way in found for window in found[way]
        ]
        print(table(["way", "from, s", "frames", "p50, ms", "p95", "max"], rows, left=[0]))

    status = exit_status(run)
    late = any(window["p95"] >= MOST * 1e3 for way in ("pace", "caller") for window in found.get(way, []))
    return status or int(late)


if __name__ == "__main__":
    sys.exit(main())
