"""The models that are measured, and where each comes from."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from edgecore.converters import zoo
from edgecore.errors import UserError

# Members of the zoo with random weights, calibrated: the kernels' work is that of trained ones.
SAMPLES = (
    "squeezenet_v1.0",
    "squeezenet_v1.1",
    "res_squeezenet",
    "spp_covid_net",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "efficientnet_b0",
    "resnet18",
    "googlenet",
    "densenet121",
    "unet",
    "lenet5",
)
BUNDLED = "bundled"
# MLPerf Tiny's int8 models, by the names of their files.
MLPERF_TINY = {
    "resnet8": "resnet8_cifar10_int8.tflite",
    "visual_wake_words": "vww_mobilenet_int8.tflite",
    "keyword_spotting": "kws_dscnn_int8.tflite",
}


def names(mlperf_tiny: Path | None) -> list[str]:
    """Every model that can be measured; MLPerf Tiny's are left out without their folder."""
    return [*SAMPLES, BUNDLED, *(MLPERF_TINY if mlperf_tiny else ())]


def collect(wanted: Sequence[str], folder: Path, mlperf_tiny: Path | None) -> dict[str, Path]:
    """Paths of the `wanted` models in that order; samples are built into `folder`.

    A sample is any member of the zoo; its name may go on with @ and an input size, as squeezenet_v1.1@224.
    A name that ends in .tflite is a file, which goes by its stem.

    Building needs TensorFlow, which shares no process with tflite-runtime, and so has a process of its own.
    Raises UserError for an unknown name or a missing file.
    """
    known = names(mlperf_tiny)
    members = zoo.names()
    for name in wanted:
        if name.endswith(".tflite") or name.partition("@")[0] in members:
            continue
        if name not in known:
            raise UserError(f"unknown model {name}; choose from {', '.join(known)}, or name a .tflite file")
    samples = [name for name in wanted if name.partition("@")[0] in members]
    if samples:
        command = [sys.executable, "-m", "edgecore.converters.samples", "--out", str(folder), *samples]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise UserError(f"the sample models could not be built: {reason[0]}")
    paths = {}
    for name in wanted:
        if name in samples:
            path = folder / f"{name}.tflite"
        elif name.endswith(".tflite"):
            path = Path(name)
        elif name == BUNDLED:
            path = Path(str(resources.files("edgecore") / "assets" / "res_squeezenet_cifar10.tflite"))
        else:
            assert mlperf_tiny is not None
            path = mlperf_tiny / MLPERF_TINY[name]
        if not path.is_file():
            raise UserError(f"{name}: {path} does not exist; leave it out with --models")
        paths[path.stem if name.endswith(".tflite") else name] = path
    return paths
