"""Samples for exactness tests: fixed, cached by what they are made from, and never degenerate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgecore.converters import samples
from edgecore.errors import UserError

SMALL = {"classes": 5, "stem": 8, "width": 8}


def test_images_are_fixed_and_differ_in_brightness_and_contrast() -> None:
    first, again = list(samples.images(20, 40)), list(samples.images(20, 40))
    for image, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(image, same)
        assert (image.shape, image.dtype) == ((40, 40, 3), np.uint8)
    assert np.ptp([image.mean() for image in first]) > 60
    assert np.ptp([image.std() for image in first]) > 25


def test_an_unknown_name_is_a_user_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="no model named"):
        samples.sample("nothing")
    assert samples.main(["--out", str(tmp_path), "nothing"]) == 2
    assert capsys.readouterr().err.startswith("edgecore: no model named")


@pytest.mark.parametrize("size", ["0", "big", "-3", ""])
def test_a_size_that_is_none_is_a_user_error(size: str) -> None:
    with pytest.raises(UserError, match="write NAME@SIZE"):
        samples.named(f"squeezenet_v1.1@{size}")


@pytest.mark.host
@pytest.mark.usefixtures("tensorflow")
def test_a_size_behind_the_name_is_the_input_size(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EDGECORE_CACHE", str(tmp_path))
    monkeypatch.setattr(samples, "build_sample", lambda name, **options: repr((name, options)).encode())
    assert samples.named("resnet18@64").read_bytes() == b"('resnet18', {'input_size': 64})"


@pytest.mark.host
@pytest.mark.usefixtures("tensorflow")
def test_a_sample_is_built_once_and_then_taken_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGECORE_CACHE", str(tmp_path))
    path = samples.sample("res_squeezenet_compact", **SMALL)
    assert path.parent == tmp_path / "samples"
    monkeypatch.setattr(samples, "build_sample", None)
    assert samples.sample("res_squeezenet_compact", **SMALL) == path
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.host
@pytest.mark.usefixtures("tensorflow")
def test_random_networks_give_scores_that_differ_between_images() -> None:
    from edgecore.converters import zoo

    model = zoo.build("squeezenet_v1.1", 10, input_size=64)
    inputs = np.stack([image / np.float32(255) for image in samples.images(6, 64)])
    samples.randomise(model, inputs)
    scores = model.predict_on_batch(inputs)
    assert 0.15 < scores.max(axis=1).mean() < 0.999
    assert np.abs(scores - scores[0]).max() > 0.02
