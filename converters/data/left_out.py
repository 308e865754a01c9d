"""Images that cannot be used: counted and named, and borne up to a limit."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from edgecore.errors import UserError

NAMED = 5


def shown(name: str) -> str:
    """A file's name on one line, whatever characters it has."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in name)


class LeftOut:
    """The images of one folder or zip that were left out; its parts share it, and threads may.

    Args:
        path: the folder or zip.
        counts: how many images each class has, by name.
        limit: how many may be left out; None: one in a hundred, or 10 where that is more.
    """

    def __init__(self, path: Path, counts: dict[str, int], limit: int | None = None) -> None:
        self.path = path
        self.total = sum(counts.values())
        self.limit = max(10, self.total // 100) if limit is None else limit
        self.reasons: dict[str, str] = {}
        self._remaining = dict(counts)
        self._lock = threading.Lock()

    def add(self, name: str, label: str, reason: str) -> None:
        """Leaves the image `name` of the class `label` out; once, however often it is said.

        Raises UserError: there are more than the limit, or the class has none that decodes.
        """
        with self._lock:
            if name not in self.reasons:
                self.reasons[name] = reason
                self._remaining[label] -= 1
            if len(self.reasons) > self.limit:
                raise UserError(
                    f"{self.path}: at least {len(self.reasons)} of {self.total} images cannot be used, more "
                    f"than the {self.limit} that may be left out: {self._named(True)}; replace or remove them"
                )
            if not self._remaining[label]:
                raise UserError(
                    f"{self.path}: no image of class '{label}' can be used: {self._named(True)}; "
                    "replace them, or remove the class"
                )

    def __contains__(self, name: str) -> bool:
        return name in self.reasons

    def __len__(self) -> int:
        return len(self.reasons)

    def __str__(self) -> str:
        """One line: "2 images of 909 in xray do not decode and were left out: a.jpg, b.jpg"."""
        images = "image" if len(self) == 1 else "images"
        were = "does not decode and was" if len(self) == 1 else "do not decode and were"
        return f"{len(self)} {images} of {self.total} in {self.path} {were} left out: {self._named(False)}"

    def _named(self, reasons: bool) -> str:
        chosen: Sequence[str] = sorted(self.reasons)
        names = [f"{shown(name)} ({self.reasons[name]})" if reasons else shown(name) for name in chosen]
        more = len(names) - NAMED
        return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
