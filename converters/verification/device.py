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
from numpy.typing import NDArray

from edgecore import golden
from edgecore.errors import UserError
from edgecore.network import TensorSpec
from edgecore.preprocess import Preprocessing

REFERENCE = "tflite-runtime 2.14"  # the runtime whose BUILTIN_REF kernels the engine reproduces


class Device:
    """A .tflite that runs as on the device, in a process that this context manager starts and ends.

    `input` and `output` describe its tensors, `facts` what the engine claims; see `engine.facts_of`.

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
            facts = json.loads(line)
            self.input, self.output = (_spec(facts.pop(side)) for side in ("input", "output"))
            self.facts: dict[str, Any] = facts
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

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

    def receive(self) -> NDArray[Any]:
        """The next output: the engine's, then the reference's if `send` asked for it."""
        empty = np.empty(self.output.shape, self.output.dtype)
        answer = self._outputs.read(empty.nbytes)
        if len(answer) < empty.nbytes:
            raise self._died()
        return np.frombuffer(answer, empty.dtype).reshape(empty.shape)

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


def _spec(fields: dict[str, Any]) -> TensorSpec:
    return TensorSpec(**{**fields, "shape": tuple(fields["shape"])})


def golden_of(flatbuffer: bytes, spec: Preprocessing) -> bytes:
    """What the reference kernels say to the pictures of edgecore/golden.py.

    TensorFlow's BUILTIN_REF will not do, nor LiteRT's: they round dense layers differently. Where only LiteRT
    is installed the engine speaks for the reference.

    Raises UserError: the engine does not take the model.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(flatbuffer)
        with Device(path) as device:
            found = []
            details = (device.input.dtype, device.input.scale, device.input.zero_point)
            for tensor in golden.inputs(spec, *details):
                device.send(tensor, reference=True)
                answers = device.receive(), device.receive()
                found.append(answers[device.facts["runtime"].startswith(REFERENCE)].tobytes())
    return b"".join(found)
