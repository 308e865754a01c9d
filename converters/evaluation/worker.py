"""`python -m edgecore.converters.evaluation.worker`: does one job of `evaluation.jobs` and ends."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from edgecore.converters.evaluation.jobs import BARRED
from edgecore.errors import UserError


def bar(packages: Sequence[str]) -> None:
    """Makes every import of these packages fail from now on."""
    for name in packages:
        sys.modules[name] = None  # type: ignore[assignment]


def main() -> None:
    """Standard input: a pickled job. Standard output: pickles of ("done", images), then of ("result", value)
    or ("mistake", text)."""
    job = pickle.load(sys.stdin.buffer)
    # Standard output belongs to the answers alone; what libraries print goes to standard error.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def send(kind: str, value: Any) -> None:
        pickle.dump((kind, value), answers)
        answers.flush()

    bar(BARRED[job.SIDE])
    try:
        module = import_module(f"edgecore.converters.evaluation.{job.MODULE}")
        send("result", module.run(job, lambda images: send("done", images)))
    except UserError as error:
        send("mistake", str(error))


if __name__ == "__main__":
    main()
