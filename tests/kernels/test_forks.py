"""A forked child has none of its parent's threads: its engines start their own, and nothing hangs."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from oracle.models import small_model

BEGIN = """
import os, signal, sys, threading
import numpy as np
from edgecore import interpreter as ec

def load(threads):
    opened = ec.open_interpreter(sys.argv[1], threads=threads)
    detail = opened.get_input_details()[0]
    noise = np.random.default_rng(1).integers(-128, 128, detail["shape"]).astype(np.int8)
    opened.set_tensor(detail["index"], noise)
    return opened

def answer(opened):
    opened.invoke()
    return opened.get_tensor(opened.get_output_details()[0]["index"])

def in_child(work):
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        os._exit(0 if work() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

opened = load(threads=2)
want = answer(opened)

def same():
    return np.array_equal(answer(opened), want)
"""

WAYS = {
    "the parent's model": """
        assert in_child(same) == 0
        assert same()
    """,
    "a new model": """
        assert in_child(lambda: np.array_equal(answer(load(threads=2)), want)) == 0
    """,
    "the parent's model, closed": """
        def close():
            global opened
            del opened
            return np.array_equal(answer(load(threads=3)), want)
        assert in_child(close) == 0
        assert same()
    """,
    "a child's child": """
        assert in_child(lambda: same() and in_child(same) == 0 and same()) == 0
    """,
    "threads of the child": """
        def work():
            right = []
            others = [load(threads=2) for _ in range(3)]
            threads = [threading.Thread(target=lambda x=x: right.append(np.array_equal(answer(x), want)))
                       for x in [opened, *others]]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return right == [True] * 4
        assert in_child(work) == 0
    """,
    "an Engine that another thread runs": """
        from edgecore.kernels.graph import Graph
        graph = Graph()
        x, y = (graph.tensor((1, 64, 64, 64), scales=[0.1], zero_points=[2]) for _ in range(2))
        graph.node("relu", [x], y)
        graph.set_io([x], [y])
        engine = graph.compile(threads=2)
        noise = np.random.default_rng(1).integers(-128, 128, (1, 64, 64, 64)).astype(np.int8)
        result, elsewhere = np.zeros_like(noise), np.zeros_like(noise)
        stop = threading.Event()
        def keep_busy():
            while not stop.is_set():
                engine.run([noise], [elsewhere])
        busy = threading.Thread(target=keep_busy)
        def right():
            for _ in range(3):
                engine.run([noise], [result])
            return np.array_equal(result, np.maximum(noise, 2))
        busy.start()
        codes = [in_child(right) for _ in range(10)]
        stop.set()
        busy.join()
        assert codes == [0] * 10, codes
        assert right()
    """,
    "an interpreter that another thread runs": """
        stop = threading.Event()
        busy = threading.Thread(target=lambda: [opened.invoke() for _ in iter(stop.is_set, True)])
        def right_or_refused():
            try:
                return same()
            except RuntimeError:  # the runtime's own: to it the parent's thread still holds the interpreter
                return np.array_equal(answer(load(threads=2)), want)
        busy.start()
        codes = [in_child(right_or_refused) for _ in range(5)]
        stop.set()
        busy.join()
        assert codes == [0] * 5, codes
        assert same()
    """,
    "multiprocessing": """
        import multiprocessing
        def work(_):
            return answer(opened)
        with multiprocessing.get_context("fork").Pool(2) as pool:
            results = pool.map_async(work, range(6)).get(60)
        assert all(np.array_equal(result, want) for result in results)
        assert same()
    """,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_forked_child_runs(way: str, tmp_path: Path) -> None:
    model = tmp_path / "m.tflite"
    model.write_bytes(small_model())
    code = BEGIN + textwrap.dedent(WAYS[way])
    command = [sys.executable, "-X", "faulthandler", "-c", code, str(model)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-3000:]
