"""Which of the zoo's networks become full int8, run wholly in the engine, and give the reference's bytes.

    python -m edgecore.converters.zoo.convertible [--csv FILE] [NAME ...]

Each is built with random weights at a small input size, which changes no operation, and has a process of its
own. The engine's answers to the pictures of edgecore/golden.py are held against TFLite's reference kernels.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

from edgecore.converters import zoo
from edgecore.errors import UserError, exit_status

CLASSES = 5
SIZES = (64, 96, 128, 256)
CALIBRATION_IMAGES = 4


@dataclass(frozen=True)
class Row:
    """What became of one network.

    Attributes:
        size: height and width of its input.
        refused: why it does not become full int8; empty where it does.
        nodes: operations of the int8 graph.
        left: those that the engine leaves to the interpreter, with their number.
        pictures, differing: how many were compared, and how many gave other bytes than the reference.
    """

    name: str
    size: int
    refused: str = ""
    nodes: int = 0
    left: str = ""
    pictures: int = 0
    differing: int = 0

    def __str__(self) -> str:
        if self.refused:
            return f"{self.name}@{self.size}: {self.refused}"
        where = f"leaves {self.left} to the interpreter" if self.left else "runs wholly in the engine"
        bytes_ = f"{self.differing} of {self.pictures} differ" if self.differing else "the reference's bytes"
        return f"{self.name}@{self.size}: {self.nodes} nodes, {where}, {bytes_}"


def look(name: str) -> Row:
    """Builds, converts and runs one network. Needs TensorFlow; the engine gets a process of its own."""
    from edgecore.converters.host import require_tensorflow

    require_tensorflow()
    from edgecore.converters import samples
    from edgecore.converters.integer import check_integer

    samples.CALIBRATION_IMAGES = CALIBRATION_IMAGES
    size = 0
    for size in _sizes(name):
        try:
            flatbuffer = samples.build_sample(name, input_size=size, classes=CLASSES)
            check_integer(flatbuffer)
        except UserError as error:
            if "cannot be built at input size" in str(error) and size != _sizes(name)[-1]:
                continue
            return Row(name, size, refused=str(error))
        break
    return _run(name, size, flatbuffer)


def _sizes(name: str) -> list[int]:
    own = zoo.member(name).input_size
    return [*(size for size in SIZES if size < own), own]


def _run(name: str, size: int, flatbuffer: bytes) -> Row:
    from edgecore import golden
    from edgecore.converters.verification.device import Device
    from edgecore.preprocess import Preprocessing

    entry = zoo.member(name)
    spec = Preprocessing(width=size, height=size, order=entry.order, scale=entry.scale)
    differing = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(flatbuffer)
        with Device(path) as device:
            details = (device.input.dtype, device.input.scale, device.input.zero_point)
            for tensor in golden.inputs(spec, *details):
                device.send(tensor, reference=True)
                differing += device.receive().tobytes() != device.receive().tobytes()
            counts = Counter(node["operator"] for node in device.facts["left"])
            left = " ".join(f"{count}x{operator}" for operator, count in sorted(counts.items()))
            return Row(name, size, "", device.facts["nodes"], left, golden.PICTURES, differing)


def main(argv: list[str] | None = None) -> None:
    """Prints a line for each network and writes them as CSV where that is asked."""
    parser = argparse.ArgumentParser(
        prog="python -m edgecore.converters.zoo.convertible", description=__doc__
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also as CSV")
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all of the zoo")
    args = parser.parse_args(argv)
    names = args.names or zoo.names()
    for name in names:
        zoo.member(name)
    rows = []
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        for row in pool.map(look, names):
            print(row, flush=True)
            rows.append(asdict(row))
            if args.csv is not None:
                with args.csv.open("w", newline="") as file:
                    writer = csv.DictWriter(file, rows[0])
                    writer.writeheader()
                    writer.writerows(rows)


if __name__ == "__main__":
    sys.exit(exit_status(main))
