"""Who may go first: delegate, interpreter or engine."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import random_inputs, reference, run
from oracle.models import small_model

from edgecore import interpreter as ec


def in_child(code: str, *arguments: str) -> str:
    """What Python code prints in a process of its own; on stderr only LiteRT may say something."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )
    problems = [line for line in done.stderr.splitlines() if not line.startswith("INFO: ")]
    assert (done.returncode, problems) == (0, []), done.stderr[-3000:]
    return done.stdout


def test_one_delegate_may_serve_interpreters_one_after_the_other(runtime: Any) -> None:
    delegate = ec.load_delegate()
    for seed in (1, 2):
        model = small_model(seed)
        inputs = random_inputs(model)
        interpreter = runtime.Interpreter(model_content=model, experimental_delegates=[delegate])
        np.testing.assert_array_equal(run(interpreter, inputs)[0], reference(model, inputs)[0])
        assert len(delegate.engines()) == 1
        del interpreter
        gc.collect()
    assert delegate.engines() == []


def test_a_delegate_that_is_destroyed_first_leaves_its_interpreter_whole(
    tmp_path: Path, runtime: Any
) -> None:
    (tmp_path / "m.tflite").write_bytes(small_model())
    text = in_child(
        """
        import importlib, sys
        from edgecore import interpreter as ec
        runtime = importlib.import_module(sys.argv[2])
        delegate = runtime.load_delegate(str(ec.library_path()))
        interpreter = runtime.Interpreter(sys.argv[1], experimental_delegates=[delegate])
        interpreter.allocate_tensors()
        delegate.__del__()
        interpreter.invoke()
        del interpreter
        print("whole")
        """,
        str(tmp_path / "m.tflite"),
        runtime.__name__,
    )
    assert text == "whole\n"


def test_an_engine_outlived_by_its_delegate_says_so() -> None:
    interpreter = ec.open_interpreter(small_model())
    delegate = interpreter.edgecore_delegate
    (engine_,) = delegate.engines()
    del interpreter
    gc.collect()
    with pytest.raises(RuntimeError, match="interpreter"):
        engine_.steps()


def test_interpreters_leave_no_memory_behind() -> None:
    model = small_model()

    def resident() -> int:
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    for _ in range(20):
        ec.open_interpreter(model, threads=2).invoke()
    before = resident()
    for _ in range(100):
        ec.open_interpreter(model, threads=2).invoke()
    assert resident() - before < 2_000_000
