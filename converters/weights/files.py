"""Which reader a file of weights needs, and how the names in all of them are taken apart."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgecore.errors import UserError

Arrays = dict[str, NDArray[Any]]
# Suffix -> module of this package with read(path) -> Arrays.
READERS = {
    ".npz": "npz",
    ".keras": "keras_file",
    ".h5": "keras_file",
    ".hdf5": "keras_file",
    ".pth": "torch_file",
    ".pt": "torch_file",
    ".safetensors": "safetensors_file",
    ".onnx": "onnx_file",
}
# PyTorch's counter of training steps, which only a norm without momentum needs.
COUNTER = "num_batches_tracked"


def read(path: str | Path) -> Arrays:
    """The arrays of a file under its own names, floating point as float32.

    Takes .npz, .keras, .weights.h5, .h5, .pth, .pt, .safetensors and .onnx; no file can run code. Raises
    UserError if the file is missing, of another kind, damaged, or holds no array.
    """
    path = Path(path)
    if path.suffix.lower() not in READERS:
        raise UserError(f"{path}: no file of weights that is known; give one of {', '.join(READERS)}")
    if not path.is_file():
        raise UserError(f"there are no weights at {path}; check the path")
    reader = importlib.import_module(f"edgecore.converters.weights.{READERS[path.suffix.lower()]}")
    arrays = {name: _float32(array) for name, array in reader.read(path).items()}
    if not arrays:
        raise UserError(f"{path} holds no weights; give the file that training wrote")
    return arrays


def _float32(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def grouped(arrays: Arrays) -> dict[str, dict[str, str]]:
    """Module -> {part: name of its array}: "fire2/squeeze1x1/weight" is part "weight" of "fire2/squeeze1x1".

    "|" stands for "/" where a file cannot have it. Keras once wrote a layer's name twice, the second time
    with a number ("conv1/conv1_3/kernel:0"): it is one here. Wrappers that put "module." before every name
    are taken off, and PyTorch's counters left out.
    """
    wrapped = all(name.startswith("module.") for name in arrays)
    modules: dict[str, dict[str, str]] = {}
    for name in arrays:
        plain = name.removeprefix("module.") if wrapped else name
        found = re.fullmatch(r"(.+)[./]([^./]+)", plain.replace("|", "/").removesuffix(":0"))
        module, part = found.groups() if found else ("", plain)
        if part == COUNTER:
            continue
        words = module.split("/")
        half = len(words) // 2
        if len(words) % 2 == 0 and [re.sub(r"_\d+$", "", word) for word in words[half:]] == words[:half]:
            module = "/".join(words[:half])
        modules.setdefault(module, {})[part] = name
    return modules
