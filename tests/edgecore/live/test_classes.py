"""A class map merges, renames and ignores, and says what is wrong with it."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edgecore.live.classes
from edgecore.errors import UserError
from edgecore.live.classes import ClassMap, read_mapping

CIFAR = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
SCORES = np.arange(10, dtype=np.float32)
BUSY = settings(deadline=None)  # a busy machine is no failure


def documented() -> str:
    """The example of the module's description."""
    lines = (edgecore.live.classes.__doc__ or "").splitlines()
    return textwrap.dedent("\n".join(line for line in lines if not line or line.startswith("    ")))


def test_the_documented_example(tmp_path: Path) -> None:
    path = tmp_path / "classes.toml"
    path.write_text(documented())
    classes = ClassMap(CIFAR, read_mapping(path), path)
    assert classes.labels == ["airplane", "vehicle", "bird", "cat", "animal", "dog", "frog", "horse"]
    assert classes.apply(SCORES).tolist() == [0, 1 + 9, 2, 3, 4, 5, 6, 7]


def test_a_merged_class_may_keep_the_name_of_a_member() -> None:
    classes = ClassMap(["a", "b", "c"], {"merge": {"c": ["a", "c"]}})
    assert classes.labels == ["c", "b"]
    assert classes.apply(np.array([1.0, 2.0, 4.0])).tolist() == [5, 2]


def test_names_may_be_swapped() -> None:
    assert ClassMap(["a", "b"], {"rename": {"a": "b", "b": "a"}}).labels == ["b", "a"]


def test_a_name_that_several_classes_bear_stands_for_all_of_them() -> None:
    labels = ["crane", "owl", "crane"]
    assert ClassMap(labels, {}).labels == labels
    assert ClassMap(labels, {"rename": {"crane": "bird"}}).labels == ["bird", "owl", "bird"]
    assert ClassMap(labels, {"ignore": ["crane"]}).labels == ["owl"]
    merged = ClassMap(labels, {"merge": {"crane": ["crane"]}})
    assert merged.labels == ["crane", "owl"]
    assert merged.apply(np.array([1.0, 2.0, 4.0])).tolist() == [5, 2]


@BUSY
@given(st.lists(st.sampled_from(["stay", "ignore", "x", "y"]), min_size=1, max_size=30), st.randoms())
def test_scores_are_neither_lost_nor_counted_twice(kinds: list[str], random: Any) -> None:
    labels = [f"class {index}" for index in range(len(kinds))]
    mapping: dict[str, Any] = {}
    for label, kind in zip(labels, kinds, strict=True):
        if kind == "ignore":
            mapping.setdefault("ignore", []).append(label)
        elif kind != "stay":
            mapping.setdefault("merge", {}).setdefault(kind, []).append(label)
    if set(kinds) == {"ignore"}:
        with pytest.raises(UserError, match="every class"):
            ClassMap(labels, mapping)
        return
    classes = ClassMap(labels, mapping)
    scores = np.array([random.randint(0, 255) for _ in labels], np.float32)
    names = [label if kind == "stay" else kind for label, kind in zip(labels, kinds, strict=True)]
    expected = {name: 0.0 for name in names if name != "ignore"}
    for name, score in zip(names, scores, strict=True):
        if name in expected:
            expected[name] += float(score)
    assert dict(zip(classes.labels, classes.apply(scores).tolist(), strict=True)) == expected
    assert classes.labels == list(expected)


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"ignore": ["shipp"]}, r"'shipp', a class that the model lacks; did you mean 'ship'\?"),
        ({"ignore": ["submarine"]}, "'submarine', a class that the model lacks; write it"),
        ({"ignore": ["ship", "ship"]}, "uses 'ship' twice"),
        ({"ignore": ["ship"], "rename": {"ship": "boat"}}, "uses 'ship' twice"),
        ({"merge": {"x": ["cat", "dog"], "y": ["dog"]}}, "uses 'dog' twice"),
        ({"rename": {"dog": "cat"}}, "makes two classes 'cat'"),
        ({"merge": {"x": ["dog"]}, "rename": {"cat": "x"}}, "makes two classes 'x'"),
        ({"rename": {"dog": ""}}, "empty name"),
        ({"rename": {"dog": 3}}, "'dog' to 3"),
        ({"merge": {"pet": "dog"}}, "'pet' needs a list"),
        ({"merge": {"pet": []}}, "'pet' needs a list"),
        ({"merge": ["dog"]}, r"write \[merge\]"),
        ({"rename": "dog"}, r"write \[rename\]"),
        ({"ignore": "dog"}, "'ignore' needs a list"),
        ({"drop": ["dog"]}, "an entry 'drop'"),
        ({"ignore": CIFAR}, "ignores every class"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(mapping: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=f"class map my.toml.*{said}"):
        ClassMap(CIFAR, mapping, "my.toml")


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "check the path"), (b"ignore = [", "not TOML"), (b"ignore = ['\xff']", "not UTF-8")],
)
def test_a_file_that_does_not_read_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "classes.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=rf"classes\.toml .*{said}"):
        read_mapping(path)


def test_another_number_of_scores_is_refused() -> None:
    with pytest.raises(ValueError):
        ClassMap(CIFAR, {}).apply(np.zeros(9))
