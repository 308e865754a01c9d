"""What is known of a model is not looked for again, until anything that it depends on changes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgecore.converters.data import Source, open_source
from edgecore.converters.evaluation import cache
from edgecore.converters.evaluation.candidates import Candidate
from edgecore.converters.evaluation.evaluation import Evaluation, Options
from edgecore.errors import UserError
from edgecore.model import bundled_model

Found = Callable[..., Evaluation]


def never() -> Evaluation:
    raise AssertionError("looked for again")


def test_a_row_is_kept_and_a_damaged_one_found_again(found: Found, tmp_path: Path) -> None:
    row = found("a/b", 80)
    assert cache.kept(tmp_path, "a/b", "k", lambda: row) is row
    assert cache.kept(tmp_path, "a/b", "k", never).to_json() == row.to_json()
    with pytest.raises(AssertionError, match="looked for again"):
        cache.kept(tmp_path, "a/b", "another key", never)
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text()[:100])
    assert cache.kept(tmp_path, "a/b", "k", lambda: row) is row


def test_the_key_changes_with_model_images_and_options_alone(source: Source, tmp_path: Path) -> None:
    model = tmp_path / "m.tflite"
    shutil.copy(bundled_model(), model)
    candidate, options = Candidate("m", tflite=model), Options()
    key = cache.key_of(candidate, source, options)
    assert cache.key_of(replace(candidate, name="n"), open_source(source.path), options) == key
    assert cache.key_of(candidate, source, replace(options, threads=2)) != key
    fewer = replace(source, items=source.items[1:])
    assert cache.key_of(candidate, fewer, options) != key
    labels = tmp_path / "labels.txt"
    labels.write_text("a")
    assert cache.key_of(candidate, source, replace(options, labels=labels)) != key
    image = source.path / source.items[0][0]
    os.utime(image, ns=(1, 1))
    changed = cache.key_of(candidate, source, options)
    assert changed != key
    model.write_bytes(model.read_bytes() + b"\0")
    assert cache.key_of(candidate, source, options) != changed


def test_a_folder_that_takes_nothing_is_said(found: Found, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match=r"cannot write .*choose another --out"):
        cache.kept(tmp_path / "file", "a", "k", lambda: found("a", 80))
