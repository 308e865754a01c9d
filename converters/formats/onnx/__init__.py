"""Classifiers in ONNX's format, translated to Keras."""

from edgecore.converters.formats.onnx.graph import open_onnx

__all__ = ["open_onnx"]
