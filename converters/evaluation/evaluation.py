"""One model on labelled images: in Keras, in the interpreter and in the engine, answer by answer."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgecore.converters.data import Source
from edgecore.converters.evaluation import jobs
from edgecore.converters.evaluation.candidates import Candidate
from edgecore.converters.evaluation.images import ImageList
from edgecore.converters.evaluation.jobs import Answers, KerasJob, LatencyJob, TfliteJob
from edgecore.converters.evaluation.report import Report

FLOAT, INTERPRETER, REFERENCE, ENGINE = "float", "interpreter", "reference", "engine"
Progress = Callable[[str, int], None]  # gets a run's name and the number of its images done


@dataclass(frozen=True)
class Options:
    """How to evaluate.

    Attributes:
        labels: a file with one label a line, for models that carry none.
        threads: of the latency; answers come from every core.
        seconds: to measure each latency for; 0: none is measured.
        reference: whether TFLite's BUILTIN_REF kernels answer too, which takes long.
    """

    labels: Path | None = None
    threads: int = 1
    seconds: float = 2.0
    reference: bool = False


@dataclass(frozen=True)
class Run:
    """One way of running the model.

    Attributes:
        name: FLOAT, INTERPRETER, REFERENCE or ENGINE.
        runtime: what ran it, with its version.
        milliseconds: median of one inference at batch 1; of FLOAT: the float .tflite in the interpreter.
        size: bytes of the .tflite, float for FLOAT.
        same_answers: images with the same best class as in the engine; None for the engine's own.
        same_bytes: images for which every byte of the output is the engine's; None for a float one.
    """

    name: str
    report: Report
    runtime: str
    milliseconds: float | None = None
    size: int | None = None
    same_answers: int | None = None
    same_bytes: int | None = None


@dataclass(frozen=True)
class Evaluation:
    """What was found of one model.

    Attributes:
        skipped: how many images do not decode.
        threads: of the latencies.
        notes: what people should know of it, a line each.
    """

    name: str
    parameters: int
    skipped: int
    threads: int
    runs: tuple[Run, ...]
    notes: tuple[str, ...] = ()

    def run(self, name: str) -> Run | None:
        """The run of that name."""
        return next((run for run in self.runs if run.name == name), None)

    @property
    def shipped(self) -> Run:
        """The run that a device will see: the engine's, else the float one."""
        return self.run(ENGINE) or self.runs[0]

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON values; `from_json` takes it back."""
        return {
            **vars(self),
            "notes": list(self.notes),
            "runs": [{**vars(run), "report": run.report.to_json()} for run in self.runs],
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Evaluation:
        """The inverse of `to_json`."""
        runs = tuple(Run(**{**run, "report": Report.from_json(run["report"])}) for run in values["runs"])
        return cls(**{**values, "runs": runs, "notes": tuple(values["notes"])})


def evaluate(
    candidate: Candidate, source: Source, options: Options, progress: Progress | None = None
) -> Evaluation:
    """All ways of running the candidate over the same images, each in a process of its own.

    Raises UserError: a model does not load, or it or its classes do not fit the images.
    """
    images = ImageList.of(source)
    with tempfile.TemporaryDirectory(prefix="edgecore-eval-") as folder:
        whole = Path(folder) / "float.tflite"
        answers = _answers(candidate, images, options, whole, progress)
        float_file = whole if whole.exists() else None
        files = {name: float_file if name == FLOAT else candidate.tflite for name in answers}
        latencies = _latencies(files, options)
        sizes = {name: path.stat().st_size for name, path in files.items() if path is not None}
    engine = answers.get(ENGINE)
    runs = tuple(
        Run(
            name,
            given.report(images),
            given.runtime,
            latencies.get(name),
            sizes.get(name),
            *_agreement(given, engine),
        )
        for name, given in answers.items()
    )
    notes = tuple(dict.fromkeys(note for given in answers.values() for note in given.notes))
    first = next(iter(answers.values()))
    skipped = np.flatnonzero(~first.seen)
    for position in skipped:
        name, label = source.items[position]
        source.left_out.add(name, source.classes[label], "cannot be used")
    found = Evaluation(candidate.name, first.parameters, len(skipped), options.threads, runs, notes)
    return replace(found, notes=notes + _said(found, candidate, source))


def parameters_of(keras: Path, source: Source) -> int:
    """How many parameters a .keras model has. Raises UserError as `evaluate`."""
    answers: Answers = jobs.run(KerasJob(keras, ImageList(source.path, source.classes, ())))
    return answers.parameters


def _answers(
    candidate: Candidate, images: ImageList, options: Options, whole: Path, progress: Progress | None
) -> dict[str, Answers]:
    ways: dict[str, jobs.Job] = {}
    if candidate.keras is not None:
        ways[FLOAT] = KerasJob(candidate.keras, images, options.labels, whole)
    if candidate.tflite is not None:
        for kernels in (INTERPRETER, *([REFERENCE] if options.reference else []), ENGINE):
            ways[kernels] = TfliteJob(candidate.tflite, images, kernels, options.labels)

    def tell(name: str) -> jobs.Tell | None:
        return None if progress is None else lambda done: progress(name, done)

    return {name: jobs.run(job, tell(name)) for name, job in ways.items()}


def _latencies(files: dict[str, Path | None], options: Options) -> dict[str, float]:
    """Milliseconds of each run; not of the reference kernels, which nobody ships."""
    timed = [(name, path) for name, path in files.items() if path is not None and name != REFERENCE]
    if not options.seconds or not timed:
        return {}
    models = tuple((path, name == ENGINE) for name, path in timed)
    seconds = jobs.run(LatencyJob(models, options.threads, options.seconds))
    return {name: round(value * 1e3, 4) for (name, _), value in zip(timed, seconds, strict=True)}


def _agreement(given: Answers, engine: Answers | None) -> tuple[int | None, int | None]:
    if engine is None or given is engine:
        return None, None
    seen = given.seen
    same = int((given.predicted == engine.predicted)[seen].sum())
    if not given.digests.size:
        return same, None
    return same, int((given.digests == engine.digests)[seen].sum())


def _said(found: Evaluation, candidate: Candidate, source: Source) -> tuple[str, ...]:
    notes = []
    if candidate.tflite is None:
        notes.append(f"no int8 model beside {candidate.keras}; make one with `edgecore convert`")
    if found.skipped:
        notes.append(str(source.left_out))
    if found.shipped.report.absent:
        names = ", ".join(found.shipped.report.absent)
        notes.append(f"no images of {names}: no recall of it, and no IoU unless others were taken for it")
    return tuple(notes)
