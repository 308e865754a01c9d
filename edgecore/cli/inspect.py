"""`edgecore inspect`: every layer of a .tflite and what runs it."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from edgecore.cli.options import add_engine_arguments

if TYPE_CHECKING:
    from edgecore.layers import Layer
    from edgecore.network import Network

GOLDEN = {
    True: "reproduced by this machine",
    False: "NOT reproduced by this machine; copy or convert the model again",
    None: "present; not compared, because the engine does not run the whole model",
}
HELP = "list every layer of a .tflite, its cost, and which part of the engine runs it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `edgecore inspect`."""
    parser.add_argument("model", nargs="?", metavar="MODEL", help="a .tflite (default: the bundled one)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    add_engine_arguments(parser)


def _facts(network: Network, layers: list[Layer]) -> dict[str, Any]:
    from edgecore.golden import reproduced

    engines = network.engines()
    artefact = network.artefact
    return {
        "model": str(network.path),
        "bytes": len(network.data),
        "name": artefact.name if artefact is not None else None,
        "labels": len(network.labels) if network.labels else 0,
        "preprocessing": artefact.input if artefact is not None else None,
        "golden": {"reproduced": reproduced(network)} if artefact is not None and artefact.golden else None,
        "inputs": [_tensor(network, spec.index) for spec in network.inputs],
        "outputs": [_tensor(network, spec.index) for spec in network.outputs],
        "parameters": sum(layer.parameters for layer in layers),
        "macs": sum(layer.macs for layer in layers),
        "nodes": len(layers),
        "engine_nodes": sum(layer.runs != "interpreter" for layer in layers),
        "engine_steps": sum(len(engine.steps()) for engine in engines),
        "arena_bytes": sum(engine.arena_bytes for engine in engines),
        "arena_floor_bytes": sum(engine.arena_floor for engine in engines),
        "scratch_bytes": sum(engine.scratch_bytes for engine in engines),
        "weight_bytes": sum(engine.weight_bytes for engine in engines),
        "isa": engines[0].isa if engines else None,
        "threads": engines[0].threads if engines else None,
        "runtime": network.runtime,
        "notice": network.notice,
    }


def _tensor(network: Network, index: int) -> dict[str, Any]:
    from edgecore.layers import quantisation_of

    tensor = network.tensor(index)
    return {"name": tensor.name, "shape": list(tensor.shape), "quantisation": quantisation_of(tensor)}


def _text(facts: dict[str, Any], layers: list[Layer]) -> str:
    from edgecore.table import table

    def dims(shape: object) -> str:
        return "x".join(map(str, shape)) if isinstance(shape, list | tuple) else ""

    rows = [
        [
            str(layer.index),
            layer.operator.lower(),
            dims(layer.shape),
            f"{layer.parameters:,}" if layer.parameters else "",
            f"{layer.macs:,}" if layer.macs else "",
            layer.quantisation,
            layer.weights,
            layer.runs + (f": {layer.reason}" if layer.reason else ""),
        ]
        for layer in layers
    ]
    head = ["#", "operator", "output", "parameters", "MACs", "quantisation", "weights", "runs as"]
    lines = [table(head, rows, left=(1, 2, 5, 6, 7)), ""]
    for side in ("inputs", "outputs"):
        for tensor in facts[side]:
            lines.append(f"{side[:-1]}: {dims(tensor['shape'])} {tensor['quantisation']}")
    spec = facts["preprocessing"]
    if spec:
        lines.append(
            f"preprocessing: {spec['resize']} to {spec['width']}x{spec['height']} {spec['order']}; "
            f"{facts['labels']} labels"
        )
    if facts["golden"]:
        lines.append(f"golden output: {GOLDEN[facts['golden']['reproduced']]}")
    size = f"{facts['macs'] / 1e6:,.2f} MMAC, {facts['bytes']:,} bytes"
    lines.append(f"total: {facts['parameters']:,} parameters, {size}")
    if facts["isa"]:
        lines.append(
            f"engine: {facts['engine_nodes']} of {facts['nodes']} nodes in {facts['engine_steps']} steps, "
            f"arena {facts['arena_bytes']:,} bytes ({facts['arena_floor_bytes']:,} in the fullest step), "
            f"scratch {facts['scratch_bytes']:,} bytes, weights {facts['weight_bytes']:,} bytes, "
            f"{facts['isa']}"
        )
    rest = facts["nodes"] - facts["engine_nodes"]
    if rest:
        lines.append(f"interpreter: {rest} of {facts['nodes']} nodes, {facts['runtime']}")
    if facts["notice"]:
        lines.append(facts["notice"])
    return "\n".join(lines)


def run(args: argparse.Namespace) -> int:
    """Prints the table and the totals."""
    from edgecore.layers import layers_of
    from edgecore.model import bundled_model
    from edgecore.network import Network

    network = Network(
        bundled_model() if args.model is None else args.model, args.threads, args.delegate, args.isa
    )
    layers = layers_of(network)
    facts = _facts(network, layers)
    if args.json:
        print(json.dumps({**facts, "layers": [layer.to_json() for layer in layers]}, indent=1))
    else:
        print(_text(facts, layers))
    return 0
