"""edgecore: Keras models in int8 on small boards, live from a camera.

    model = edgecore.load("model.tflite")          # or edgecore.load(): the bundled one
    for prediction in model.classify(frame):       # frame: uint8 (height, width, 3), BGR as OpenCV gives it
        print(prediction.label, prediction.score)
    for result in edgecore.stream("picam:0", model):   # or a file, a folder, rtsp://...
        print(result.label, result.latency)

Names are imported when they are first used: `import edgecore` loads neither numpy nor OpenCV.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from edgecore.errors import UserError

if TYPE_CHECKING:
    from edgecore.artefact import Artefact as Artefact
    from edgecore.interpreter import load_delegate as load_delegate
    from edgecore.live.outputs.results import read_results as read_results
    from edgecore.live.stream import stream as stream
    from edgecore.model import Model as Model
    from edgecore.model import Prediction as Prediction
    from edgecore.model import load as load
    from edgecore.preprocess import Preprocessing as Preprocessing

__version__ = "0.1.0"
__all__ = [
    "Artefact",
    "Model",
    "Prediction",
    "Preprocessing",
    "UserError",
    "__version__",
    "load",
    "load_delegate",
    "read_results",
    "stream",
]

_HOMES = {
    "Artefact": "edgecore.artefact",
    "Model": "edgecore.model",
    "Prediction": "edgecore.model",
    "Preprocessing": "edgecore.preprocess",
    "load": "edgecore.model",
    "load_delegate": "edgecore.interpreter",
    "read_results": "edgecore.live.outputs.results",
    "stream": "edgecore.live.stream",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'edgecore' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOMES))
