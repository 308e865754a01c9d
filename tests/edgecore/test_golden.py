"""The golden output: its pictures are what their formula says, and a device knows whether it agrees."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from oracle import Network, Quant
from oracle.runtime import norm

import edgecore as package
from edgecore import artefact, golden
from edgecore.model import BUNDLED_MODEL, Model

Command = Callable[..., subprocess.CompletedProcess[str]]


def recorded(path: Path, target: Path, change: int = 0) -> Path:
    """The model of `path` with its golden output, its last byte changed by `change`, written to `target`."""
    data = path.read_bytes()
    facts = artefact.parse(data)
    assert facts is not None
    runtime = norm()
    interpreter = runtime.Interpreter(
        model_content=data, experimental_op_resolver_type=runtime.OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    output = golden.record(interpreter, package.load(path, threads=1).preprocessing)
    output = output[:-1] + bytes([(output[-1] + change) % 256])
    target.write_bytes(artefact.append(data, replace(facts, golden=output)))
    return target


@pytest.mark.parametrize("number", range(golden.PICTURES))
def test_the_pictures_follow_their_formula(number: int) -> None:
    made = golden.picture(number)
    assert made.shape == (golden.HEIGHT, golden.WIDTH, 3)
    assert made.dtype == np.uint8
    k = number
    for y in range(0, golden.HEIGHT, 7):
        for x in range(0, golden.WIDTH, 3):
            for c in range(3):
                t = ((1 + k + c) * x + (4 - k + 2 * c) * y + 60 * c) % 512
                value = (min(t, 511 - t) + 37 * ((5 * (x // 20) + (3 + k) * (y // 15)) % 7)) % 256
                assert made[y, x, c] == value


def test_the_pictures_differ_and_use_the_range() -> None:
    made = [golden.picture(number) for number in range(16)]
    assert len({picture.tobytes() for picture in made}) == 16
    for picture in made:
        assert len(np.unique(picture)) > 200


@pytest.mark.parametrize("isa", [None, "scalar"])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_engine_reproduces_the_reference(
    model: Path, tmp_path: Path, isa: str | None, threads: int
) -> None:
    path = recorded(model, tmp_path / "golden.tflite")
    assert package.load(path, threads=threads, isa=isa).check_golden() is True


def test_what_the_user_sets_does_not_count(model: Path, tmp_path: Path) -> None:
    path = recorded(model, tmp_path / "golden.tflite")
    other = package.load(path, labels=list("abcdefghij"), preprocessing={"mean": (90.0,), "order": "BGR"})
    assert other.check_golden() is True


def test_one_wrong_byte_is_seen(model: Path, tmp_path: Path) -> None:
    assert package.load(recorded(model, tmp_path / "golden.tflite", change=1)).check_golden() is False


@pytest.mark.parametrize("length", [1, 39, 41])
def test_a_golden_output_of_another_length_is_not_reproduced(
    model: Path, tmp_path: Path, length: int
) -> None:
    data = model.read_bytes()
    facts = artefact.parse(data)
    assert facts is not None
    path = tmp_path / "short.tflite"
    path.write_bytes(artefact.append(data, replace(facts, golden=bytes(length))))
    assert package.load(path).check_golden() is False


def test_without_one_or_without_the_engine_nothing_is_said(
    model: Path, bare_model: Path, tmp_path: Path
) -> None:
    assert package.load(model).check_golden() is None
    assert package.load(bare_model).check_golden() is None
    path = recorded(model, tmp_path / "golden.tflite", change=1)
    assert package.load(path, delegate=False).check_golden() is None


def test_a_network_that_the_engine_runs_in_part_is_not_compared(tmp_path: Path) -> None:
    """The interpreter's fast kernels may differ from the reference."""
    net = Network(seed=3)
    y = net.unary("ABS", net.conv2d(net.input((1, 24, 32, 3), Quant(1 / 255, -128)), 10))
    net.output(net.reshape(net.mean(y), (1, 10)))
    spec = {
        "width": 32,
        "height": 24,
        "order": "RGB",
        "resize": "stretch",
        "mean": [0] * 3,
        "scale": [1] * 3,
    }
    facts = artefact.Artefact("partly", tuple(map(str, range(10))), spec, golden=b"wrong")
    path = tmp_path / "partly.tflite"
    path.write_bytes(artefact.append(net.build(), facts))
    assert package.load(path).check_golden() is None


def test_the_model_classifies_as_before_after_the_check() -> None:
    picture = golden.picture(7)

    def answer(model: Model) -> list[float]:
        return [item.score for item in model.classify(picture)]

    checked = package.load(BUNDLED_MODEL, threads=1)
    before = answer(checked)
    checked.check_golden()
    assert answer(checked) == before


@pytest.mark.parametrize(("change", "said"), [(0, "reproduced by this"), (1, "NOT reproduced by this")])
def test_inspect_says_whether_it_is_reproduced(
    model: Path, tmp_path: Path, edgecore: Command, change: int, said: str
) -> None:
    path = recorded(model, tmp_path / "golden.tflite", change)
    assert f"\ngolden output: {said} machine" in edgecore("inspect", path).stdout
    facts = json.loads(edgecore("inspect", path, "--json").stdout)
    assert facts["golden"] == {"reproduced": change == 0}


def test_inspect_is_silent_about_a_golden_output_that_is_not_there(model: Path, edgecore: Command) -> None:
    assert "golden" not in edgecore("inspect", model).stdout
    assert json.loads(edgecore("inspect", model, "--json").stdout)["golden"] is None
