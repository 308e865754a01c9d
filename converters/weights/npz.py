"""NumPy's .npz: Caffe-style `<layer>/weight` as OIHW, or Keras-style `<layer>/kernel:0` as HWIO."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from edgecore.converters.weights.files import Arrays
from edgecore.errors import UserError


def read(path: Path) -> Arrays:
    """All arrays. Raises UserError for a damaged file, or one with pickled objects, which could run code."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path} does not read as .npz: {error}; write it again with numpy.savez") from error
