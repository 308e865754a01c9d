"""The border to TensorFlow: whether it is there, its chatter kept back, its errors in one line."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from edgecore.errors import UserError


def require_tensorflow() -> None:
    """Imports TensorFlow and Keras quietly; UserError with the remedy where they are missing."""
    if importlib.util.find_spec("tensorflow") is None or importlib.util.find_spec("keras") is None:
        raise UserError("this command needs TensorFlow, which is missing; run: pip install 'edgecore[host]'")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with quiet():
        importlib.import_module("tensorflow").get_logger().setLevel("ERROR")
        logging.getLogger("absl").setLevel("ERROR")
        importlib.import_module("keras")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Sends what C++ writes on stdout and stderr, and Python's warnings, to nowhere; errors still come as
    exceptions.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        warnings.catch_warnings(action="ignore"),
    ):
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            for number, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, number)
                os.close(copy)


def reason_of(error: BaseException) -> str:
    """The line of an exception of TensorFlow, Keras or ONNX that says what is wrong, without colours.

    Keras begins with the layer that it was calling; what happened there follows.
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith("Exception encountered when calling")]
    return (told or lines or [type(error).__name__])[0]
