"""Quantisation-aware fine-tuning under Keras 3, with fake-quant layers of its own."""

from edgecore.converters.qat.training import fine_tune

__all__ = ["fine_tune"]
