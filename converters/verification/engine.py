"""The device's side of a verification, in a process of its own: TensorFlow and tflite-runtime share none.

    python -m edgecore.converters.verification.engine MODEL < inputs > outputs

First comes one line of JSON with what the engine made of the model. Then each input, one byte that is 1 where
the reference is asked as well and the raw bytes of the tensor, is answered by the raw bytes of the engine's
output, and of the reference's. It ends with its standard input.

The reference are the BUILTIN_REF kernels of the installed runtime. The engine gives the bytes of those of
tflite-runtime 2.14; later runtimes, TensorFlow's own included, round dense layers differently.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgecore.errors import exit_status

if TYPE_CHECKING:
    from edgecore.network import Network


def facts_of(network: Network) -> dict[str, Any]:
    """What goes in and comes out, and which nodes the engine claims or leaves to the interpreter."""
    from edgecore.layers import layers_of

    layers = layers_of(network)
    engines = network.engines()
    return {
        "input": asdict(network.inputs[0]),
        "output": asdict(network.outputs[0]),
        "nodes": len(layers),
        "macs": sum(layer.macs for layer in layers),
        "left": [
            {"node": layer.index, "operator": layer.operator, "name": layer.name, "reason": layer.reason}
            for layer in layers
            if layer.runs == "interpreter"
        ],
        "partitions": len(engines),
        "isa": engines[0].isa if engines else None,
        "runtime": network.runtime,
        "notice": network.notice,
    }


def serve(path: Path) -> None:
    """Answers every input of standard input on standard output.

    Raises UserError: the file is no model, or it fails while it runs.
    """
    import numpy as np

    from edgecore.interpreter import runtime_name
    from edgecore.network import Network

    # Whatever a library prints must not come between the tensors.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    network = Network(path)
    answers.write(json.dumps(facts_of(network)).encode() + b"\n")
    answers.flush()
    source = network.inputs[0]
    runtime = importlib.import_module(runtime_name() + ".interpreter")
    reference = runtime.Interpreter(
        model_content=network.data, experimental_op_resolver_type=runtime.OpResolverType.BUILTIN_REF
    )
    reference.allocate_tensors()
    size = int(np.prod(source.shape)) * np.dtype(source.dtype).itemsize
    while len(given := sys.stdin.buffer.read(1 + size)) == 1 + size:
        tensor = np.frombuffer(given, source.dtype, offset=1).reshape(source.shape)
        network.input()[...] = tensor
        network.invoke()
        answers.write(network.output().tobytes())
        if given[0]:
            reference.set_tensor(source.index, tensor)
            reference.invoke()
            answers.write(reference.get_tensor(network.outputs[0].index).tobytes())
        answers.flush()


if __name__ == "__main__":
    sys.exit(exit_status(lambda: serve(Path(sys.argv[1]))))
