"""Images with the bundled model's classes, and evaluations made of counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgecore.converters.data import Source, open_source
from edgecore.converters.evaluation.evaluation import ENGINE, FLOAT, INTERPRETER, Evaluation, Run
from edgecore.converters.evaluation.report import Report
from edgecore.model import load

EACH = 2


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with two pictures of noise for each class of the bundled model."""
    random = np.random.default_rng(1)
    for name in load(threads=1).labels:
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(EACH):
            coarse = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
            picture = cv2.resize(coarse, (40, 36), interpolation=cv2.INTER_CUBIC)
            assert cv2.imwrite(str(tmp_path / "pictures" / name / f"{number}.png"), picture)
    return tmp_path / "pictures"


@pytest.fixture
def source(pictures: Path) -> Source:
    """The same, opened."""
    return open_source(pictures)


@pytest.fixture
def found() -> Callable[..., Evaluation]:
    """found("name", hits, ms=8, size=4e6): 100 images, `hits` of them right in int8 and one more in float;
    float has twice the latency and four times the size."""

    def make(name: str, hits: int, *, ms: float | None = 8.0, size: float = 4e6) -> Evaluation:
        def run(kind: str, right: int, slower: float, larger: float, same: int | None = None) -> Run:
            report = Report(("a", "b"), np.array([[right, 100 - right], [0, 0]], np.int64))
            time = None if ms is None else ms * slower
            return Run(kind, report, f"{kind} 1.0", time, int(size * larger), same)

        runs = (run(FLOAT, hits + 1, 2, 4, 99), run(INTERPRETER, hits, 3, 1, 100), run(ENGINE, hits, 1, 1))
        return Evaluation(name, 1234, 0, 1, runs)

    return make
