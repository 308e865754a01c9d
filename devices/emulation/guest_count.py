"""Runs inside an emulated root: one warm inference of a model between two marks.

The marks are os.getppid(), which nothing else calls and which costs a few hundred instructions. Standard
output gets one JSON object. It is started as a file, so it imports nothing of edgecore but the runtime.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.metadata
import json
import os
from typing import Any

RUNTIMES = ("edgecore", "tflite-runtime", "ai-edge-litert")


def open_runtime(runtime: str, model: str, isa: str | None) -> tuple[Any, dict[str, Any]]:
    """An interpreter with one thread and allocated tensors, and what there is to say of it."""
    facts: dict[str, Any] = {}
    if runtime == "edgecore":
        from edgecore.interpreter import load_delegate, runtime_name

        module = importlib.import_module(f"{runtime_name()}.interpreter")
        delegate = load_delegate(threads=1, isa=isa)
        interpreter = module.Interpreter(model_path=model, num_threads=1, experimental_delegates=[delegate])
        interpreter.allocate_tensors()
        facts["nodes"] = [delegate.claimed_nodes, delegate.total_nodes]
        facts["isa"] = [engine.isa for engine in delegate.engines()]
        facts["steps"] = [
            {"name": step.name, "bytes": step.bytes, "macs": step.macs}
            for engine in delegate.engines()
            for step in engine.steps()
        ]
    else:
        module = importlib.import_module(f"{runtime.replace('-', '_')}.interpreter")
        interpreter = module.Interpreter(model_path=model, num_threads=1)
        interpreter.allocate_tensors()
        facts["version"] = importlib.metadata.version(runtime)
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


def digest(interpreter: Any) -> str:
    """SHA-256 of the outputs' bytes."""
    found = hashlib.sha256()
    for detail in interpreter.get_output_details():
        found.update(interpreter.get_tensor(detail["index"]).tobytes())
    return found.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runtime", choices=RUNTIMES, required=True)
    parser.add_argument("--isa", help="force one of edgecore's tiers")
    parser.add_argument("model")
    arguments = parser.parse_args()

    interpreter, facts = open_runtime(arguments.runtime, arguments.model, arguments.isa)
    fill_inputs(interpreter)
    interpreter.invoke()
    os.getppid()
    interpreter.invoke()
    os.getppid()
    print(json.dumps({**facts, "sha256": digest(interpreter)}))


if __name__ == "__main__":
    main()
