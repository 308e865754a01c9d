"""The layer that a person knows behind a tensor's name, which the converter fuses from many."""

from __future__ import annotations

import re
from collections import Counter

# The scopes of operations that carry weights, in what Keras 2 and Keras 3 export.
_WEIGHTED = re.compile(r"(?P<scope>[^/;]+)/(?:Conv2D|convolution|depthwise|MatMul|BiasAdd)\d*(?:/|;|$)")


def layer_name(tensor: str, operator: str) -> str:
    """The layer of a fused name such as "net/relu1/Relu;net/bn1/add;net/conv1/convolution": here conv1.

    A name without scopes, as outputs have it, becomes the operator's.
    """
    parts = [part for part in tensor.split(";") if "/" in part]
    if not parts:
        return operator.lower() if not tensor or ":" in tensor or tensor.startswith("Identity") else tensor
    votes = Counter(found["scope"] for part in parts for found in _WEIGHTED.finditer(part))
    scope = votes.most_common(1)[0][0] if votes else parts[0].split("/")[-2]
    # Exporting a Keras 3 model numbers every scope, that of the model included.
    numbered = all(part.split("/")[0].endswith("_1") for part in parts)
    return scope.removesuffix("_1") if numbered else scope
