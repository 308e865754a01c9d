"""`edgecore run` as a user starts it, its lines and how long it takes to end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Any, Self

from materials import PATIENCE, until


class Run:
    """A process of `edgecore run --json`.

    Attributes:
        results: the lines of stdout so far, decoded.
        said: the lines of stderr so far.
        status: the exit status, after stop() or wait().
    """

    def __init__(self, *words: object, reads: bool = True) -> None:
        command = [sys.executable, "-m", "edgecore.cli", "run", "--json", *map(str, words)]
        # What a shell starts in the background ignores Ctrl-C, and so would its children.
        inherited = signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
            )
        finally:
            signal.signal(signal.SIGINT, inherited)
        self.status: int | None = None
        self.results: list[dict[str, Any]] = []
        self.said: list[str] = []
        self._readers = [threading.Thread(target=read) for read in (self._read_out, self._read_errors)]
        if not reads:
            self._readers = []
        for reader in self._readers:
            reader.start()

    def _read_out(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.results.append(json.loads(line))

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.rstrip("\n"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.wait()

    @property
    def pid(self) -> int:
        return self.process.pid

    def frames(self, count: int) -> float:
        """Waits for so many results more; how many seconds that took."""
        wanted = len(self.results) + count
        return until(
            lambda: len(self.results) >= wanted or self.process.poll() is not None, f"frames; {self.said}"
        )

    def hears(self, text: str) -> float:
        """Waits for a line on stderr that has `text`; how many seconds that took."""
        return until(lambda: any(text in line for line in self.said), f"{text!r} in {self.said}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Sends a signal; seconds until the process has ended."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> float:
        """Seconds until the process has ended."""
        begin = time.monotonic()
        self.status = self.process.wait(PATIENCE)
        seconds = time.monotonic() - begin
        for reader in self._readers:
            reader.join(PATIENCE)
        return seconds

    @property
    def summary(self) -> dict[str, Any]:
        """The last line's."""
        found: dict[str, Any] = self.results[-1]["summary"]
        return found

    @property
    def indices(self) -> list[int]:
        """The numbers of the frames."""
        return [line["frame"] for line in self.results if "frame" in line]
