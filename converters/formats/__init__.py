"""Trained networks in float, of any format, opened as one thing that can be asked and converted.

.keras, .h5       Keras
a folder          TensorFlow's SavedModel
.onnx             ONNX, translated to Keras (see onnx/)
"""

from __future__ import annotations

from pathlib import Path

from edgecore.converters.formats.keras_network import KerasNetwork
from edgecore.converters.formats.network import FloatNetwork
from edgecore.errors import UserError

__all__ = ["FORMATS", "FloatNetwork", "KerasNetwork", "open_network"]

FORMATS = "a .keras, .h5 or .onnx file, or the folder of a SavedModel"


def open_network(path: str | Path, size: tuple[int, int] | None = None) -> FloatNetwork:
    """The classifier of images that a file or folder holds.

    Args:
        path: see above.
        size: (height, width) of the input, for a network that leaves them open.

    Raises UserError: there is no such file, it does not load, it has several inputs or outputs, it takes
    something else than images, or `size` is missing or not the network's own.
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"there is no model {path}; give {FORMATS}")
    if path.is_dir():
        if not (path / "saved_model.pb").is_file():
            raise UserError(f"{path} is a folder without saved_model.pb; give {FORMATS}")
        from edgecore.converters.formats.saved_model import SavedModelNetwork

        return SavedModelNetwork(path, size)
    if path.suffix.lower() == ".onnx":
        from edgecore.converters.formats.onnx import open_onnx

        return KerasNetwork(open_onnx(path, size), str(path))
    if path.suffix.lower() not in (".keras", ".h5", ".hdf5"):
        raise UserError(f"{path} is in no format that can be converted; give {FORMATS}")
    from edgecore.converters.keras_model import load

    return KerasNetwork(load(path), str(path), size)
