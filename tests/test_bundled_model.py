"""The bundled model is as small and as accurate as it says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgecore import artefact
from edgecore.converters.data import judged_source
from edgecore.converters.evaluate import evaluate_tflite
from edgecore.model import BUNDLED_MODEL, load

LEAST_ACCURACY = 0.88


@pytest.fixture(scope="module")
def facts() -> artefact.Artefact:
    found = artefact.read(BUNDLED_MODEL)
    assert found is not None
    return found


def test_it_fits_a_small_board(facts: artefact.Artefact) -> None:
    assert BUNDLED_MODEL.stat().st_size <= 1_000_000
    assert (facts.input["width"], facts.input["height"], facts.input["order"]) == (32, 32, "RGB")
    assert facts.training["model"] == "res_squeezenet_compact"
    assert len(facts.classes) == 10


def test_it_claims_enough(facts: artefact.Artefact) -> None:
    assert facts.accuracy["images"] == 10_000
    assert facts.accuracy["int8"] >= LEAST_ACCURACY
    assert facts.accuracy["float"] - facts.accuracy["int8"] < 0.01


@pytest.mark.parametrize("threads", [1, 2])
def test_this_machine_reproduces_its_golden_output(threads: int) -> None:
    assert load(threads=threads).check_golden() is True


def test_a_part_of_the_test_images_is_recognised(shared: Path) -> None:
    report = evaluate_tflite(None, judged_source(shared / "cifar10").balanced(500))
    assert report.images == 500
    assert report.accuracy >= LEAST_ACCURACY - 0.03


@pytest.mark.slow
def test_the_whole_test_set_gives_the_accuracy_it_claims(shared: Path, facts: artefact.Artefact) -> None:
    report = evaluate_tflite(None, judged_source(shared / "cifar10"))
    assert report.accuracy >= LEAST_ACCURACY
    assert report.accuracy == pytest.approx(facts.accuracy["int8"], abs=1e-9)
    assert report.miou == pytest.approx(facts.accuracy["miou"], abs=5e-5)
