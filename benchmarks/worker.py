"""One runtime with one model in a process of its own, invoked when the parent says so.

    python -P worker.py --runtime openvino --threads 1 MODEL

The first line that the parent reads comes with the first result. Then it writes one JSON object a line, and
gets one: {} asks what was loaded, {"milliseconds": budget} for a turn, {"nanoseconds": [...]}, how long every
invocation took. Standard output belongs to this conversation alone; what a runtime prints goes to standard
error. `--inspect FILE` asks what the runtime made of the model instead, and leaves the outputs there.

It runs in the peers' environments too, which have no edgecore: only that runtime's class imports it.
"""

from __future__ import annotations

import argparse
import collections
import importlib
import importlib.metadata
import json
import os
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np

LEAD_IN = 2  # invocations at the start of a turn that do not count: the caches are still another's
MIN_INVOCATIONS = 3


def memory(field: str) -> int:
    """Bytes of VmRSS or VmHWM; the latter, unlike getrusage's, does not begin with the parent's peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0


def noise(shape: Any, dtype: Any) -> np.ndarray:
    """The same noise for every runtime, over the whole range of the type.

    One model's int8 and uint8 form get the same real values.
    """
    random = np.random.default_rng(1)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return random.standard_normal(tuple(shape)).astype(kind)
    size = int(np.prod(shape)) * kind.itemsize
    data = np.frombuffer(random.bytes(size), np.uint8)
    if kind == np.int8:
        data = np.bitwise_xor(data, np.uint8(0x80))
    return data.view(kind).reshape(tuple(shape)).copy()


class Runtime(ABC):
    """What all runtimes have in common: they are imported, load a model, and are invoked."""

    package: str  # whose version is reported

    def __init__(self, threads: int) -> None:
        self.threads = threads

    @abstractmethod
    def start(self) -> None:
        """Imports the runtime, and loads the libraries that every model needs."""

    @abstractmethod
    def load(self, model: str) -> None:
        """Makes the model ready, with noise in its inputs."""

    @abstractmethod
    def invoke(self) -> None:
        """One inference."""

    @abstractmethod
    def outputs(self) -> list[np.ndarray]:
        """What the last inference gave."""

    def facts(self) -> dict[str, Any]:
        """What the report says of a loaded model."""
        return {"version": importlib.metadata.version(self.package)}

    def layers(self) -> dict[str, int] | None:
        """How many nodes of each kind run, {"kind": count}, of a loaded model; None: it does not tell."""
        return None


class TfliteRuntime(Runtime):
    """tflite-runtime as it is installed; its int8 kernels are the built-in ones."""

    package = "tflite-runtime"

    def start(self) -> None:
        self._module = importlib.import_module(self.package.replace("-", "_") + ".interpreter")

    def load(self, model: str) -> None:
        self._interpreter = self._module.Interpreter(
            model_path=model, num_threads=self.threads, **self._options()
        )
        self._interpreter.allocate_tensors()
        for detail in self._interpreter.get_input_details():
            self._interpreter.set_tensor(detail["index"], noise(detail["shape"], detail["dtype"]))
        self.invoke = self._interpreter.invoke  # type: ignore[method-assign]

    def _options(self) -> dict[str, Any]:
        return {}

    def invoke(self) -> None:
        self._interpreter.invoke()

    def outputs(self) -> list[np.ndarray]:
        details = self._interpreter.get_output_details()
        return [self._interpreter.get_tensor(detail["index"]) for detail in details]


class Reference(TfliteRuntime):
    """tflite-runtime's reference kernels, which say what is exact."""

    def _options(self) -> dict[str, Any]:
        return {"experimental_op_resolver_type": self._module.OpResolverType.BUILTIN_REF}


class LiteRt(TfliteRuntime):
    """LiteRT, whose interpreter applies XNNPACK by itself."""

    package = "ai-edge-litert"

    def layers(self) -> dict[str, int] | None:
        nodes = self._interpreter._get_ops_details()  # nothing public tells
        return dict(collections.Counter(node["op_name"] for node in nodes))


class Edgecore(TfliteRuntime):
    """edgecore as the delegate of whichever interpreter it finds."""

    package = "edgecore"

    def start(self) -> None:
        from edgecore.interpreter import library, load_delegate, runtime_name

        library()
        self._load_delegate = load_delegate
        self._module = importlib.import_module(f"{runtime_name()}.interpreter")

    def _options(self) -> dict[str, Any]:
        self._delegate = self._load_delegate(threads=self.threads)
        return {"experimental_delegates": [self._delegate]}

    def facts(self) -> dict[str, Any]:
        engines = self._delegate.engines()
        return {
            **super().facts(),
            "nodes": [self._delegate.claimed_nodes, self._delegate.total_nodes],
            "isa": [engine.isa for engine in engines][:1],
            "arena_bytes": sum(engine.arena_bytes for engine in engines),
            "weight_bytes": sum(engine.weight_bytes for engine in engines),
        }


class OnnxRuntime(Runtime):
    """onnxruntime's CPU provider with inputs and outputs bound once."""

    package = "onnxruntime"

    def start(self) -> None:
        self._module = importlib.import_module("onnxruntime")

    def load(self, model: str) -> None:
        self._model = model
        self._session = self._open(self._module.SessionOptions())
        binding = self._session.io_binding()
        self._inputs = {}  # kept: the binding only points at them
        for argument in self._session.get_inputs():
            kind = argument.type[len("tensor(") : -1].replace("float", "float32")
            self._inputs[argument.name] = noise(argument.shape, kind)
            binding.bind_cpu_input(argument.name, self._inputs[argument.name])
        for argument in self._session.get_outputs():
            binding.bind_output(argument.name)
        self._binding = binding

    def _open(self, options: Any) -> Any:
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return self._module.InferenceSession(self._model, options, providers=["CPUExecutionProvider"])

    def invoke(self) -> None:
        self._session.run_with_iobinding(self._binding)

    def outputs(self) -> list[np.ndarray]:
        return list(self._binding.copy_outputs_to_cpu())

    def layers(self) -> dict[str, int] | None:
        with tempfile.TemporaryDirectory() as folder:
            options = self._module.SessionOptions()
            options.enable_profiling = True
            options.profile_file_prefix = str(Path(folder) / "profile")
            session = self._open(options)
            session.run(None, self._inputs)
            events = json.loads(Path(session.end_profiling()).read_text())
        names = [event["args"]["op_name"] for event in events if event["name"].endswith("_kernel_time")]
        return dict(collections.Counter(names))


class OpenVino(Runtime):
    """OpenVINO's CPU plugin, set to latency, reading the .tflite."""

    package = "openvino"

    def start(self) -> None:
        self._module = importlib.import_module("openvino")
        self._core = self._module.Core()
        self._core.get_property("CPU", "FULL_DEVICE_NAME")  # loads the plugin

    def load(self, model: str) -> None:
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": self.threads,
            "NUM_STREAMS": 1,
        }
        if "ONEDNN_MAX_CPU_ISA" in os.environ:
            # What stays in float takes bfloat16 where the CPU has it, which the tier that is held to may not.
            settings["INFERENCE_PRECISION_HINT"] = "f32"
        self._compiled = self._core.compile_model(self._core.read_model(model), "CPU", settings)
        self._request = self._compiled.create_infer_request()
        for position, port in enumerate(self._compiled.inputs):
            data = noise(port.shape, port.element_type.to_dtype())
            self._request.set_input_tensor(position, self._module.Tensor(data))
        self.invoke = self._request.infer  # type: ignore[method-assign]

    def invoke(self) -> None:
        self._request.infer()

    def outputs(self) -> list[np.ndarray]:
        return [tensor.data for tensor in self._request.output_tensors]

    def layers(self) -> dict[str, int] | None:
        seen: collections.Counter[str] = collections.Counter()
        for node in self._compiled.get_runtime_model().get_ordered_ops():
            found = {key: node.get_rt_info()[key].astype(str) for key in ("layerType", "primitiveType")}
            seen[" ".join(found.values())] += 1
        return dict(seen)


RUNTIMES: dict[str, type[Runtime]] = {
    "edgecore": Edgecore,
    "tflite-runtime": TfliteRuntime,
    "ai-edge-litert": LiteRt,
    "onnxruntime": OnnxRuntime,
    "openvino": OpenVino,
    "reference": Reference,
}


def turn(runtime: Runtime, milliseconds: float) -> list[int]:
    """Durations in ns of back-to-back invocations, until the budget is used up."""
    invoke, clock = runtime.invoke, time.perf_counter_ns
    for _ in range(LEAD_IN):
        invoke()
    durations: list[int] = []
    end = clock() + int(milliseconds * 1e6)
    while len(durations) < MIN_INVOCATIONS or clock() < end:
        start = clock()
        invoke()
        durations.append(clock() - start)
    return durations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runtime", choices=list(RUNTIMES), required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--inspect", metavar="FILE", help="what runs, as one JSON object; outputs to FILE")
    parser.add_argument("model")
    arguments = parser.parse_args()

    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    runtime = RUNTIMES[arguments.runtime](arguments.threads)
    runtime.start()
    before = memory("VmRSS")
    runtime.load(arguments.model)
    runtime.invoke()
    if arguments.inspect:
        np.savez(arguments.inspect, *runtime.outputs())
        print(json.dumps({**runtime.facts(), "layers": runtime.layers()}), file=answers)
        return
    added = memory("VmRSS") - before
    print(json.dumps({"added_bytes": added}), file=answers)
    for line in sys.stdin:
        question = json.loads(line)
        if question:
            durations = turn(runtime, question["milliseconds"])
            answer = {"nanoseconds": durations, "peak_bytes": memory("VmHWM")}
        else:
            answer = runtime.facts()
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
