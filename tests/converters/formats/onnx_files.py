"""Small ONNX files, put together as PyTorch's and TensorFlow's exporters write them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save


class Graph:
    """Nodes one after the other; `last` is the name of the newest value."""

    def __init__(self, channels: int = 3, size: int = 8, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.shape: list[int | str] = [1, channels, size, size]
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.last = "image"

    def constant(self, values: Any, dtype: type = np.float32) -> str:
        """The name of an initializer."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def weights(self, *shape: int) -> str:
        """The name of random weights."""
        return self.constant(self.random.normal(0, 0.5, shape))

    def integers(self, *values: int) -> str:
        """The name of a list of int64."""
        return self.constant(values, np.int64)

    def add(self, operator: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """The name of a node's output; it takes the newest value where no inputs are named."""
        names = [f"{operator.lower()}_{len(self.nodes)}_{number}" for number in range(outputs)]
        name = f"/block/{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs or (self.last,), names, name, **attributes))
        self.last = names[0]
        return self.last

    def conv(self, source: int, target: int, kernel: int = 3, **attributes: Any) -> str:
        """A convolution of the newest value, with a bias."""
        groups = attributes.get("group", 1)
        weights = self.weights(target, source // groups, kernel, kernel)
        return self.add("Conv", self.last, weights, self.weights(target), **attributes)

    def head(self, features: int, classes: int = 4) -> None:
        """Average, flatten, dense layer, as torchvision's classifiers end."""
        self.add("GlobalAveragePool")
        self.add("Flatten")
        self.add("Gemm", self.last, self.weights(classes, features), self.weights(classes), transB=1)

    def save(self, path: Path, output: Sequence[int | str] = (1, 4), opset: int = 17) -> Path:
        """Writes the file, whose output is the newest value."""
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, self.shape)
        scores = helper.make_tensor_value_info(self.last, TensorProto.FLOAT, output)
        graph = helper.make_graph(self.nodes, "net", [image], [scores], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
        checker.check_model(model, full_check=True)
        save(model, path)
        return path


def answers(path: Path, images: np.ndarray) -> np.ndarray:
    """What ONNX's own reference gives for images (n, channels, height, width), one at a time."""
    from onnx.reference import ReferenceEvaluator

    session: Any = ReferenceEvaluator(str(path))
    return np.concatenate([np.asarray(session.run(None, {"image": image[None]})[0]) for image in images])
