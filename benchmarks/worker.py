"""One runtime with one model in a process of its own, invoked when the parent says so.

The parent writes one JSON object a line, {"milliseconds": budget}, and gets {"nanoseconds": [...]}: how long
every invocation of that turn took. The first line that the parent reads describes what was loaded. Standard
output belongs to this conversation alone; what a runtime prints goes to standard error.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import resource
import sys
import time
from typing import Any

RUNTIMES = ("edgecore", "tflite-runtime", "ai-edge-litert")
MIN_INVOCATIONS = 3


def installed(runtime: str) -> str | None:
    """The version of a runtime, or None where it is not installed."""
    try:
        return importlib.metadata.version(runtime)
    except importlib.metadata.PackageNotFoundError:
        return None


def open_runtime(runtime: str, model: str, threads: int) -> tuple[Any, dict[str, Any]]:
    """An interpreter with allocated tensors, and what the report says of it."""
    facts: dict[str, Any] = {"version": installed(runtime)}
    if runtime == "edgecore":
        from edgecore.interpreter import load_delegate, runtime_name

        module = importlib.import_module(f"{runtime_name()}.interpreter")
        delegate = load_delegate(threads=threads)
        interpreter = module.Interpreter(
            model_path=model, num_threads=threads, experimental_delegates=[delegate]
        )
        interpreter.allocate_tensors()
        facts["nodes"] = [delegate.claimed_nodes, delegate.total_nodes]
        facts["isa"] = [engine.isa for engine in delegate.engines()][:1]
    else:
        package = runtime.replace("-", "_")
        module = importlib.import_module(f"{package}.interpreter")
        interpreter = module.Interpreter(model_path=model, num_threads=threads)
        interpreter.allocate_tensors()
    return interpreter, facts


def fill_inputs(interpreter: Any) -> None:
    """The same noise for every runtime, over the whole range of the input's type."""
    import numpy as np

    random = np.random.default_rng(1)
    for detail in interpreter.get_input_details():
        kind = np.dtype(detail["dtype"])
        if kind.kind in "iu":
            limits = np.iinfo(kind)
            data = random.integers(limits.min, limits.max, detail["shape"], kind, endpoint=True)
        else:
            data = random.standard_normal(detail["shape"]).astype(kind)
        interpreter.set_tensor(detail["index"], data)


def turn(interpreter: Any, milliseconds: float) -> list[int]:
    """Durations in ns of back-to-back invocations, until the budget is used up."""
    durations: list[int] = []
    end = time.perf_counter_ns() + int(milliseconds * 1e6)
    while len(durations) < MIN_INVOCATIONS or time.perf_counter_ns() < end:
        start = time.perf_counter_ns()
        interpreter.invoke()
        durations.append(time.perf_counter_ns() - start)
    return durations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runtime", choices=RUNTIMES, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, required=True)
    arguments = parser.parse_args()

    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    start = time.perf_counter_ns()
    interpreter, facts = open_runtime(arguments.runtime, arguments.model, arguments.threads)
    fill_inputs(interpreter)
    interpreter.invoke()
    facts["first_result_ms"] = (time.perf_counter_ns() - start) / 1e6
    print(json.dumps(facts), file=answers)
    for line in sys.stdin:
        durations = turn(interpreter, json.loads(line)["milliseconds"])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"nanoseconds": durations, "peak_bytes": peak}), file=answers)


if __name__ == "__main__":
    main()
