"""Jobs run in processes of their own, which never hold both sides."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecore.converters.data import Source
from edgecore.converters.evaluation import jobs
from edgecore.converters.evaluation.images import ImageList
from edgecore.converters.evaluation.jobs import BARRED, Answers, LatencyJob, TfliteJob
from edgecore.errors import UserError
from edgecore.model import bundled_model, load

SIDES = {"tensorflow": ["tensorflow"], "tflite": ["tflite_runtime", "ai_edge_litert"]}


@pytest.mark.parametrize(("side", "other"), [("tensorflow", "tflite"), ("tflite", "tensorflow")])
def test_a_process_of_one_side_cannot_import_the_other(side: str, other: str) -> None:
    code = (
        "import importlib\n"
        "from edgecore.converters.evaluation.jobs import BARRED\n"
        "from edgecore.converters.evaluation.worker import bar\n"
        f"bar(BARRED[{side!r}])\n"
        f"for name in {SIDES[other]}:\n"
        "    try: importlib.import_module(name)\n"
        "    except ImportError: continue\n"
        "    raise SystemExit(f'{name} was imported')\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_whoever_evaluates_imports_neither_side(pictures: Path) -> None:
    code = (
        "import sys\n"
        "from edgecore import cli\n"
        f"status = cli.main(['eval', '--data', {str(pictures)!r}, '--seconds', '0'])\n"
        f"both = {[*BARRED['tflite'], *BARRED['tensorflow']]}\n"
        "raise SystemExit(status or ', '.join(name for name in both if name in sys.modules) or None)\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr


def test_the_engine_answers_as_in_this_process_and_as_the_reference_to_the_byte(source: Source) -> None:
    images = ImageList.of(source)
    model = load(threads=1)
    to_data = [source.classes.index(label) for label in model.labels]
    expected = [to_data[model.classify(frame, 1)[0].index] for frame, _ in source.frames()]
    said: list[int] = []
    engine, reference = (
        jobs.run(TfliteJob(None, images, kernels), said.append) for kernels in ("engine", "reference")
    )
    np.testing.assert_array_equal(engine.predicted, expected)
    np.testing.assert_array_equal(engine.digests, reference.digests)
    assert len(set(engine.digests)) == len(images)
    assert engine.runtime.startswith("edgecore ")


def test_images_that_do_not_decode_have_no_answer_and_shift_none(source: Source) -> None:
    images = ImageList.of(source)
    whole: Answers = jobs.run(TfliteJob(None, images))
    (source.path / source.items[3][0]).write_bytes(b"no image")
    part: Answers = jobs.run(TfliteJob(None, images))
    assert list(np.flatnonzero(~part.seen)) == [3]
    np.testing.assert_array_equal(part.predicted[part.seen], np.delete(whole.predicted, 3))
    assert part.report(images).images == len(images) - 1


def test_latencies_come_for_each_contestant() -> None:
    path = bundled_model()
    seconds = jobs.run(LatencyJob(((path, True), (path, False)), threads=1, seconds=0.01))
    assert len(seconds) == 2
    assert all(0 < value < 10 for value in seconds)


def test_a_mistake_comes_back_as_one(source: Source, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no model .*nothing\.tflite"):
        jobs.run(TfliteJob(tmp_path / "nothing.tflite", ImageList.of(source)))


@dataclass(frozen=True)
class Fatal:
    """Ends the process that unpickles it by running a line of Python there."""

    code: str

    def __reduce__(self) -> Any:
        return exec, (self.code,)

    def __str__(self) -> str:
        return "fatal.tflite"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os.abort()", "its process got signal 6"),
        ("raise SystemExit('out of luck')", r"out of luck \(exit status 1\)"),
        ("1 / 0", r"ZeroDivisionError: division by zero \(exit status 1\)"),
    ],
)
def test_a_process_that_dies_is_told_with_its_last_words(source: Source, code: str, words: str) -> None:
    with pytest.raises(UserError, match=f"running fatal.tflite failed: {words}"):
        jobs.run(TfliteJob(Fatal(code), ImageList.of(source)))  # type: ignore[arg-type]
