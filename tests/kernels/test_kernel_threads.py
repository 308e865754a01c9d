"""Several models in several threads at once, one model in several threads, and none at all."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from oracle import engine, host, random_inputs, reference
from oracle.models import MODELS, small_model

from edgecore import interpreter as ec

CALLERS = 4


def in_threads(work: Callable[[int], None], count: int = CALLERS) -> None:
    """Runs work(0), work(1), ... at once; an exception in any of them is raised here."""
    problems: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


def opened(model: bytes, threads: int) -> tuple[Any, int]:
    """An interpreter with its inputs set, and the number of its output."""
    delegate = ec.load_delegate(threads=threads)
    interpreter = host().Interpreter(model_content=model, experimental_delegates=[delegate])
    interpreter.allocate_tensors()
    for detail, array in zip(interpreter.get_input_details(), random_inputs(model), strict=True):
        interpreter.set_tensor(detail["index"], array)
    return interpreter, interpreter.get_output_details()[0]["index"]


def test_three_models_run_in_four_threads_while_others_come_and_go() -> None:
    models = [MODELS[name]().build() for name in ("squeezenet", "mobilenet_v2", "spp")]
    wanted = [reference(model, random_inputs(model))[0] for model in models]
    running = threading.Event()
    running.set()

    def come_and_go() -> None:
        while running.is_set():
            engine(models[0], random_inputs(models[0]), threads=2)

    def work(caller: int) -> None:
        each = [opened(model, threads=(caller + number) % 3 + 1) for number, model in enumerate(models)]
        for _ in range(20):
            for (interpreter, output), want in zip(each, wanted, strict=True):
                interpreter.invoke()
                np.testing.assert_array_equal(interpreter.get_tensor(output), want)

    other = threading.Thread(target=come_and_go)
    other.start()
    try:
        in_threads(work)
    finally:
        running.clear()
        other.join()


def test_one_interpreter_in_several_threads_runs_for_one_and_refuses_the_others() -> None:
    """Refused by the engine, or before it by the runtime's Python, which counts who holds the interpreter."""
    model = MODELS["squeezenet"]().build()
    (want,) = reference(model, random_inputs(model))
    interpreter, output = opened(model, threads=2)
    refused: list[str] = []

    def work(_: int) -> None:
        for _ in range(50):
            try:
                interpreter.invoke()
            except RuntimeError as error:
                refused.append(str(error))

    in_threads(work)
    assert all("in another thread" in text or "reference to internal data" in text for text in refused)
    interpreter.invoke()
    np.testing.assert_array_equal(interpreter.get_tensor(output), want)


IDLE = """
import sys, time
from edgecore import interpreter as ec
opened = ec.open_interpreter(sys.argv[1], threads=2)
for _ in range(5):
    opened.invoke()
time.sleep(0.2)
before = time.process_time_ns()
time.sleep(2)
print(time.process_time_ns() - before)
"""


def test_an_idle_model_uses_no_cpu(tmp_path: Path) -> None:
    """Time of all threads of the process; those of a pool spin a few dozen microseconds before they sleep."""
    (tmp_path / "m.tflite").write_bytes(small_model())
    command = [sys.executable, "-c", IDLE, str(tmp_path / "m.tflite")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2_000_000
