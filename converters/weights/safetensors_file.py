"""Hugging Face's .safetensors, through its own package: a table of names and raw arrays, no code."""

from __future__ import annotations

from pathlib import Path

from edgecore.converters.weights.files import Arrays
from edgecore.errors import UserError


def read(path: Path) -> Arrays:
    """All tensors. Raises UserError for a damaged file, or a type that NumPy lacks, such as bfloat16."""
    import safetensors
    from safetensors.numpy import load_file

    try:
        return dict(load_file(path))
    except safetensors.SafetensorError as error:
        raise UserError(f"{path} does not read as .safetensors: {error}; save it again") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} has tensors of a type that NumPy lacks; save it as float32") from error
