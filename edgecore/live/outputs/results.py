"""`--out results.jsonl`: one JSON line a result, and how to read them back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Self

from edgecore.errors import UserError
from edgecore.live.outputs.lines import LineFile, rotated
from edgecore.live.result import Result

ROTATE_BYTES = 64 << 20
KEEP = 4
SYNC_SECONDS = 5.0
MAX_LINE = 1 << 20  # bytes; nothing that is longer was written by edgecore


class ResultsFile:
    """Appends results to a file of JSON lines.

    Each line is in the system's hands when publish() returns, so it survives the end of the process, and on
    the disk `sync_seconds` later, so a power cut costs no more than the last seconds and damages at most the
    last line.

    Args:
        path: a file, a named pipe or `/dev/stdout`.
        rotate_bytes: the file is moved to `path.1`, the one before to `path.2` and so on before it would
            grow beyond this.
        keep: how many of these moved files stay.
        sync_seconds: between two demands that the disk has what was written.

    Raises:
        UserError: the file cannot be opened, or another program writes it.
    """

    pictures = False

    def __init__(
        self,
        path: str | os.PathLike[str],
        rotate_bytes: int = ROTATE_BYTES,
        keep: int = KEEP,
        sync_seconds: float = SYNC_SECONDS,
    ) -> None:
        self.title = os.fspath(path)
        self._file = LineFile(path, rotate_bytes, keep, sync_seconds)

    def publish(self, result: Result) -> None:
        """Appends a line. Raises OSError or UserError: it is not written."""
        self._file.write(json.dumps(result.to_json()).encode() + b"\n")

    def close(self) -> None:
        """Has the disk take what was written; waits at most half a second for it."""
        self._file.close()


def read_results(path: str | os.PathLike[str]) -> ResultsReader:
    """The results that `edgecore run --out` wrote, oldest first, those of rotated files included.

        for result in edgecore.read_results("results.jsonl"):
            print(result["frame"], result["label"])

    Raises:
        UserError: there is no such file, or it may not be read.
    """
    return ResultsReader(Path(path))


class ResultsReader(Iterator[dict[str, Any]]):
    """Iterates over the lines of result files as dicts.

    Attributes:
        damaged: lines that were skipped so far, because a power cut or a full disk left them incomplete.
    """

    def __init__(self, path: Path) -> None:
        self.damaged = 0
        self._files = _open_all(path)
        self._lines = self._read()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> dict[str, Any]:
        return next(self._lines)

    def close(self) -> None:
        """Closes the files; reading to the end does so too."""
        for file in self._files:
            file.close()

    def _read(self) -> Iterator[dict[str, Any]]:
        for file in self._files:
            with file:
                for line in _lines(file):
                    value = _parse(line)
                    if value is not None:
                        yield value
                    elif line.strip():
                        self.damaged += 1


def _open_all(path: Path) -> list[BinaryIO]:
    """Every file, oldest first; begins again where a rotation comes between."""
    while True:
        names = _names(path)
        if not names:
            raise UserError(f"there are no results at {path}; check the path")
        files: list[BinaryIO] = []
        try:
            for name in names:
                files.append(name.open("rb"))
            opened = [_identity(os.fstat(file.fileno())) for file in files]
            if opened == [_identity(name.stat()) for name in _names(path)]:
                return files
        except FileNotFoundError:
            pass
        except OSError as error:
            for file in files:
                file.close()
            raise UserError(f"{name} cannot be read: {error.strerror}") from error
        for file in files:
            file.close()


def _names(path: Path) -> list[Path]:
    return [*reversed(rotated(path)), *([path] if path.exists() else [])]


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; of one that is too long its first part alone."""
    while line := file.readline(MAX_LINE):
        yield line
        while len(line) == MAX_LINE and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE)


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
