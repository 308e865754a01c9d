"""The loop over hundreds of thousands of frames: does anything grow?

    python -m edgecore.benchmarks.soak --frames 200000

Runs the bundled model over `test:pattern` and looks at the process every few thousand frames. Exit status 1
when resident memory has grown by 1 MB or more since the end of the warm-up, or files or threads have at all.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from edgecore.bench.memory import Holdings, holdings
from edgecore.errors import exit_status
from edgecore.table import table

WARM_UP = 0.1  # of the frames, at most 10,000
MOST_GROWTH = 1_000_000  # bytes


def watch(frames: int, source: str, looks: int = 20) -> list[tuple[int, float, Holdings]]:
    """Runs the loop; what the process held at the end of the warm-up and `looks` times after it.

    Each as (frames done, seconds, holdings).

    A third of the results go to a results file, as they would on a device.
    """
    import edgecore
    from edgecore.live.outputs.results import ResultsFile

    warm = min(int(frames * WARM_UP), 10_000)
    step = max((frames - warm) // looks, 1)
    seen: list[tuple[int, float, Holdings]] = []
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        out = ResultsFile(Path(folder) / "results.jsonl", rotate_bytes=1 << 20, keep=2)
        for count, result in enumerate(edgecore.stream(source, frames=frames), 1):
            if count % 3 == 0:
                out.publish(result)
            if count >= warm and (count - warm) % step == 0:
                seen.append((count, time.monotonic() - begin, holdings()))
        out.close()
    return seen


def growth(seen: list[tuple[int, float, Holdings]]) -> dict[str, int]:
    """By how much each holding was larger at its largest than at the end of the warm-up."""
    first = seen[0][2]
    return {
        name: max(getattr(held, name) for _, _, held in seen) - getattr(first, name)
        for name in ("rss", "files", "threads")
    }


def _report(seen: list[tuple[int, float, Holdings]]) -> str:
    rows = [
        [f"{count:,}", f"{seconds:.0f}", f"{held.rss / 1e6:.2f}", str(held.files), str(held.threads)]
        for count, seconds, held in seen
    ]
    return table(["frames", "seconds", "RSS, MB", "files", "threads"], rows)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m edgecore.benchmarks.soak", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--frames", type=int, default=200_000, metavar="N", help="default: 200000")
    parser.add_argument("--source", default="test:pattern", metavar="URI", help="default: test:pattern")
    parser.add_argument("--json", action="store_true", help="what was seen, as one JSON object")
    args = parser.parse_args()
    grown: dict[str, int] = {}

    def run() -> None:
        seen = watch(args.frames, args.source)
        grown.update(growth(seen))
        if args.json:
            looks = [{"frames": count, "seconds": seconds, **vars(held)} for count, seconds, held in seen]
            print(json.dumps({"grown": grown, "looks": looks}))
        else:
            print(_report(seen))
            print(", ".join(f"{name} {value:+,}" for name, value in grown.items()))

    status = exit_status(run)
    grew = grown.get("rss", 0) >= MOST_GROWTH or grown.get("files", 0) > 0 or grown.get("threads", 0) > 0
    return status or int(grew)


if __name__ == "__main__":
    sys.exit(main())
