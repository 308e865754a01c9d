"""GELU in the five nodes that exporters write for it, made one node: TFLite has a GELU, but no Erf.

x / sqrt(2) -> Erf -> + 1 -> * x -> * 0.5        (or * (0.5 x) at the end)
"""

from __future__ import annotations

from typing import Any

import numpy as np


def join_gelus(graph: Any) -> None:
    """Makes the last node of each such chain a Gelu of x; the others are left without a use."""
    from onnx import numpy_helper

    values = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            values[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    makers = {name: node for node in graph.node for name in node.output}
    users: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)

    def source(node: Any, kind: str, number: float) -> str | None:
        """What a node of that kind takes beside that number."""
        if node is None or node.op_type != kind:
            return None
        for value, other in (node.input, tuple(node.input)[::-1]):
            known = values.get(other)
            if known is not None and known.size == 1 and np.isclose(float(known.reshape(())), number, 1e-4):
                return str(value)
        return None

    def user(node: Any) -> Any:
        after = users.get(node.output[0], [])
        return after[0] if len(after) == 1 else None

    for erf in [node for node in graph.node if node.op_type == "Erf"]:
        scaled = makers.get(erf.input[0])
        x = source(scaled, "Div", 2**0.5) or source(scaled, "Mul", 0.5**0.5)
        added = user(erf)
        if x is None or source(added, "Add", 1.0) is None:
            continue
        product = user(added)
        if product is None or product.op_type != "Mul":
            continue
        factor = next((name for name in product.input if name != added.output[0]), None)
        last = user(product) if factor == x else product
        half = product.output[0] if factor == x else x
        if last is None or source(last if factor == x else makers.get(factor), "Mul", 0.5) != half:
            continue
        del last.input[:]
        last.input.append(x)
        last.op_type = "Gelu"
