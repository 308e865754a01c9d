"""The models that are measured, and where each comes from."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from edgecore.errors import UserError

# Members of the zoo with random weights, calibrated: the kernels' work is that of trained ones.
SAMPLES = (
    "squeezenet_v1.1",
    "res_squeezenet",
    "spp_covid_net",
    "resnet18",
    "mobilenet_v1",
    "mobilenet_v2",
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

    A sample's name may go on with @ and an input size, as squeezenet_v1.1@224.

    Building needs TensorFlow, which shares no process with tflite-runtime, and so has a process of its own.
    Raises UserError for an unknown name or a missing file.
    """
    known = names(mlperf_tiny)
    for name in wanted:
        if name.partition("@")[0] not in known:
            raise UserError(f"unknown model {name}; choose from {', '.join(known)}")
    samples = [name for name in wanted if name.partition("@")[0] in SAMPLES]
    if samples:
        command = [sys.executable, "-m", "edgecore.converters.samples", "--out", str(folder), *samples]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise UserError(f"the sample models could not be built: {reason[0]}")
    paths = {}
    for name in wanted:
        if name in samples:
            paths[name] = folder / f"{name}.tflite"
        elif name == BUNDLED:
            paths[name] = Path(str(resources.files("edgecore") / "assets" / "res_squeezenet_cifar10.tflite"))
        else:
            assert mlperf_tiny is not None
            paths[name] = mlperf_tiny / MLPERF_TINY[name]
        if not paths[name].is_file():
            raise UserError(f"{name}: {paths[name]} does not exist; leave it out with --models")
    return paths
