"""Operators with one input of any shape: activations, softmax, requantisation. Otherwise as `operators`."""

from __future__ import annotations

from typing import Any, Unpack

from edgecore.kernels.network import Network, RunOptions
from edgecore.kernels.operators import or_same
from edgecore.kernels.tensors import QTensor, Quantization, activation_tensor, output_quantization, real

PROBABILITIES = Quantization(1 / 256, -128)  # what softmax and logistic give
SIGNED = Quantization(1 / 128, 0)  # what tanh gives


def softmax(x: QTensor, *, beta: float = 1.0, **options: Unpack[RunOptions]) -> QTensor:
    """Softmax over the last axis, of fewer than 4096 values.

    Args:
        x: of rank 1 to 4.
        beta: factor on the logits, above 0.

    Returns:
        x's shape; scale 1/256, zero point -128.
    """
    activation_tensor(x, "x")
    if x.shape[-1] >= 4096:
        raise ValueError(f"x: {x.shape[-1]} values in the last axis; softmax takes fewer than 4096")
    return _unary("softmax", x, PROBABILITIES, options, beta=real(beta, "beta", 1e-6, 1e6))


def relu(x: QTensor, output: Quantization | None = None, **options: Unpack[RunOptions]) -> QTensor:
    """max(x, 0). `output`: quantisation of the result, None keeps x's; x of rank 1 to 4."""
    return _unary("relu", x, or_same(output, x), options)


def relu6(x: QTensor, output: Quantization | None = None, **options: Unpack[RunOptions]) -> QTensor:
    """min(max(x, 0), 6). `output`: quantisation of the result, None keeps x's; x of rank 1 to 4."""
    return _unary("relu6", x, or_same(output, x), options)


def leaky_relu(
    x: QTensor, alpha: float, output: Quantization | None = None, **options: Unpack[RunOptions]
) -> QTensor:
    """x where x >= 0, else alpha * x; `alpha` is 0 or more. Other arguments and result as `relu`."""
    return _unary("leaky_relu", x, or_same(output, x), options, alpha=real(alpha, "alpha", 0.0, 1e6))


def logistic(x: QTensor, **options: Unpack[RunOptions]) -> QTensor:
    """1 / (1 + exp(-x)), of x's shape; scale 1/256, zero point -128. x of rank 1 to 4."""
    return _unary("logistic", x, PROBABILITIES, options)


def tanh(x: QTensor, **options: Unpack[RunOptions]) -> QTensor:
    """The hyperbolic tangent, of x's shape; scale 1/128, zero point 0. x of rank 1 to 4."""
    return _unary("tanh", x, SIGNED, options)


def hard_swish(x: QTensor, output: Quantization | None = None, **options: Unpack[RunOptions]) -> QTensor:
    """x * min(max(x + 3, 0), 6) / 6 (Howard et al. 2019, arXiv:1905.02244). Otherwise as `relu`."""
    return _unary("hard_swish", x, or_same(output, x), options)


def requantize(
    x: QTensor, output: Quantization, *, dtype: str = "int8", **options: Unpack[RunOptions]
) -> QTensor:
    """The same real values in another quantisation.

    Args:
        x: int8 or uint8, of rank 1 to 4.
        output: quantisation of the result. dtype: its type, "int8" or "uint8".

    Returns:
        x's shape.
    """
    activation_tensor(x, "x", dtypes=("int8", "uint8"))
    if dtype not in ("int8", "uint8"):
        raise ValueError(f"dtype: {dtype!r} is not 'int8' or 'uint8'")
    network = Network()
    value = network.input(x, "x")
    quantization = output_quantization(output, "output", dtype)
    return network.run(network.node("quantize", [value.number], x.shape, quantization, dtype), options)


def _unary(kind: str, x: QTensor, output: Quantization, options: RunOptions, **parameters: Any) -> QTensor:
    activation_tensor(x, "x")
    network = Network()
    value = network.input(x, "x")
    return network.run(network.node(kind, [value.number], x.shape, output, **parameters), options)
