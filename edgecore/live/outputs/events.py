"""`--on-event CMD`: a command that is run when the label that counts has changed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable

from edgecore.live.outputs.worker import Worker
from edgecore.live.result import Event, Result

TIME_LIMIT = 10.0  # seconds
GRACE = 1.0  # seconds between SIGTERM and SIGKILL
WAITING = 16  # events
CLOSE_SECONDS = 0.5
INTERVAL = 0.02  # seconds between two looks at a running command
STDERR_TAIL = 4096  # bytes


class EventCommand:
    """Runs `sh -c command` for each event, one at a time, with the event as JSON on its standard input.

    The command has a process group of its own, and it and everything that is left of its group ends after
    `time_limit` seconds, by SIGTERM and then by SIGKILL; what it leaves in the background when it ends by
    itself is killed too (`setsid` keeps a process). Its standard output is thrown away; the last line of its
    standard error is told when it fails. While it runs at most `waiting` events wait, the newest ones.

    Args:
        command: for the shell.
        notice: is given a line for each new kind of failure, from another thread.
        time_limit: in seconds.
        waiting: how many events may wait.
    """

    pictures = False

    def __init__(
        self,
        command: str,
        notice: Callable[[str], None],
        time_limit: float = TIME_LIMIT,
        waiting: int = WAITING,
    ) -> None:
        self.title = "event command"
        self._command = command
        self._notice = notice
        self._time_limit = time_limit
        self._told: set[str] = set()
        self._stop = threading.Event()
        self._worker = Worker("edgecore-events", self._run, waiting, self._failed, self._drop)

    @property
    def dropped(self) -> int:
        """Events for which the command was not run, because it was too slow or the end came."""
        return self._worker.dropped

    def publish(self, result: Result) -> None:
        """Has the command run for the result's event, if there is one; never waits for it."""
        if result.event is not None:
            self._worker.put(result.event)

    def close(self) -> None:
        """Waits half a second for what runs and waits, then kills it."""
        if not self._worker.close(CLOSE_SECONDS):
            self._stop.set()
            self._worker.close(CLOSE_SECONDS)
        if self.dropped and "closed" not in self._told:
            self._tell("closed", f"was not run for {self.dropped} events in all")

    def _drop(self, event: Event) -> None:
        self._tell("slow", "is slower than the events come; the oldest that wait are left out")

    def _failed(self, error: Exception) -> None:
        self._tell(f"error {error}", f"cannot be run: {error}")

    def _tell(self, kind: str, text: str) -> None:
        if kind not in self._told:
            self._told.add(kind)
            self._notice(f"{self.title}: {text}")

    def _run(self, event: Event) -> None:
        stdin = os.memfd_create("edgecore-event", os.MFD_CLOEXEC)
        try:
            os.write(stdin, json.dumps(event.to_json()).encode() + b"\n")
            os.lseek(stdin, 0, os.SEEK_SET)
            process = subprocess.Popen(
                ["sh", "-c", self._command],
                stdin=stdin,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        finally:
            os.close(stdin)
        assert process.stderr is not None
        with process.stderr:
            tail = _Tail(process.stderr.fileno())
            try:
                in_time = self._watch(process, tail)
            finally:
                # Not reaped yet, so the group's number cannot belong to anybody else.
                _signal_group(process, signal.SIGKILL)
                status = process.wait()
            tail.read()
        if self._stop.is_set():
            return
        if not in_time:
            self._tell("limit", f"was ended after {self._time_limit:g} s")
        elif status:
            ended = f"signal {-status}" if status < 0 else f"exit status {status}"
            last = tail.last_line()
            self._tell(f"status {status}", f"{ended}: {last}" if last else ended)

    def _watch(self, process: subprocess.Popen[bytes], tail: _Tail) -> bool:
        """Waits for the command's end; returns whether it came in time, else the command has had SIGTERM."""
        limit = time.monotonic() + self._time_limit
        while not _ended(process):
            tail.read()
            if time.monotonic() >= limit:
                break
            if self._stop.wait(INTERVAL):
                return False
        else:
            return True
        _signal_group(process, signal.SIGTERM)
        limit = time.monotonic() + GRACE
        while not _ended(process) and time.monotonic() < limit and not self._stop.wait(INTERVAL):
            tail.read()
        return False


class _Tail:
    """The end of what comes through a pipe; reading it never waits."""

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._bytes = b""

    def read(self) -> None:
        """Takes what is there; not for ever, as a command may write faster than it is read."""
        for _ in range(64):
            try:
                chunk = os.read(self._fd, 1 << 16)
            except BlockingIOError:
                return
            if not chunk:
                return
            self._bytes = (self._bytes + chunk)[-STDERR_TAIL:]

    def last_line(self) -> str:
        """The last line with text, as printable characters."""
        lines = [line for line in self._bytes.decode("utf-8", "replace").splitlines() if line.strip()]
        return (
            "".join(char if char.isprintable() else " " for char in lines[-1]).strip()[:200] if lines else ""
        )


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether the command has ended; it stays to be reaped."""
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # reaped by the system, as edgecore was started with SIGCHLD ignored
        return True


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):  # gone, or a setuid program that is left to its own
        return
