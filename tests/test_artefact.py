"""The tail of a .tflite: written, read back, and refused when it is damaged or belongs elsewhere."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from edgecore import artefact
from edgecore.artefact import Artefact
from edgecore.errors import UserError

MODEL = b"\x1c\0\0\0TFL3" + bytes(range(200))
FACTS = Artefact(
    name="cats",
    classes=("cat", "grüner Hund"),
    input={
        "width": 32,
        "height": 24,
        "order": "RGB",
        "resize": "stretch",
        "mean": [0.0, 0.0, 0.0],
        "scale": [1 / 255] * 3,
    },
    training={"epochs": 3},
    accuracy={"int8": 0.5},
    golden=bytes(range(256)),
)


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(data)
    return path


def test_what_is_appended_is_read_back(tmp_path: Path) -> None:
    data = artefact.append(MODEL, FACTS)
    assert data.startswith(MODEL)
    read = artefact.read(written(tmp_path, data))
    assert read is not None
    assert dataclasses.replace(read, model_sha256="") == FACTS
    assert len(read.model_sha256) == 64


def test_the_flatbuffer_stays_reachable_and_a_second_tail_replaces_the_first() -> None:
    once = artefact.append(MODEL, FACTS)
    assert artefact.flatbuffer_of(once) == MODEL
    assert artefact.flatbuffer_of(MODEL) == MODEL
    renamed = dataclasses.replace(FACTS, name="dogs")
    assert artefact.append(once, renamed) == artefact.append(MODEL, renamed)


def test_the_same_facts_give_the_same_bytes() -> None:
    assert artefact.append(MODEL, FACTS) == artefact.append(MODEL, FACTS)


def test_any_zip_reader_finds_labels_a_line_each() -> None:
    with zipfile.ZipFile(io.BytesIO(artefact.append(MODEL, FACTS))) as tail:
        assert tail.namelist() == ["labels.txt", "edgecore.json"]
        assert tail.read("labels.txt").decode("utf-8") == "cat\ngrüner Hund\n"


def test_a_model_without_tail_or_with_a_foreign_one_has_no_artefact(tmp_path: Path) -> None:
    assert artefact.read(written(tmp_path, MODEL)) is None
    foreign = io.BytesIO(MODEL)
    with zipfile.ZipFile(foreign, "a") as tail:
        tail.writestr("labelmap.txt", "a\nb\n")
    assert artefact.read(written(tmp_path, foreign.getvalue())) is None


@pytest.mark.parametrize("golden", [None, {"pictures": 2, "output": ["of a newer edgecore"]}])
def test_a_golden_output_that_cannot_be_compared_counts_as_none(golden: Any) -> None:
    facts = Artefact.from_json({**FACTS.to_json(), "golden": golden})
    assert facts.golden == b""
    assert "golden" not in facts.to_json()


def test_scores_are_said_to_be_logits_only_where_they_are() -> None:
    assert "scores" not in FACTS.to_json()
    logits = dataclasses.replace(FACTS, logits=True)
    assert logits.to_json()["scores"] == "logits"
    assert Artefact.from_json(logits.to_json()) == logits


def test_facts_of_another_flatbuffer_are_refused(tmp_path: Path) -> None:
    tail = artefact.append(MODEL, FACTS)[len(MODEL) :]
    other = b"\x1c\0\0\0TFL3" + bytes(len(MODEL) - 8)
    with pytest.raises(UserError, match="another model"):
        artefact.read(written(tmp_path, other + tail))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("format", 2, "update edgecore"),
        ("name", None, "name"),
        ("classes", "cat", "classes"),
        ("input", {"width": 32}, "height"),
        ("input", {**FACTS.input, "order": "CMYK"}, "no usable input"),
        ("input", {**FACTS.input, "width": 0}, "no usable input"),
        ("input", {**FACTS.input, "scale": [1.0]}, "3 numbers in 'scale'"),
        ("input", {**FACTS.input, "mean": ["a", "b", "c"]}, "3 numbers in 'mean'"),
        ("training", [1, 2], "damaged"),
        ("golden", "AAEC", "golden"),
        ("golden", {"pictures": 1}, "output"),
        ("golden", {"pictures": 1, "output": "AA=C"}, "damaged"),
        ("golden", {"pictures": 1, "output": "ü"}, "damaged"),
    ],
)
def test_wrong_facts_are_named(tmp_path: Path, key: str, value: Any, said: str) -> None:
    data = io.BytesIO(MODEL)
    with zipfile.ZipFile(data, "a") as tail:
        tail.writestr("edgecore.json", json.dumps({**FACTS.to_json(), key: value}))
    with pytest.raises(UserError, match=said):
        artefact.read(written(tmp_path, data.getvalue()))


@pytest.mark.parametrize("text", ["{", "[]", "\udcff".encode("utf-8", "surrogatepass")])
def test_text_that_is_no_json_object_is_refused(tmp_path: Path, text: str | bytes) -> None:
    data = io.BytesIO(MODEL)
    with zipfile.ZipFile(data, "a") as tail:
        tail.writestr("edgecore.json", text)
    with pytest.raises(UserError):
        artefact.read(written(tmp_path, data.getvalue()))


def test_every_truncation_reads_as_no_artefact_or_a_user_error(tmp_path: Path) -> None:
    whole = artefact.append(MODEL, FACTS)
    for length in range(len(MODEL), len(whole)):
        with contextlib.suppress(UserError):
            assert artefact.parse(whole[:length]) is None


def test_a_missing_file_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read"):
        artefact.read(tmp_path / "none.tflite")


def test_reading_needs_the_standard_library_alone() -> None:
    code = (
        "import sys, edgecore.artefact; "
        "print([m for m in ('numpy', 'cv2', 'flatbuffers', 'tflite_runtime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
