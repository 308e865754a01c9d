"""What the live loop costs beside the inference it exists for.

    python -m edgecore.benchmarks.loop

In turns, in one run, over the frames of `test:pattern`: reading a frame, preprocessing it, the inference
alone, and the whole loop with its threads, decision and hand-overs. Each by wall time and by CPU time of the
process, a frame. The engine has one thread, so that CPU time is not that of workers that wait for work.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable

from edgecore.errors import exit_status
from edgecore.statistics import percentile
from edgecore.table import table


def _cost(action: Callable[[int], None], frames: int) -> tuple[float, float]:
    """(wall, CPU) seconds a frame of one turn."""
    wall, cpu = time.perf_counter(), time.process_time()
    action(frames)
    return (time.perf_counter() - wall) / frames, (time.process_time() - cpu) / frames


def measure(model_path: str | None, source: str, turns: int, frames: int) -> dict[str, dict[str, float]]:
    """Milliseconds a frame, {what: {"wall": min, "wall_median": ..., "cpu": min, "cpu_median": ...}}."""
    import edgecore
    from edgecore.camera import source_of

    model = edgecore.load(model_path, threads=1)
    with source_of(source) as opened:
        frame = opened.read()
        assert frame is not None

        def read(count: int) -> None:
            for _ in range(count):
                taken = opened.read()
                assert taken is not None
                taken.release()

        def infer(count: int) -> None:
            for _ in range(count):
                model.infer()

        def prepare(count: int) -> None:
            for _ in range(count):
                model.prepare(frame.pixels, frame.order)

        def loop(count: int) -> None:
            for _ in edgecore.stream(source, model, frames=count, pictures=False):
                pass

        parts = {"read": read, "preprocess": prepare, "inference": infer, "loop": loop}
        seen: dict[str, list[tuple[float, float]]] = {name: [] for name in parts}
        for turn in range(turns + 1):
            for name, action in parts.items():
                cost = _cost(action, frames)
                if turn:  # the first one warms up
                    seen[name].append(cost)
    found = {}
    for name, costs in seen.items():
        walls, cpus = sorted(wall for wall, _ in costs), sorted(cpu for _, cpu in costs)
        found[name] = {
            "wall": walls[0] * 1e3,
            "wall_median": percentile(walls, 50) * 1e3,
            "cpu": cpus[0] * 1e3,
            "cpu_median": percentile(cpus, 50) * 1e3,
        }
    return found


def _report(found: dict[str, dict[str, float]]) -> str:
    rows = [[name, *(f"{value:.3f}" for value in costs.values())] for name, costs in found.items()]
    parts = {
        key: sum(found[name][key] for name in ("read", "inference", "preprocess")) for key in found["loop"]
    }
    rest = {key: found["loop"][key] - value for key, value in parts.items()}
    rows.append(["loop beyond its parts", *(f"{value:.3f}" for value in rest.values())])
    beyond = {key: found["loop"][key] - found["inference"][key] for key in found["loop"]}
    rows.append(["loop beyond inference", *(f"{value:.3f}" for value in beyond.values())])
    return table(["ms a frame", "wall min", "median", "CPU min", "median"], rows, left=[0])


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m edgecore.benchmarks.loop", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--model", metavar="FILE", help="a .tflite (default: the bundled one)")
    parser.add_argument("--source", default="test:pattern", metavar="URI", help="default: test:pattern")
    parser.add_argument("--turns", type=int, default=10, metavar="N", help="default: 10")
    parser.add_argument("--frames", type=int, default=1000, metavar="N", help="of a turn (default: 1000)")
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
    args = parser.parse_args()

    def run() -> None:
        found = measure(args.model, args.source, args.turns, args.frames)
        print(json.dumps(found) if args.json else _report(found))

    return exit_status(run)


if __name__ == "__main__":
    sys.exit(main())
