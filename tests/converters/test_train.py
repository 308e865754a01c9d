"""Training learns, resumes to the same weights, and its fused batch norm is Keras's."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecore.converters import data, recipes, zoo
from edgecore.errors import UserError

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]

Splits = tuple[data.Source, data.Source]
RECIPE = recipes.from_table(
    {
        "name": "tiny",
        "model": {"zoo": "res_squeezenet_compact", "stem": 16, "width": 16},
        "augment": {"translate": 2, "flip": True},
        "train": {"epochs": 2, "batch": 16, "warmup": 1, "rate": 0.02},
    }
)


@pytest.fixture(scope="module")
def splits(colours: Path) -> Splits:
    return data.open_splits(colours)


def new_run(splits: Splits, folder: Path, recipe: recipes.Recipe = RECIPE) -> Any:
    from edgecore.converters.train import Run, prepare_folder

    prepare_folder(folder, resume=folder.exists())
    return Run(recipe, splits[0].classes, len(splits[0].items), folder)


@pytest.fixture(scope="module")
def trained(splits: Splits, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A whole run, and its epochs' records."""
    run = new_run(splits, tmp_path_factory.mktemp("run") / "a")
    return run, list(run.epochs(*splits))


def test_a_run_leaves_log_model_and_facts(trained: Any, splits: Splits) -> None:
    from edgecore.converters.evaluate import evaluate_keras

    run, records = trained
    lines = (run.folder / "log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [dataclasses.asdict(record) for record in records]
    assert [record.epoch for record in records] == [1, 2]
    path = run.finish()
    facts = json.loads((run.folder / "model.json").read_text())
    assert facts["classes"] == ["blue", "red"]
    assert facts["training"]["epochs"] == 2
    assert facts["input"]["width"] == 32
    assert evaluate_keras(path, splits[1]).accuracy == pytest.approx(records[-1].val_accuracy)


def test_a_stopped_run_resumes_to_the_same_weights(trained: Any, splits: Splits, tmp_path: Path) -> None:
    whole, _ = trained
    first = new_run(splits, tmp_path / "b")
    next(first.epochs(*splits))
    second = new_run(splits, tmp_path / "b")
    assert second.resume() == 1
    assert [record.epoch for record in second.epochs(*splits)] == [2]
    for expected, weight in zip(whole.model.get_weights(), second.model.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-3, atol=1e-4)


def test_a_folder_in_use_is_not_overwritten(trained: Any) -> None:
    from edgecore.converters.train import prepare_folder

    run, _ = trained
    with pytest.raises(UserError, match="--resume"):
        prepare_folder(run.folder, resume=False)


def test_what_cannot_be_resumed_is_a_user_error(trained: Any, splits: Splits, tmp_path: Path) -> None:
    run, _ = trained
    with pytest.raises(UserError, match="nothing to resume"):
        new_run(splits, tmp_path / "empty").resume()
    other = dataclasses.replace(RECIPE, options={"stem": 8, "width": 16})
    with pytest.raises(UserError, match="does not fit recipe"):
        new_run(splits, run.folder, other).resume()
    (tmp_path / "empty" / "state.npz").write_bytes(b"PK broken")
    with pytest.raises(UserError, match="does not fit recipe"):
        new_run(splits, tmp_path / "empty").resume()


def test_too_few_images_for_a_batch_are_refused(splits: Splits, tmp_path: Path) -> None:
    from edgecore.converters.train import Run

    with pytest.raises(UserError, match="10 training images do not fill one batch of 16"):
        Run(RECIPE, ("a", "b"), 10, tmp_path)


def test_the_schedule_rises_and_falls_linearly() -> None:
    from edgecore.converters.train import LinearSchedule

    rate = LinearSchedule(0.5, 10, 110)
    values = [float(rate(step)) for step in (0, 4, 9, 60, 110, 200)]
    np.testing.assert_allclose(values, [0.05, 0.25, 0.5, 0.25, 0.0, 0.0], atol=1e-6)


def test_the_fused_batch_norm_trains_as_keras_does() -> None:
    import keras

    from edgecore.converters.fused_norm import FusedBatchNormalization, with_fused_norms

    keras.utils.set_random_seed(3)
    plain = zoo.build("res_squeezenet_compact", 2, stem=8, width=8)
    fused = with_fused_norms(plain)
    assert sum(isinstance(layer, FusedBatchNormalization) for layer in fused.layers) > 20
    random = np.random.default_rng(0)
    x = random.random((8, 32, 32, 3)).astype(np.float32)
    y = np.eye(2, dtype=np.float32)[random.integers(0, 2, 8)]
    for model in (plain, fused):
        model.compile(
            optimizer=keras.optimizers.SGD(0.01), loss="categorical_crossentropy", jit_compile=False
        )
        model.train_on_batch(x, y)
    for expected, weight in zip(plain.get_weights(), fused.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=2e-2, atol=2e-4)
