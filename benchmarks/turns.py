"""The parent's side: workers that take short turns, A B C, B C A, ..., over one model."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from edgecore.benchmarks import worker
from edgecore.errors import UserError

WARM_UP_MS = 150.0
PATIENCE = 300.0  # seconds; the slowest peer needs a fraction of it for its longest answer


@dataclass(frozen=True)
class Entrant:
    """A runtime as it enters: the Python that has it, its variables, and its form of the model."""

    runtime: str
    python: Path
    variables: Mapping[str, str]
    model: Path


class RuntimeFailed(UserError):
    """A worker stopped: the text says which, and its last words."""


def _command(entrant: Entrant, threads: int, *options: str) -> list[str]:
    # -P: the worker's own folder must not stand before the packages.
    words = [str(entrant.python), "-P", str(worker.__file__), "--runtime", entrant.runtime]
    return [*words, "--threads", str(threads), *options, str(entrant.model)]


def _last_words(text: str) -> str:
    return (text.strip().splitlines()[-1:] or ["it said nothing"])[0].strip()


class Worker:
    """A worker process: a runtime that has loaded a model and waits for its turn.

    `facts` say what was loaded; "first_result_ms" of them runs from the start of the process.
    """

    def __init__(self, entrant: Entrant, threads: int) -> None:
        self.runtime = entrant.runtime
        self._log = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 (closed by close)
        begin = time.perf_counter()
        self._process = subprocess.Popen(
            _command(entrant, threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=dict(entrant.variables),
        )
        try:
            first = self._answer()
            elapsed = time.perf_counter() - begin
            self.facts: dict[str, Any] = {**first, "first_result_ms": elapsed * 1e3, **self._ask({})}
        except BaseException:
            self.close(kill=True)
            raise

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(kill=error is not None)

    def close(self, kill: bool = False) -> None:
        """Ends the process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        if kill:
            self._process.kill()
        with contextlib.suppress(BrokenPipeError):  # a question that nobody read
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._log.close()

    def turn(self, milliseconds: float) -> dict[str, Any]:
        """One turn of about that length: {"nanoseconds": of each invocation, "peak_bytes": so far}."""
        return self._ask({"milliseconds": milliseconds})

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        # A worker that is gone reads nothing; its answer will be missing, and says why.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        # A worker writes one line for one question, so nothing stands in the buffer, where select is blind.
        if not select.select([self._process.stdout], [], [], PATIENCE)[0]:
            self._process.kill()
            raise RuntimeFailed(f"{self.runtime} gave no answer for {PATIENCE:.0f} s")
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._log.seek(0)
            said = _last_words(self._log.read())
            raise RuntimeFailed(f"{self.runtime} stopped with status {self._process.returncode}: {said}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def inspect(entrant: Entrant, outputs: Path) -> dict[str, Any]:
    """What the runtime made of the model, in a process of its own; its outputs go to the file `outputs`.

    Raises RuntimeFailed.
    """
    try:
        done = subprocess.run(
            _command(entrant, 1, "--inspect", str(outputs)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=dict(entrant.variables),
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeFailed(f"{entrant.runtime} gave no answer for {PATIENCE:.0f} s") from None
    if done.returncode:
        words = _last_words(done.stderr)
        raise RuntimeFailed(f"{entrant.runtime} stopped with status {done.returncode}: {words}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(entrants: Sequence[Entrant], threads: int, rounds: int, turn_ms: float) -> list[dict[str, Any]]:
    """One row per runtime: its latencies in ms over `rounds` turns of `turn_ms` each, memory and start.

    A runtime that does not load the model, or stops in one of its turns, has a row with "failed" alone.
    """
    failures: dict[str, str] = {}
    running: dict[str, Worker] = {}
    turns: dict[str, list[list[int]]] = {}
    peaks: dict[str, int] = {}

    def take_turn(runtime: str, milliseconds: float, counts: bool) -> None:
        try:
            answer = running[runtime].turn(milliseconds)
        except RuntimeFailed as error:
            failures[runtime] = str(error)
            del running[runtime]
            return
        if counts:
            turns.setdefault(runtime, []).append(answer["nanoseconds"])
            peaks[runtime] = answer["peak_bytes"]

    with contextlib.ExitStack() as stack:
        # One after the other, so that nobody's loading runs into another one's first result.
        for entrant in entrants:
            try:
                running[entrant.runtime] = stack.enter_context(Worker(entrant, threads))
            except RuntimeFailed as error:
                failures[entrant.runtime] = str(error)
        for runtime in list(running):
            take_turn(runtime, WARM_UP_MS, counts=False)
        for number in range(rounds):
            order = list(running)
            first = number % max(len(order), 1)
            for runtime in order[first:] + order[:first]:
                take_turn(runtime, turn_ms, counts=True)
    rows: list[dict[str, Any]] = []
    for runtime in (entrant.runtime for entrant in entrants):
        row: dict[str, Any] = {"runtime": runtime, "threads": threads}
        rows.append(row)
        if runtime in failures:
            row["failed"] = failures[runtime]
            continue
        every = sorted(duration for durations in turns[runtime] for duration in durations)
        row.update(
            running[runtime].facts,
            invocations=len(every),
            min_ms=every[0] / 1e6,
            median_ms=every[len(every) // 2] / 1e6,
            turn_min_ms=[min(durations) / 1e6 for durations in turns[runtime]],
            peak_bytes=peaks[runtime],
        )
    return rows
