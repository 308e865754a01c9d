"""Trains one network in a folder, an epoch at a time; what a stopped run has done is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edgecore.artefact import Artefact
from edgecore.converters import plots
from edgecore.converters.data import Batches, Images, Source, to_input
from edgecore.converters.data.images import THREADS
from edgecore.converters.evaluate import Report, report_of
from edgecore.converters.recipes import Recipe
from edgecore.converters.training import environment, files, state
from edgecore.converters.training.history import Epoch, as_csv, best, is_over, plateau_factor
from edgecore.converters.training.learning import Learner
from edgecore.converters.training.network import begun_network, network_of
from edgecore.converters.training.parts import Parts, class_weights
from edgecore.converters.training.schedules import rate_at
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing

# Passes the steps of an epoch on; the command line shows a bar there.
Watch = Callable[[Iterable[Any], int, str], Iterable[Any]]
# What --resume may change: it decides how far a run goes, not what its steps are.
CHANGEABLE = ("epochs", "patience")
DRAWN_EVERY = 60.0  # seconds


class Run:
    """One training run. Folder: see files.py; it must have been opened.

    A run is resumed if the folder holds its state. Raises UserError if that is of another recipe or other
    data, or if the network cannot be built or does not fit the data.
    """

    def __init__(self, recipe: Recipe, parts: Parts, folder: Path, threads: int | None = None) -> None:
        self.recipe, self.parts, self.folder = recipe, parts, folder
        self.history: list[Epoch] = []
        self._drawn = time.monotonic()
        resumed = (folder / files.STATE).exists()
        if resumed:
            self.network = begun_network(recipe, self._known_spec(), folder / files.BEST)
        else:
            self.network = network_of(recipe, len(parts.classes))
        self.spec = self.network.spec
        settings = recipe.train
        self.threads = min(THREADS, threads or THREADS)
        self.batches = Batches(
            parts.training,
            self.spec,
            recipe.augment,
            batch=settings.batch,
            seed=settings.seed,
            threads=self.threads,
        )
        self.judged = Images(parts.validation, self.spec)
        weights = class_weights(parts.training, settings.class_weights)
        self.learner = Learner(self.network.learning, settings, weights)
        if resumed:
            self.history = state.load(folder / files.STATE, self.learner.variables)
            self._write_metrics()
        else:
            files.write_json(folder / files.ENVIRONMENT, environment.describe(threads))
        files.write_json(folder / files.SPLIT, parts.to_json())
        files.write_json(folder / files.CONFIG, self._config())

    @property
    def done(self) -> int:
        """Whole epochs done."""
        return len(self.history)

    def epochs(self, watch: Watch = lambda steps, _count, _text: steps) -> Iterator[Epoch]:
        """Trains what is left; each epoch is on the disk before it is yielded.

        Raises UserError if the loss is no number any more, an image does not decode, or the disk is full;
        the state of the last whole epoch stands.
        """
        while not is_over(self.history, self.recipe.train):
            start = time.monotonic()
            loss, accuracy, rate = self._learn(watch)
            report, val_loss = self._judge(self.parts.validation)
            seconds = round(time.monotonic() - start, 1)
            epoch = Epoch(
                self.done + 1, loss, accuracy, val_loss, report.accuracy, report.miou, rate, seconds
            )
            if best([*self.history, epoch]) is epoch:
                self._save_model(files.BEST, [*self.history, epoch])
            state.save(self.folder / files.STATE, self.learner.variables, [*self.history, epoch])
            self.history.append(epoch)
            self._write_metrics()
            if time.monotonic() - self._drawn > DRAWN_EVERY:
                self.draw()
            yield epoch

    def _learn(self, watch: Watch) -> tuple[float, float, float]:
        settings, steps = self.recipe.train, len(self.batches)
        factor = plateau_factor(self.history, settings)
        losses, hits, images, rate = 0.0, 0, 0, 0.0
        batches = watch(self.batches.epoch(self.done), steps, f"epoch {self.done + 1}")
        for position, (inputs, truth) in enumerate(batches):
            rate = rate_at(settings, self.done * steps + position, steps, factor)
            loss, recognised = self.learner.learn(inputs, truth, rate)
            if not np.isfinite(loss):
                raise UserError(
                    f"the loss is {loss} in step {position + 1} of epoch {self.done + 1}; lower --rate"
                )
            losses, hits, images = losses + loss * len(truth), hits + recognised, images + len(truth)
        return losses / images, hits / images, rate

    def _judge(self, source: Source) -> tuple[Report, float]:
        """What the network makes of the source's images, and its mean loss."""
        one_hot = np.eye(len(source.classes), dtype=np.float32)
        truth, predicted, losses = [], [], 0.0
        for pixels, labels in self._images(source).in_order(self.recipe.train.batch, threads=self.threads):
            scores, loss = self.learner.judge(to_input(pixels, self.spec), one_hot[labels])
            truth.append(labels)
            predicted.append(scores.argmax(axis=1))
            losses += loss
        if not truth:
            raise UserError(f"{source.path}: none of its {len(source.items)} images can be used")
        report = report_of(source.classes, np.concatenate(truth), np.concatenate(predicted))
        return report, losses / report.images

    def _images(self, source: Source) -> Images:
        """The validation part's images stay decoded from one epoch to the next, as far as a budget goes."""
        return self.judged if source is self.parts.validation else Images(source, self.spec, cache=0)

    @property
    def result_epoch(self) -> int:
        """The epoch that model.keras is of: the best one under early stopping, else the last."""
        return best(self.history).epoch if self.recipe.train.patience else self.done

    def finish(self) -> tuple[Path, Report]:
        """Writes model.keras and what it does on the test part; returns its path and that."""
        if self.result_epoch != self.done:
            self._take_best()
        report, loss = self._judge(self.parts.test)
        self._save_model(files.MODEL, self.history)
        files.write_whole(self.folder / files.CONFUSION, lambda part: plots.confusion(report, part))
        self.draw()
        result = {"epoch": self.result_epoch, "loss": loss, **report.to_json()}
        files.write_json(self.folder / files.REPORT, result)  # last: it says that the run is finished
        return self.folder / files.MODEL, report

    def draw(self) -> None:
        """Writes the curves of the epochs so far."""
        if self.history:
            rows = [asdict(epoch) for epoch in self.history]
            files.write_whole(self.folder / files.CURVES, lambda part: plots.curves(rows, part))
        self._drawn = time.monotonic()

    def _take_best(self) -> None:
        path = self.folder / files.BEST
        try:
            self.network.learning.set_weights(keras.models.load_model(path, compile=False).get_weights())
        except Exception as error:
            raise UserError(f"{path} does not read: {error}; train again in another --out") from error

    def _save_model(self, name: str, history: list[Epoch]) -> None:
        path = self.folder / name
        model = self.network.to_plain()
        files.write_whole(path, lambda part: _save(model, part))
        epoch = best(history) if name == files.BEST or self.recipe.train.patience else history[-1]
        facts = Artefact(
            name=self.recipe.name,
            classes=self.parts.classes,
            input=self.spec.to_json(),
            training={
                "model": self.recipe.model,
                **self.recipe.options,
                **asdict(self.recipe.train),
                "epoch": epoch.epoch,
                "augment": asdict(self.recipe.augment),
                **{key: value for key, value in asdict(self.recipe.transfer).items() if value},
            },
        )
        files.write_json(path.with_suffix(".json"), facts.to_json())

    def _write_metrics(self) -> None:
        files.write_text(self.folder / files.METRICS, as_csv(self.history))

    def _config(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe.to_table(),
            "preprocessing": self.spec.to_json(),
            "classes": list(self.parts.classes),
            "images": self.parts.counts(),
        }

    def _known_spec(self) -> Preprocessing:
        """The preprocessing of the run that the folder holds; UserError if it began with something else."""
        known = files.read_json(self.folder / files.CONFIG)
        difference = _difference(known["recipe"], json.loads(json.dumps(self.recipe.to_table())))
        split = self.folder / files.SPLIT
        if not difference and split.exists() and files.read_json(split) != self.parts.to_json():
            difference = "images"
        if difference:
            raise UserError(
                f"{self.folder} holds a run with other {difference}; resume it as it began, "
                "or choose another --out"
            )
        return Preprocessing.from_json(known["preprocessing"])


def _difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Names the first entry that differs between two recipes' tables; empty: none does."""
    for section, entries in now.items():
        if not isinstance(entries, dict):
            continue
        for key, value in entries.items():
            found = before.get(section, {}).get(key)
            if found != value and not (section == "train" and key in CHANGEABLE):
                return f"[{section}] {key} ({found!r}, now {value!r})"
    return ""


def _save(model: keras.Model, path: Path) -> None:
    model.save(path)
