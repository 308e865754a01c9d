"""What a verification says to people and machines, and when it fails a conversion."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from edgecore.converters.verification.result import (
    ClassChange,
    EngineCheck,
    Flip,
    LayerError,
    ScoreError,
    Verification,
)
from edgecore.errors import UserError

ENGINE = EngineCheck(
    nodes=9,
    macs=1000,
    left=(),
    partitions=1,
    isa="avx2",
    runtime="tflite-runtime 2.14.0",
    notice="",
    compared=20,
    differing=0,
)


def layer(number: int, **changes: Any) -> LayerError:
    plain = LayerError(
        node=number,
        operator="CONV_2D",
        layer=f"conv{number}",
        tensor=f"net/conv{number}/Conv2D",
        shape=(1, 4, 4, 8),
        noise=0.1 / (number + 1),
        arrived=0.2,
        clipped=0.015,
        used=0.5,
    )
    return dataclasses.replace(plain, **changes)


FOUND = Verification(
    classes=(ClassChange("cat", 50, 40, 38, 3), ClassChange("dog", 50, 45, 45, 0)),
    agreeing=97,
    score_error=ScoreError(0.25, 0.01, 0.02),
    flips=(Flip("cat/1.png", "cat", "cat", "dog"),),
    layers=tuple(layer(number) for number in range(7)),
    engine=ENGINE,
)


def test_the_text_has_the_verdict_first_and_only_what_changed() -> None:
    lines = FOUND.text().splitlines()
    assert lines[0].startswith(
        "int8 loses 2.00 points on 100 held-out images: float 0.8500 (0.7672 to 0.9069)"
    )
    assert lines[1].startswith("same answer on 97 of 100 (97.0%)")
    text = "\n".join(lines[2:])
    assert "cat" in text
    assert "dog" not in text
    assert [f"conv{number}" in text for number in range(7)] == [True] * 5 + [False] * 2
    assert "20.0 dB" in text
    assert "1.50%" in text
    assert (
        lines[-1] == "engine: 9 of 9 nodes; the reference's bytes on 20 of 20 images (tflite-runtime 2.14.0)"
    )


def test_nothing_changed_needs_no_table() -> None:
    same = dataclasses.replace(
        FOUND, classes=(ClassChange("cat", 50, 40, 40, 0),), agreeing=50, layers=(layer(0, noise=0.0),)
    )
    assert same.drop == 0
    assert "keeps the accuracy" in same.text()
    assert "recall" not in same.text()
    assert "exact" in same.text()


def test_a_gain_is_called_one() -> None:
    better = dataclasses.replace(FOUND, classes=(ClassChange("cat", 50, 38, 40, 4),))
    assert better.drop == -4
    assert "gains 4.00 points" in better.text()
    better.require(max_drop=0)


def test_nodes_left_are_grouped_by_their_reason() -> None:
    left = tuple(
        {"node": node, "operator": "ERF", "name": f"x{node}", "reason": "no such op"} for node in (3, 5)
    )
    text = dataclasses.replace(FOUND, engine=dataclasses.replace(ENGINE, left=left)).text()
    assert "engine: 7 of 9 nodes" in text
    assert "left to the interpreter: erf (2x, first node 3): no such op" in text


def test_json_holds_everything_and_is_json() -> None:
    values = json.loads(json.dumps(FOUND.to_json(), allow_nan=False))
    assert values["drop"] == 2
    assert values["float"] == {
        "hits": 85,
        "share": 0.85,
        "low": pytest.approx(0.7672, abs=1e-4),
        "high": pytest.approx(0.9069, abs=1e-4),
    }
    assert [entry["name"] for entry in values["classes"]] == ["cat", "dog"]
    assert values["flips"] == [
        {"image": "cat/1.png", "truth": "cat", "float_answer": "cat", "int8_answer": "dog"}
    ]
    assert len(values["layers"]) == 7
    assert values["layers"][0]["sqnr_db"] == pytest.approx(20)
    assert values["engine"]["runtime"] == "tflite-runtime 2.14.0"
    silent = dataclasses.replace(FOUND, layers=(layer(0, noise=0.0),))
    assert silent.to_json()["layers"][0]["sqnr_db"] is None


@pytest.mark.parametrize(("allowed", "fails"), [(None, False), (2.0, False), (1.99, True), (0, True)])
def test_the_gate(allowed: float | None, fails: bool) -> None:
    if not fails:
        FOUND.require(allowed)
        return
    with pytest.raises(UserError, match=r"loses 2\.00 points .* more than .* conv0"):
        FOUND.require(allowed)


@pytest.mark.parametrize(
    ("changes", "exact"),
    [
        ({"differing": 1}, False),
        ({"differing": 1, "left": ({"node": 1, "operator": "ERF", "name": "x", "reason": ""},)}, True),
        ({"differing": 1, "runtime": "ai-edge-litert 2.3.0"}, True),
        ({}, True),
    ],
)
def test_bytes_must_be_equal_where_the_engine_runs_all_beside_its_reference(
    changes: dict[str, Any], exact: bool
) -> None:
    found = dataclasses.replace(FOUND, engine=dataclasses.replace(ENGINE, **changes))
    assert found.exact is exact
    if exact:
        found.require()
    else:
        with pytest.raises(UserError, match="differs from the reference on 1 of 20 images"):
            found.require()
