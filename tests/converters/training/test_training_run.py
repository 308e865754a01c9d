"""A run in its folder: what it leaves there, what it resumes, what it refuses."""

from __future__ import annotations

import csv
import dataclasses
import gc
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from disks import mounted

from edgecore.converters import data, recipes
from edgecore.converters.training.files import opened
from edgecore.converters.training.parts import Parts, parts_of
from edgecore.errors import UserError

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]

# A network that is compiled in a second; its blue and red are two greys.
TINY: dict[str, Any] = {
    "name": "tiny",
    "model": {"zoo": "lenet5"},
    "augment": {"translate": 2, "flip": True},
    "train": {"epochs": 2, "batch": 16, "warmup": 1, "rate": 0.02},
}


def recipe(**train: Any) -> recipes.Recipe:
    """The tiny one with these [train] entries."""
    return recipes.from_table(recipes.overlay(TINY, {"train": train}))


@pytest.fixture(scope="module")
def parts(colours: Path) -> Parts:
    return parts_of(*data.open_splits(colours), 0.0)


def begin(parts: Parts, folder: Path, chosen: recipes.Recipe) -> Any:
    """A run in the folder, which takes up what is there."""
    from edgecore.converters.training.run import Run

    with opened(folder, resume=(folder / "config.json").exists()):
        return Run(chosen, parts, folder)


@pytest.fixture(scope="module")
def trained(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A finished run."""
    run = begin(parts, tmp_path_factory.mktemp("run") / "a", recipe())
    assert [epoch.epoch for epoch in run.epochs()] == [1, 2]
    run.finish()
    return run


def test_a_run_leaves_all_that_a_reader_needs(trained: Any, parts: Parts) -> None:
    folder = trained.folder
    assert {path.name for path in folder.iterdir()} == {
        *(".lock", "config.json", "split.json", "environment.json", "metrics.csv", "state.npz"),
        *("best.keras", "best.json", "model.keras", "model.json"),
        *("curves.png", "confusion.png", "report.json"),
    }
    config = json.loads((folder / "config.json").read_text())
    assert recipes.from_table(config["recipe"]) == recipe()
    assert config["images"] == {"training": 80, "test": 20}
    environment = json.loads((folder / "environment.json").read_text())
    assert environment["packages"]["keras"]
    assert environment["machine"]["cores"] >= 1
    rows = list(csv.DictReader((folder / "metrics.csv").open()))
    assert [float(row["val_accuracy"]) for row in rows] == [epoch.val_accuracy for epoch in trained.history]


def test_the_model_is_judged_as_reported(trained: Any, parts: Parts) -> None:
    import keras

    from edgecore.converters.evaluate import evaluate_keras

    path = trained.folder / "model.keras"
    report = json.loads((trained.folder / "report.json").read_text())
    assert report["epoch"] == 2
    assert report["accuracy"] == trained.history[-1].val_accuracy
    assert report["loss"] == pytest.approx(trained.history[-1].val_loss)
    assert evaluate_keras(path, parts.test).to_json()["confusion"] == report["confusion"]
    model = keras.models.load_model(path, compile=False)
    assert model.count_params() == trained.network.plain.count_params()
    facts = json.loads(path.with_suffix(".json").read_text())
    assert facts["classes"] == ["blue", "red"]
    assert facts["training"]["epochs"] == facts["training"]["epoch"] == 2
    assert facts["input"]["width"] == 32


def test_a_stopped_run_resumes_to_the_same_bytes(trained: Any, parts: Parts, tmp_path: Path) -> None:
    first = begin(parts, tmp_path / "b", recipe())
    next(first.epochs())
    second = begin(parts, tmp_path / "b", recipe())
    assert second.done == 1
    assert [epoch.epoch for epoch in second.epochs()] == [2]
    for expected, value in zip(trained.learner.variables, second.learner.variables, strict=True):
        assert np.asarray(value).tobytes() == np.asarray(expected).tobytes()
    unlike = {"seconds": 0.0}
    assert [dataclasses.replace(epoch, **unlike) for epoch in second.history] == [
        dataclasses.replace(epoch, **unlike) for epoch in trained.history
    ]


def test_more_epochs_may_follow_a_finished_run(trained: Any, parts: Parts, tmp_path: Path) -> None:
    folder = tmp_path / "longer"
    run = begin(parts, folder, recipe(epochs=1))
    assert len(list(run.epochs())) == 1
    run = begin(parts, folder, recipe(epochs=2))
    assert [epoch.epoch for epoch in run.epochs()] == [2]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"train": {"rate": 0.5}}, r"\[train\] rate \(0.02, now 0.5\)"),
        ({"model": {"zoo": "lenet_1989"}}, r"\[model\] zoo"),
        ({"augment": {"flip": False}}, r"\[augment\] flip"),
    ],
)
def test_another_recipe_does_not_take_a_run_up(
    trained: Any, parts: Parts, change: dict[str, Any], said: str
) -> None:
    before = (trained.folder / "state.npz").read_bytes()
    with pytest.raises(UserError, match=said):
        begin(parts, trained.folder, recipes.from_table(recipes.overlay(TINY, change)))
    assert (trained.folder / "state.npz").read_bytes() == before


def test_other_images_do_not_take_a_run_up(trained: Any, colours: Path) -> None:
    others = parts_of(*data.open_source(colours / "train").split(0.25), 0.0)
    with pytest.raises(UserError, match="holds a run with other images"):
        begin(others, trained.folder, recipe())


def test_early_stopping_keeps_the_best_epoch(parts: Parts, tmp_path: Path) -> None:
    # Steps so large that the first epochs already spoil what came before.
    run = begin(parts, tmp_path, recipe(epochs=8, patience=2, rate=0.02, warmup=0))
    history = list(run.epochs())
    best = max(history, key=lambda epoch: epoch.merit)
    assert len(history) == min(8, best.epoch + 2)
    _, report = run.finish()
    assert run.result_epoch == best.epoch
    assert report.accuracy == best.val_accuracy
    assert json.loads((tmp_path / "model.json").read_text())["training"]["epoch"] == best.epoch


def test_a_validation_part_judges_the_epochs_and_the_test_part_the_result(
    colours: Path, tmp_path: Path
) -> None:
    held = parts_of(*data.open_splits(colours), 0.25)
    run = begin(held, tmp_path, recipe(epochs=1))
    list(run.epochs())
    _, report = run.finish()
    assert report.images == 20
    assert (run.history[0].val_accuracy * 20).is_integer() == (held.counts()["validation"] == 20)
    assert held.counts()["validation"] == 20


def test_a_loss_that_is_no_number_ends_the_run_and_leaves_the_state(parts: Parts, tmp_path: Path) -> None:
    run = begin(parts, tmp_path, recipe(epochs=3, warmup=0))
    next(run.epochs())
    good = (tmp_path / "state.npz").read_bytes()
    weights = run.learner.model.trainable_variables
    weights[0].assign(np.full(weights[0].shape, np.nan))
    with pytest.raises(UserError, match=r"the loss is nan in step 1 of epoch 2; lower --rate"):
        next(run.epochs())
    assert (tmp_path / "state.npz").read_bytes() == good


def test_frozen_layers_stay_and_their_norms_do_too(parts: Parts, tmp_path: Path) -> None:
    table = {
        "model": {"zoo": "res_squeezenet_compact", "stem": 8, "width": 8},
        "train": {"epochs": 1, "batch": 16},
        "transfer": {"freeze_until": "fire4_concat"},
    }
    run = begin(parts, tmp_path, recipes.from_table(table))
    names = [layer.name for layer in run.learner.model.layers]
    last = names.index("fire4_concat")
    before = [[np.array(value) for value in layer.weights] for layer in run.learner.model.layers]
    list(run.epochs())
    changed = [
        any(not np.array_equal(new, old) for new, old in zip(layer.weights, values, strict=True))
        for layer, values in zip(run.learner.model.layers, before, strict=True)
    ]
    assert not any(changed[: last + 1])
    assert all(
        is_changed
        for is_changed, layer in zip(changed[last + 1 :], run.learner.model.layers[last + 1 :], strict=True)
        if layer.weights
    )
    assert any(name.endswith("_bn") for name in names[:last])
    from edgecore.converters.fused_norm import FusedBatchNormalization
    from edgecore.converters.keras_model import load

    assert any(isinstance(layer, FusedBatchNormalization) for layer in run.learner.model.layers)
    saved = load(tmp_path / "best.keras")
    assert {type(layer).__module__.partition(".")[0] for layer in saved.layers} == {"keras"}
    assert all(layer.trainable for layer in saved.layers)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"model": {"zoo": "unet"}, "input": {"size": 32}}, "a class for every pixel"),
        ({"model": {"zoo": "lenet5"}, "input": {"order": "RGB"}}, r"takes 1 channel\(s\), .* order RGB"),
        ({"model": {"zoo": "spp_covid_net"}, "input": {"size": 16}}, "cannot be built at input size 16"),
        ({"train": {"batch": 81}}, "80 training images do not fill a batch of 81"),
        ({"transfer": {"freeze_until": "fire99"}}, "no layer 'fire99'"),
    ],
)
def test_what_does_not_fit_is_refused(parts: Parts, tmp_path: Path, table: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        begin(parts, tmp_path, recipes.from_table(recipes.overlay(TINY, table)))


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("left", [0, 200_000, 400_000])
def test_a_full_disk_leaves_the_last_good_checkpoint(
    trained: Any, parts: Parts, tmp_path: Path, left: int
) -> None:
    with mounted(tmp_path / "disk", 4) as disk:
        run = begin(parts, disk.path / "run", recipe())
        next(run.epochs())
        good = (run.folder / "state.npz").read_bytes()
        disk.fill(leave=left)
        with pytest.raises(UserError, match=r"^cannot write .*: No space left on device; .* --resume$"):
            list(run.epochs())
        gc.collect()  # what a half-written archive complains of when it is collected
        assert (run.folder / "state.npz").read_bytes() == good
        assert not list(run.folder.glob("*.part*"))
        disk.clear()
        again = begin(parts, disk.path / "run", recipe())
        assert [epoch.epoch for epoch in again.epochs()] == [2]
        for expected, value in zip(trained.learner.variables, again.learner.variables, strict=True):
            assert np.asarray(value).tobytes() == np.asarray(expected).tobytes()
