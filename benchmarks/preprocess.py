"""Frames to int8 tensors: edgecore against cv2.resize and numpy, in turns, in one run, on one core.

    python -m edgecore.benchmarks.preprocess [--rounds N] [--json]

OpenCV has one thread here as edgecore has, and the cheapest quantisation that numpy offers: one exclusive or
into the tensor, which serves pixel / 255 alone. INTER_AREA comes closest to edgecore's antialiased triangle;
INTER_LINEAR is the bilinear filter, which looks at four pixels and skips the others. With OpenCV YUV is
converted at full size first, as there is no other way.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgecore.devices import machine
from edgecore.errors import UserError, exit_status
from edgecore.kernels import cpu
from edgecore.preprocess import Preprocessing, Preprocessor
from edgecore.table import table

SIZES = ((640, 480), (1280, 720))
SIDE = 224
ORDERS = ("BGR", "RGB", "NV12", "YUV420", "GREY")
FILTERS = {"INTER_AREA": cv2.INTER_AREA, "INTER_LINEAR": cv2.INTER_LINEAR}
BEFORE = {"NV12": cv2.COLOR_YUV2RGB_NV12, "YUV420": cv2.COLOR_YUV2RGB_I420}  # at the frame's size
AFTER = {"BGR": cv2.COLOR_BGR2RGB, "GREY": cv2.COLOR_GRAY2RGB}  # at the tensor's
PASSES = 3  # of one path in a turn
HEAD = ("frame", "order", "path", "min ms", "median ms", "x edgecore")

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class Row:
    """Times of one path; `times_edgecore` compares the minima of one frame."""

    width: int
    height: int
    order: str
    path: str
    min_ms: float
    median_ms: float
    times_edgecore: float


def frame_of(width: int, height: int, order: str) -> Frame:
    """A smooth picture with some noise, as cameras give it."""
    random = np.random.default_rng(1)
    small = random.integers(0, 256, (height // 40, width // 40, 3), dtype=np.uint8)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    large += random.integers(-8, 9, large.shape, dtype=np.int16)
    rgb = np.clip(large, 0, 255).astype(np.uint8)
    if order == "RGB":
        return rgb
    if order in ("BGR", "GREY"):
        return cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR if order == "BGR" else cv2.COLOR_RGB2GRAY).astype(np.uint8)
    planes = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420).astype(np.uint8)
    if order == "NV12":
        chroma = planes[height:].reshape(2, -1)
        planes[height:] = np.stack([chroma[0], chroma[1]], axis=1).reshape(height // 2, width)
    return planes


def with_opencv(frame: Frame, order: str, interpolation: int, out: NDArray[np.int8]) -> None:
    """RGB of SIDE x SIDE pixels, each ^ 0x80, into `out`."""
    if order in BEFORE:
        frame = cv2.cvtColor(frame, BEFORE[order])  # type: ignore[assignment]
    small = cv2.resize(frame, (SIDE, SIDE), interpolation=interpolation)
    if order in AFTER:
        small = cv2.cvtColor(small, AFTER[order])
    np.bitwise_xor(small, 0x80, out=out.view(np.uint8))


def paths(frame: Frame, order: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """(name, what fills a tensor of its own from the frame)."""
    frame_order = "BGR" if order == "GREY" else order
    for name, filter in (("edgecore", "triangle"), ("edgecore, bilinear", "bilinear")):
        prepare = Preprocessor(Preprocessing(SIDE, SIDE, filter=filter), np.int8, 1 / 255, -128)
        out = np.empty((SIDE, SIDE, 3), np.int8)
        yield name, lambda prepare=prepare, out=out: prepare(frame, out, frame_order)  # type: ignore[misc]
    for name, value in FILTERS.items():
        out = np.empty((SIDE, SIDE, 3), np.int8)
        yield f"cv2 {name} + numpy", lambda value=value, out=out: with_opencv(frame, order, value, out)  # type: ignore[misc]


def measure(width: int, height: int, rounds: int) -> list[Row]:
    """The rows of one frame size, every path of every order in its turn."""
    found = [
        (order, name, action, [])
        for order in ORDERS
        for name, action in paths(frame_of(width, height, order), order)
    ]  # type: list[tuple[str, str, Callable[[], None], list[int]]]
    for number in range(rounds + 1):
        for place in range(len(found)):
            _, _, action, times = found[(number + place) % len(found)]
            action()  # the frame comes into the cache, as if the camera had just written it
            for _ in range(PASSES):
                begin = time.perf_counter_ns()
                action()
                times.append(time.perf_counter_ns() - begin)
    rows: list[Row] = []
    ours = 1.0
    for order, name, _, times in found:
        least = min(times[PASSES:])
        ours = least if name == "edgecore" else ours
        middle = statistics.median(times[PASSES:])
        rows.append(Row(width, height, order, name, least / 1e6, middle / 1e6, least / ours))
    return rows


def text(result: dict[str, Any], rows: Sequence[Row]) -> str:
    cells = [
        (
            f"{row.width}x{row.height}",
            row.order,
            row.path,
            f"{row.min_ms:.3f}",
            f"{row.median_ms:.3f}",
            f"{row.times_edgecore:.2f}",
        )
        for row in rows
    ]
    return (
        f"to {SIDE}x{SIDE} int8 RGB on one core; {result['machine']['name']}, tier {result['isa']}, "
        f"OpenCV {result['opencv']}, load {result['load_average']:.1f}\n\n"
        + table(HEAD, cells, left=(0, 1, 2))
    )


def run(arguments: Sequence[str] | None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m edgecore.benchmarks.preprocess", description="Compare preprocessing with OpenCV."
    )
    parser.add_argument("--rounds", type=int, default=60, help="turns of each path (default: 60)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        raise UserError("--rounds takes a number of turns, 1 or more")
    result: dict[str, Any] = {
        "machine": machine.identify().to_json(),
        "isa": os.environ.get("EDGECORE_ISA") or cpu.available_isas()[-1],
        "opencv": cv2.__version__,
        "load_average": os.getloadavg()[0],
        "side": SIDE,
    }
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        rows = [row for width, height in SIZES for row in measure(width, height, options.rounds)]
    finally:
        cv2.setNumThreads(threads)
    if options.json:
        print(json.dumps({**result, "rows": [asdict(row) for row in rows]}, indent=1))
    else:
        print(text(result, rows))


def main(arguments: Sequence[str] | None = None) -> int:
    return exit_status(lambda: run(arguments))


if __name__ == "__main__":
    sys.exit(main())
