"""Golden outputs: what the reference says to four pictures that every machine can make.

The engine gives the same bytes on every machine, so a model may carry the bytes that TFLite's reference
kernels gave when it was converted, and a device can say by itself whether it computes what it should.

Picture k of 0 to 3 is RGB, 160 pixels wide and 120 high. With // rounding down, its value at column x, row y
and channel c (0: red) is

    (min(t, 511 - t) + 37 * ((5 * (x // 20) + (3 + k) * (y // 15)) % 7)) % 256
    t = ((1 + k + c) * x + (4 - k + 2 * c) * y + 60 * c) % 512

that is oblique stripes, of another width in each channel, whose brightness jumps from tile to tile. The
pictures reach the network through the preprocessing that the file itself states.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from edgecore.network import Network
    from edgecore.preprocess import Preprocessing

PICTURES = 4
WIDTH, HEIGHT = 160, 120


def picture(number: int) -> np.ndarray:
    """Picture `number` of the formula, uint8 (HEIGHT, WIDTH, 3), RGB. Numbers of 4 and more give others."""
    import numpy as np

    y, x, c = np.ogrid[:HEIGHT, :WIDTH, :3]
    turn = ((1 + number + c) * x + (4 - number + 2 * c) * y + 60 * c) % 512
    tile = (5 * (x // 20) + (3 + number) * (y // 15)) % 7
    return ((np.minimum(turn, 511 - turn) + 37 * tile) % 256).astype(np.uint8)


def inputs(spec: Preprocessing, dtype: Any, scale: float, zero_point: int) -> Iterator[np.ndarray]:
    """The pictures as quantised input tensors, (1, height, width, channels).

    Args:
        spec: the model's own preprocessing.
        dtype, scale, zero_point: type and quantisation of its input.
    """
    import numpy as np

    from edgecore.preprocess import Preprocessor

    preprocess = Preprocessor(spec, dtype, scale, zero_point)
    for number in range(PICTURES):
        tensor = np.empty((1, spec.height, spec.width, spec.channels), dtype)
        preprocess(picture(number), tensor, "RGB")
        yield tensor


def record(interpreter: Any, spec: Preprocessing) -> bytes:
    """The output bytes of all pictures, one after the other.

    Args:
        interpreter: of any TFLite runtime, allocated; for bytes that go into a file one with the reference
            kernels (BUILTIN_REF).
        spec: the model's own preprocessing.
    """
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    found = []
    for tensor in inputs(spec, source["dtype"], *source["quantization"]):
        interpreter.set_tensor(source["index"], tensor)
        interpreter.invoke()
        found.append(interpreter.get_tensor(target["index"]).tobytes())
    return b"".join(found)


def reproduced(network: Network) -> bool | None:
    """Whether this machine gives the golden output that the file carries.

    None where that cannot be said: the file carries none, or the engine does not run the whole network (the
    interpreter's fast kernels may differ from its reference).

    Raises UserError: the network fails while it runs.
    """
    from edgecore.preprocess import Preprocessing

    artefact, delegate = network.artefact, network.delegate
    if artefact is None or not artefact.golden or delegate is None:
        return None
    if delegate.claimed_nodes < delegate.total_nodes:
        return None
    source = network.inputs[0]
    spec = Preprocessing.from_json(artefact.input)
    found = []
    for tensor in inputs(spec, source.dtype, source.scale, source.zero_point):
        network.input()[...] = tensor
        network.invoke()
        found.append(network.output().tobytes())
    return b"".join(found) == artefact.golden
