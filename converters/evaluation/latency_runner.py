"""How long one inference takes, measured as `edgecore bench` does. Never beside TensorFlow."""

from __future__ import annotations

from edgecore.bench.report import contestant
from edgecore.bench.timing import measure
from edgecore.converters.evaluation.jobs import LatencyJob, Tell
from edgecore.network import Network

WARMUP = 3


def run(job: LatencyJob, tell: Tell) -> list[float]:
    """Median seconds of each contestant, which take turns, so that what slows the machine slows all."""
    networks = [Network(path, job.threads, delegate) for path, delegate in job.models]
    runs = [contestant(network, None) for network in networks]
    samples = measure(runs, None, job.seconds * len(runs), WARMUP)
    return [sample.median("inference") for sample in samples]
