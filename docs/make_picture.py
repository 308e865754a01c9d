"""Make demo.jpg: one frame of each shot of the bundled clip with what the bundled model says of it.

python docs/make_picture.py
"""

from __future__ import annotations

import statistics
import time
from importlib import resources
from pathlib import Path

import cv2
import numpy as np

import edgecore

SHOTS = 5
WIDTH = 240  # pixels of a frame in the picture
BAR = 26  # pixels under each frame


def frames(count: int) -> list[np.ndarray]:
    """`count` frames at equal distances over the clip, each uint8 (height, width, 3) in BGR order."""
    clip = cv2.VideoCapture(str(resources.files("edgecore") / "assets" / "demo.mp4"))
    length = int(clip.get(cv2.CAP_PROP_FRAME_COUNT))
    wanted = {length * (2 * index + 1) // (2 * count) for index in range(count)}
    found = []
    for number in range(length):
        read, frame = clip.read()
        if read and number in wanted:
            found.append(frame)
    return found


def tile(model: edgecore.Model, frame: np.ndarray) -> np.ndarray:
    """The frame over a bar with the best class, its score and the median latency."""
    durations = []
    for _ in range(51):
        start = time.perf_counter()
        (best,) = model.classify(frame, top=1)
        durations.append(time.perf_counter() - start)
    milliseconds = statistics.median(durations) * 1e3
    height = frame.shape[0] * WIDTH // frame.shape[1]
    small = cv2.resize(frame, (WIDTH, height), interpolation=cv2.INTER_AREA)
    bar = np.full((BAR, WIDTH, 3), 32, np.uint8)
    style = (cv2.FONT_HERSHEY_SIMPLEX, 0.55, (255, 255, 255), 1, cv2.LINE_AA)
    cv2.putText(bar, f"{best.label} {best.score:.2f}", (8, 18), *style)
    text = f"{milliseconds:.1f} ms"
    (width, _), _ = cv2.getTextSize(text, *style[:2], style[3])
    cv2.putText(bar, text, (WIDTH - width - 8, 18), *style)
    return np.vstack([small, bar])


def main() -> None:
    model = edgecore.load(threads=1)
    tiles = [tile(model, frame) for frame in frames(SHOTS)]
    path = Path(__file__).with_name("demo.jpg")
    cv2.imwrite(str(path), np.hstack(tiles), [cv2.IMWRITE_JPEG_QUALITY, 88])
    print(path)


if __name__ == "__main__":
    main()
