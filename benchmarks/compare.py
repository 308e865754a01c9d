"""edgecore against tflite-runtime and LiteRT: the same models, in turns, in one run.

    python -m edgecore.benchmarks.compare [--models NAME,NAME] [--threads 1,2] [--out DIR]

Every runtime lives in its own process. For each model and thread count the processes take short turns, A B C,
B C A, ..., so that a machine whose speed drifts treats them alike; ratios within one run can be held on to,
milliseconds only together with the machine that is named. Writes compare.md, compare.json and, with
matplotlib, compare.svg.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from edgecore.benchmarks import models, report
from edgecore.benchmarks.worker import RUNTIMES, installed
from edgecore.devices import machine
from edgecore.errors import UserError, exit_status

WARM_UP_MS = 150.0


class Worker:
    """A worker process: a runtime that has loaded a model and waits for its turn."""

    def __init__(self, runtime: str, model: Path, threads: int) -> None:
        self.runtime = runtime
        command = [sys.executable, "-m", "edgecore.benchmarks.worker", "--runtime", runtime]
        self._log = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 (closed by __exit__)
        self._process = subprocess.Popen(
            [*command, "--model", str(model), "--threads", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        if error is not None:
            self._process.kill()
        self._process.wait()
        self._log.close()

    def facts(self) -> dict[str, Any]:
        """What was loaded; to be read once, before the first turn."""
        return self._answer()

    def turn(self, milliseconds: float) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"milliseconds": milliseconds}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._log.seek(0)
            said = self._log.read().strip().splitlines()[-1:] or ["it said nothing"]
            raise UserError(f"{self.runtime} stopped with status {self._process.returncode}: {said[0]}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def measure(
    name: str, path: Path, threads: int, runtimes: Sequence[str], rounds: int, turn_ms: float
) -> list[dict[str, Any]]:
    """One row per runtime: its latencies in ms over `rounds` turns of `turn_ms` each."""
    workers: list[Worker] = []
    with contextlib.ExitStack() as stack:
        # One after the other, so that nobody's loading runs into another one's first result.
        facts = []
        for runtime in runtimes:
            workers.append(stack.enter_context(Worker(runtime, path, threads)))
            facts.append(workers[-1].facts())
        for worker in workers:
            worker.turn(WARM_UP_MS)
        turns: list[list[list[int]]] = [[] for _ in workers]
        peaks = [0] * len(workers)
        for number in range(rounds):
            for place in range(len(workers)):
                index = (number + place) % len(workers)
                answer = workers[index].turn(turn_ms)
                turns[index].append(answer["nanoseconds"])
                peaks[index] = answer["peak_bytes"]
    rows = []
    for worker, fact, mine, peak in zip(workers, facts, turns, peaks, strict=True):
        every = sorted(duration for durations in mine for duration in durations)
        rows.append(
            {
                "model": name,
                "threads": threads,
                "runtime": worker.runtime,
                **fact,
                "invocations": len(every),
                "min_ms": every[0] / 1e6,
                "median_ms": every[len(every) // 2] / 1e6,
                "turn_min_ms": [min(durations) / 1e6 for durations in mine],
                "peak_bytes": peak,
            }
        )
    return rows


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m edgecore.benchmarks.compare", description="Compare edgecore with its peers."
    )
    parser.add_argument("--models", help="comma-separated names (default: all that are there)")
    parser.add_argument("--threads", default="1,2", help="comma-separated thread counts (default: 1,2)")
    parser.add_argument("--rounds", type=int, default=12, help="turns of each runtime (default: 12)")
    parser.add_argument("--turn-ms", type=float, default=100.0, help="length of a turn (default: 100)")
    parser.add_argument("--mlperf-tiny", type=Path, help="folder with MLPerf Tiny's int8 models")
    parser.add_argument("--out", type=Path, default=Path("runs/compare"), help="default: runs/compare")
    parser.add_argument(
        "--publish", action="store_true", help="in a checkout: update benchmarks/README.md and its picture"
    )
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    try:
        counts = [int(count) for count in options.threads.split(",")]
    except ValueError:
        counts = [0]
    if min(counts) < 1 or options.rounds < 1:
        raise UserError("--threads takes numbers such as 1,2 and --rounds at least 1")
    mlperf_tiny = options.mlperf_tiny
    wanted = options.models.split(",") if options.models else models.names(mlperf_tiny)
    if options.publish and not report.PAGE.is_file():
        raise UserError(f"--publish writes {report.PAGE}; call it in the project's own folder")
    runtimes = [runtime for runtime in RUNTIMES if installed(runtime)]
    result: dict[str, Any] = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": machine.identify().to_json(),
        "load_average": os.getloadavg()[0],
        "runtimes": {runtime: installed(runtime) for runtime in RUNTIMES},
        "rounds": options.rounds,
        "turn_ms": options.turn_ms,
        "rows": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, path in models.collect(wanted, Path(folder), mlperf_tiny).items():
            for threads in counts:
                print(f"{name}, {threads} thread{'s' if threads > 1 else ''}", file=sys.stderr, flush=True)
                result["rows"] += measure(name, path, threads, runtimes, options.rounds, options.turn_ms)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "compare.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    text = report.markdown(result)
    (options.out / "compare.md").write_text(text, encoding="utf-8")
    print(text)
    if not report.plot(result, options.out / "compare.svg"):
        print("no plot: matplotlib is missing; pip install 'edgecore[bench]'", file=sys.stderr)
    if options.publish:
        report.publish(result, Path())


def main(arguments: Sequence[str] | None = None) -> int:
    return exit_status(lambda: run(parse(arguments)))


if __name__ == "__main__":
    raise SystemExit(main())
