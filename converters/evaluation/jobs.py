"""Jobs for processes of their own: what TensorFlow or a TFLite interpreter is asked to do.

A job is a dataclass that names the side it belongs to and the module whose `run(job, tell)` does it. It goes
to `evaluation.worker` as a pickle on standard input; progress and the result come back on standard output.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from edgecore.converters.evaluation.images import ImageList
from edgecore.converters.evaluation.report import Report, report_of
from edgecore.errors import UserError

# What must not be imported beside each side's own packages.
BARRED = {
    "tensorflow": ("tflite_runtime", "ai_edge_litert"),
    "tflite": ("tensorflow", "keras"),
}
Tell = Callable[[int], None]  # gets the number of images done


@dataclass(frozen=True)
class Answers:
    """What one runner said to the images of a list, image by image.

    Attributes:
        predicted: int64 (images,), indices of the data's classes; -1 for an image that does not decode.
        digests: uint64 (images,), equal where the output's bytes are equal; empty from a float model.
        parameters: of the model.
        runtime: what ran it, e.g. "keras 3.15.1".
        notes: what people should know of the run, a line each.
    """

    predicted: NDArray[np.int64]
    digests: NDArray[np.uint64]
    parameters: int
    runtime: str
    notes: tuple[str, ...] = ()

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(images,): which images decode."""
        return self.predicted >= 0

    def report(self, images: ImageList) -> Report:
        """The report of these answers to `images`; UserError if none of them decodes."""
        if not self.seen.any():
            raise UserError(f"none of the {len(images)} images in {images.path} decodes; check the data")
        return report_of(images.classes, images.truth()[self.seen], self.predicted[self.seen])


@dataclass(frozen=True)
class KerasJob:
    """The answers of a .keras model; its float .tflite is written to `flatbuffer`, unless that is None."""

    SIDE: ClassVar[str] = "tensorflow"
    MODULE: ClassVar[str] = "keras_runner"

    model: Path
    images: ImageList
    labels: Path | None = None
    flatbuffer: Path | None = None


@dataclass(frozen=True)
class TfliteJob:
    """The answers of an int8 or uint8 .tflite, None for the bundled one.

    `kernels`: "engine", "interpreter" (the plain one of this installation) or "reference" (TFLite's
    BUILTIN_REF). `threads` None: every core.
    """

    SIDE: ClassVar[str] = "tflite"
    MODULE: ClassVar[str] = "tflite_runner"

    model: Path | None
    images: ImageList
    kernels: str = "engine"
    labels: Path | None = None
    threads: int | None = None


@dataclass(frozen=True)
class LatencyJob:
    """Median seconds of one inference at batch 1 of each (.tflite, whether the engine runs it), in turns."""

    SIDE: ClassVar[str] = "tflite"
    MODULE: ClassVar[str] = "latency_runner"

    models: tuple[tuple[Path, bool], ...]
    threads: int
    seconds: float  # of wall time for each of them


Job = KerasJob | TfliteJob | LatencyJob


def run(job: Job, tell: Tell | None = None) -> Any:
    """What the job's module returns, from a process of its own.

    Raises UserError with what the process said when it fails, or with its last words when it dies.
    """
    # -P: a folder of the user's that is called edgecore or numpy must not be imported instead.
    command = [sys.executable, "-P", "-m", "edgecore.converters.evaluation.worker"]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with process.stdin as stdin:
                pickle.dump(job, stdin)
            return _listen(process.stdout, tell)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            raise UserError(f"running {_name(job)} failed: {_last_words(process, said)}") from None
        finally:
            process.kill()


def _listen(answers: IO[bytes], tell: Tell | None) -> Any:
    while True:
        kind, value = pickle.load(answers)
        if kind == "result":
            return value
        if kind == "mistake":
            raise UserError(value)
        if tell is not None:
            tell(value)


def _name(job: Job) -> str:
    if isinstance(job, LatencyJob):
        return ", ".join(str(path) for path, _ in job.models)
    return str(job.model or "the bundled model")


def _last_words(process: subprocess.Popen[bytes], said: IO[bytes]) -> str:
    status = process.wait()
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    end = f"its process got signal {-status}" if status < 0 else f"exit status {status}"
    return f"{lines[-1]} ({end})" if lines else end
