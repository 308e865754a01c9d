"""Trains a network of the zoo after a recipe, in a folder that a stopped run can be resumed from.

The folder receives `log.jsonl` (a line per epoch), `state.npz` (weights and optimizer after the last whole
epoch), and at the end `model.keras` with its facts in `model.json`.
"""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edgecore.artefact import Artefact
from edgecore.converters import zoo
from edgecore.converters.data import Batches, Source, load, to_input
from edgecore.converters.fused_norm import with_fused_norms
from edgecore.converters.recipes import Recipe, Schedule
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing

STATE, LOG, MODEL, FACTS = "state.npz", "log.jsonl", "model.keras", "model.json"
UNDECAYED = ["gamma", "beta", "bias"]


@keras.saving.register_keras_serializable("edgecore")
class LinearSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly from 0 to `peak` over `warmup` steps, then falls linearly to 0 at step `total`."""

    def __init__(self, peak: float, warmup: int, total: int) -> None:
        self.peak, self.warmup, self.total = peak, max(1, warmup), total

    def __call__(self, step: Any) -> Any:
        step = keras.ops.cast(step, "float32")
        rising = (step + 1) / self.warmup
        falling = keras.ops.maximum((self.total - step) / max(1, self.total - self.warmup), 0.0)
        return self.peak * keras.ops.minimum(rising, falling)

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "warmup": self.warmup, "total": self.total}


@dataclass(frozen=True)
class Epoch:
    """A line of log.jsonl; loss and accuracy of the last training batch, `val_accuracy` of the test set."""

    epoch: int
    loss: float
    accuracy: float
    val_accuracy: float
    seconds: float


def preprocessing(recipe: Recipe) -> Preprocessing:
    """The recipe's input: the zoo's for its model, with the recipe's [input] over it."""
    member = zoo.member(recipe.model)
    given = dict(recipe.input)
    size = given.pop("size", member.input_size)
    fields = {"order": member.order, "scale": list(member.scale), "mean": [0.0] * 3, **given}
    return Preprocessing.from_json({"width": size, "height": size, **fields})


class Run:
    """One training run in its folder."""

    def __init__(self, recipe: Recipe, classes: tuple[str, ...], images: int, folder: Path) -> None:
        schedule = recipe.train
        if images < schedule.batch:
            raise UserError(
                f"{images} training images do not fill one batch of {schedule.batch}; lower [train] batch"
            )
        self.recipe, self.classes, self.folder = recipe, classes, folder
        self.spec = preprocessing(recipe)
        keras.utils.set_random_seed(schedule.seed)
        self.plain = zoo.build(recipe.model, len(classes), input_size=self.spec.width, **recipe.options)
        self.model = with_fused_norms(self.plain)
        self.optimizer = self._optimizer(schedule, images // schedule.batch)
        self.model.compile(
            optimizer=self.optimizer,
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=schedule.label_smoothing),
            metrics=["accuracy"],
            jit_compile=False,
        )
        self.done = 0

    def _optimizer(self, schedule: Schedule, steps: int) -> keras.optimizers.Optimizer:
        rate = LinearSchedule(schedule.rate, schedule.warmup * steps, schedule.epochs * steps)
        optimizer = keras.optimizers.SGD(
            rate, momentum=schedule.momentum, nesterov=True, weight_decay=schedule.weight_decay
        )
        optimizer.build(self.model.trainable_variables)
        optimizer.exclude_from_weight_decay(var_names=UNDECAYED)
        return optimizer

    def resume(self) -> int:
        """Takes up the folder's state and returns the epochs done; UserError if it does not fit."""
        try:
            with np.load(self.folder / STATE) as state:
                weights = [state[f"w{index}"] for index in range(len(self.model.weights))]
                slots = [state[f"o{index}"] for index in range(len(self.optimizer.variables))]
                self.model.set_weights(weights)
                for variable, value in zip(self.optimizer.variables, slots, strict=True):
                    variable.assign(value)
                self.done = int(state["epoch"])
        except FileNotFoundError:
            raise UserError(f"nothing to resume in {self.folder}; start without --resume") from None
        except (KeyError, ValueError, zipfile.BadZipFile) as error:
            raise UserError(
                f"{self.folder / STATE} does not fit recipe '{self.recipe.name}'; choose another --out"
            ) from error
        return self.done

    def _save_state(self) -> None:
        arrays = {f"w{index}": value for index, value in enumerate(self.model.get_weights())}
        arrays |= {f"o{index}": np.asarray(value) for index, value in enumerate(self.optimizer.variables)}
        part = self.folder / f"{STATE}.part.npz"
        np.savez(part, epoch=self.done, **arrays)
        part.replace(self.folder / STATE)

    def epochs(self, training: Source, test: Source) -> Iterator[Epoch]:
        """Trains the epochs that are not yet done; each is saved and logged before it is yielded."""
        if self.done >= self.recipe.train.epochs:
            return
        schedule = self.recipe.train
        batches = Batches(training, self.spec, self.recipe.augment, batch=schedule.batch, seed=schedule.seed)
        test_images, test_labels = load(test, self.spec)
        inputs = to_input(test_images, self.spec)
        while self.done < self.recipe.train.epochs:
            start = time.monotonic()
            self.model.reset_metrics()
            logs: dict[str, Any] = {}
            for x, y in batches.epoch(self.done):
                logs = self.model.train_on_batch(x, y, return_dict=True)
            loss = float(logs["loss"])
            if not np.isfinite(loss):
                raise UserError(f"training diverged in epoch {self.done + 1}; lower [train] rate")
            scores = self.model.predict(inputs, batch_size=500, verbose=0)
            seconds = time.monotonic() - start
            accuracy = float((scores.argmax(axis=1) == test_labels).mean())
            self.done += 1
            epoch = Epoch(self.done, loss, float(logs["accuracy"]), accuracy, round(seconds, 1))
            self._save_state()
            with (self.folder / LOG).open("a", encoding="utf-8") as log:
                log.write(json.dumps(asdict(epoch)) + "\n")
            yield epoch

    def finish(self) -> Path:
        """Writes model.keras, with plain layers alone, and model.json; returns the former's path."""
        self.plain.set_weights(self.model.get_weights())
        path = self.folder / MODEL
        self.plain.save(path)
        facts = Artefact(
            name=self.recipe.name,
            classes=self.classes,
            input=self.spec.to_json(),
            training={
                "model": self.recipe.model,
                **self.recipe.options,
                **asdict(self.recipe.train),
                "augment": asdict(self.recipe.augment),
            },
        )
        text = json.dumps(facts.to_json(), indent=1, ensure_ascii=False)
        (self.folder / FACTS).write_text(text + "\n", encoding="utf-8")
        return path


def prepare_folder(folder: Path, resume: bool) -> None:
    """Makes the run's folder; UserError if it holds another run that is not to be resumed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {folder}: {error.strerror}") from error
    if not resume and (folder / STATE).exists():
        raise UserError(f"{folder} already holds a run; add --resume to continue it, or choose another --out")
