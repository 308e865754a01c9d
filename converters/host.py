"""The border to TensorFlow: whether it is there, and its first import without its chatter."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
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
    # Of its own interpreter's end of life, and of options that it has itself filled in: nothing for a user to do.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"tensorflow\.lite")
    with quiet():
        importlib.import_module("tensorflow").get_logger().setLevel("ERROR")
        importlib.import_module("keras")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Sends what C++ writes on stdout and stderr to nowhere; errors still come as exceptions."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            for number, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, number)
                os.close(copy)
