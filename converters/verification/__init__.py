"""Verification after conversion: what int8 costs, which layers cause it, and whether the engine is exact.

    verify(whole, converted, held_out, spec, classes).text()

Nothing here imports TensorFlow before `verify` runs: the engine's process, which must never have it, imports
this package too.
"""

from edgecore.converters.verification.result import Verification
from edgecore.converters.verification.verify import verify

__all__ = ["Verification", "verify"]
