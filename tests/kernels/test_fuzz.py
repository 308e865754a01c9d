"""A short run of each fuzzer: of the graph by libFuzzer, of the delegate by spoiled models. By hand, longer:

build/sanitizers/fuzz/kernels/graph_fuzzer -max_total_time=1800 CORPUS
python tests/kernels/mutants.py --seconds 1800
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutants
import pytest
from oracle.models import small_model, spp
from oracle.writer import edited

from edgecore.tflite.model_file import read_model_file

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
TOOLS = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
SECONDS, SEEDS, MUTANTS = 20, 200, 1000
PACKAGES = "clang-19 libclang-rt-19-dev"


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": TOOLS})
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}"


@pytest.fixture(scope="module")
def fuzzer(need_program: Callable[[str, str], str]) -> Path:
    clang = need_program("clang-19", PACKAGES)
    cmake = shutil.which("cmake", path=TOOLS) or need_program("cmake", "cmake")
    folder = ROOT / "build" / "sanitizers" / "fuzz"
    options = ["-DEDGECORE_PYTHON=OFF", "-DEDGECORE_TESTS=ON", "-DEDGECORE_FUZZ=ON"]
    options += ["-DEDGECORE_SANITIZE=address,undefined", "-DEDGECORE_EMULATE_AVXVNNI=ON"]
    options.append(f"-DCMAKE_C_COMPILER={clang}")
    run([cmake, "-G", "Ninja", "-S", str(ROOT), "-B", str(folder), *options])
    run([cmake, "--build", str(folder), "--target", "graph_fuzzer"])
    return folder / "kernels" / "graph_fuzzer"


def test_graphs(fuzzer: Path, tmp_path: Path) -> None:
    """From noise that is always the same, a graph each; a failure leaves its input in the test's folder."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for seed in range(SEEDS):
        (corpus / str(seed)).write_bytes(random.Random(seed).randbytes(500))
    limits = [f"-max_total_time={SECONDS}", "-max_len=800", "-rss_limit_mb=4096", "-malloc_limit_mb=8192"]
    run([str(fuzzer), "-seed=1", *limits, f"-artifact_prefix={tmp_path}/", str(corpus)])


@pytest.mark.parametrize("shape", [(1, 3), ()])
def test_a_reshape_whose_shape_is_not_read(shape: tuple[int, ...]) -> None:
    """TFLite delegates no model with such a one, but as one whose shapes change."""

    def change(whole: Any) -> None:
        graph = whole.subgraphs[0]
        tensor = graph.tensors[graph.operators[-7].inputs[1]]
        assert graph.operators[-7].outputs[0] == 31 and tensor.buffer
        tensor.shape, tensor.buffer = list(shape), 0

    model = edited(spp().build(), change)
    read_model_file(model)
    (_, want, _), (_, got, claimed) = (mutants.run_one(model, each).split() for each in (False, True))
    assert got == want and int(claimed) > 10


@pytest.mark.parametrize(
    ("again", "verdict"), [("ran 1 0", "FAULT: other bytes"), ("ran 2 0", "unsteady without the delegate")]
)
def test_bytes_that_are_not_the_same_twice(monkeypatch: pytest.MonkeyPatch, again: str, verdict: str) -> None:
    """are not the delegate's fault."""

    def run(child: mutants.Child, model: bytes) -> str:
        if child.arguments == ("engine",):
            return "ran 3 8"
        return again if child.environment.get("MALLOC_PERTURB_") else "ran 1 0"

    monkeypatch.setattr(mutants.Child, "run", run)
    monkeypatch.setattr(mutants, "mutate", lambda model, rng: model)
    found = mutants.hunt([small_model()], seed=1, count=1)
    assert found.counts == {verdict: 1} and len(found.faults) == verdict.startswith("FAULT")


def test_models() -> None:
    found = mutants.hunt(mutants.written_models(), seed=1, count=MUTANTS)
    assert [(without, with_it) for _, without, with_it in found.faults] == []
    assert found.counts["same, claimed"] > MUTANTS / 5
