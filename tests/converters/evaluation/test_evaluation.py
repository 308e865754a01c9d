"""One model in several runtimes over the same images: rows, agreement, notes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgecore.converters.data import Source
from edgecore.converters.evaluation import text
from edgecore.converters.evaluation.candidates import Candidate, find
from edgecore.converters.evaluation.evaluation import (
    ENGINE,
    INTERPRETER,
    REFERENCE,
    Evaluation,
    Options,
    evaluate,
)
from edgecore.errors import UserError
from edgecore.model import bundled_model


@pytest.fixture
def bundled() -> Candidate:
    return find(None)


def test_a_tflite_runs_in_interpreter_reference_and_engine(source: Source, bundled: Candidate) -> None:
    found = evaluate(bundled, source, Options(seconds=0.01, reference=True))
    assert [run.name for run in found.runs] == [INTERPRETER, REFERENCE, ENGINE]
    plain, reference, engine = found.runs
    assert (reference.same_answers, reference.same_bytes) == (20, 20)
    assert (engine.same_answers, engine.same_bytes) == (None, None)
    assert plain.same_answers is not None and plain.same_answers >= 15
    assert plain.milliseconds and engine.milliseconds and reference.milliseconds is None
    assert {run.size for run in found.runs} == {bundled_model().stat().st_size}
    assert found.shipped is engine
    assert found.parameters > 800_000
    again = Evaluation.from_json(json.loads(json.dumps(found.to_json())))
    assert text.summary(again) == text.summary(found)
    row = next(line for line in text.summary(found).splitlines() if line.startswith("int8, reference"))
    assert row.split()[-4:] == ["100.00%", "all", "-", f"{engine.size / 1e6:.2f}"]  # type: ignore[operator]


def test_images_left_out_are_counted_and_named(source: Source, bundled: Candidate) -> None:
    (source.path / source.items[0][0]).write_bytes(b"no image")
    found = evaluate(bundled, source, Options(seconds=0))
    assert found.skipped == 1
    assert found.shipped.report.images == 19
    assert source.items[0][0] in " ".join(found.notes)
    assert all(run.milliseconds is None for run in found.runs)


def test_a_class_without_images_is_said(source: Source, bundled: Candidate) -> None:
    part = Source(source.path, source.classes, source.items[2:], source.left_out)
    found = evaluate(bundled, part, Options(seconds=0))
    assert f"no images of {source.classes[0]}" in " ".join(found.notes)
    assert "nan" not in json.dumps(found.to_json())


def test_labels_that_do_not_fit_are_refused(source: Source, bundled: Candidate, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"{name}\n" for name in [*source.classes[1:], "whale"]))
    with pytest.raises(UserError, match="lacks the model's class 'whale'"):
        evaluate(bundled, source, Options(labels=labels, seconds=0))
