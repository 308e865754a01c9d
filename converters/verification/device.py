"""The engine as the process that holds TensorFlow sees it: tensors go in, tensors come back."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from edgecore.errors import UserError


class Device:
    """A .tflite that runs as on the device, in a process that this context manager starts and ends.

    `facts` says what the engine claims; see `engine.facts_of`.

    Raises UserError: the engine does not take the file, or its process dies.
    """

    def __init__(self, model: Path) -> None:
        self._model = model
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  a pipe that nobody empties would block it
        command = [sys.executable, "-m", "edgecore.converters.verification.engine", str(model)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._complaints
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._inputs, self._outputs = self._process.stdin, self._process.stdout
        try:
            line = self._outputs.readline()
            if not line.endswith(b"\n"):
                raise self._died()
            self.facts: dict[str, Any] = json.loads(line)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process, at once."""
        for pipe in (self._inputs, self._outputs):
            with contextlib.suppress(OSError):
                pipe.close()
        self._process.kill()
        self._process.wait()
        self._complaints.close()

    def send(self, tensor: NDArray[Any], reference: bool = False) -> None:
        """Starts one inference, by the reference as well where that is asked; `receive` takes each output."""
        try:
            self._inputs.write(bytes([reference]) + tensor.tobytes())
            self._inputs.flush()
        except BrokenPipeError:
            raise self._died() from None

    def receive(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """The next output: the engine's, then the reference's if `send` asked for it."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        answer = self._outputs.read(size)
        if len(answer) < size:
            raise self._died()
        return np.frombuffer(answer, dtype).reshape(shape)

    def _died(self) -> UserError:
        status = self._process.wait()
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        if status == 2 and lines:
            return UserError(
                f"the engine does not take {self._model}: {lines[-1].removeprefix('edgecore: ')}"
            )
        cause = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        said = f" ({lines[-1]})" if lines else ""
        return UserError(
            f"the engine died while it ran {self._model}: {cause}{said}; please report it with the model"
        )
