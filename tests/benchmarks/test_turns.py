"""benchmarks/turns, worker and check: real workers with the runtimes that are installed beside edgecore."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from edgecore.benchmarks import check, environments, models, worker
from edgecore.benchmarks.turns import Entrant, RuntimeFailed, Worker, measure

PACKAGES = {"tflite-runtime": "tflite_runtime", "ai-edge-litert": "ai_edge_litert"}
HERE = [name for name, module in PACKAGES.items() if importlib.util.find_spec(module)]


def entrants(names: list[str], model: Path | None = None) -> list[Entrant]:
    path = model or models.collect(["bundled"], Path(), None)["bundled"]
    return [Entrant(name, Path(sys.executable), environments.environment(None, None), path) for name in names]


def test_every_runtime_takes_its_turns() -> None:
    rows = measure(entrants(["edgecore", *HERE]), 2, rounds=2, turn_ms=1)
    assert [row["runtime"] for row in rows] == ["edgecore", *HERE]
    for row in rows:
        assert row["threads"] == 2
        assert len(row["turn_min_ms"]) == 2
        assert row["invocations"] >= 2 * worker.MIN_INVOCATIONS
        assert 0 < row["min_ms"] <= row["median_ms"] < row["first_result_ms"]
        assert 0 < row["added_bytes"] < row["peak_bytes"]
    claimed, total = rows[0]["nodes"]
    assert claimed == total > 0
    assert rows[0]["arena_bytes"] > 0 and rows[0]["weight_bytes"] > 0


def test_a_runtime_that_stops_is_named_with_its_last_words(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(b"no model" * 20)
    with pytest.raises(RuntimeFailed, match=r"edgecore stopped with status 1: ValueError: .+"):
        Worker(entrants(["edgecore"], damaged)[0], 1)
    [failed, whole] = measure([*entrants(HERE[:1], damaged), *entrants(["edgecore"])], 1, 1, 1)
    assert failed["failed"].startswith(f"{HERE[0]} stopped with status 1: ") and "min_ms" not in failed
    assert whole["min_ms"] > 0


def test_a_runtime_that_dies_between_its_turns_is_named() -> None:
    with Worker(entrants(["edgecore"])[0], 1) as running:
        running.turn(1)
        running._process.kill()
        running._process.wait()
        with pytest.raises(RuntimeFailed, match="edgecore stopped with status -9"):
            running.turn(1)


def test_edgecore_gives_the_bytes_of_the_reference(tmp_path: Path) -> None:
    if "tflite-runtime" not in HERE:
        pytest.skip("tflite-runtime, which has the reference kernels, is not installed")
    found = check.look(entrants(["edgecore", "tflite-runtime"]), tmp_path)
    assert list(found) == ["edgecore", "tflite-runtime"]
    assert found["edgecore"]["difference"] == found["edgecore"]["differing"] == 0
    assert found["edgecore"]["version"]


def test_a_runtime_that_cannot_run_the_model_has_a_reason(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(b"no model" * 20)
    found = check.look(entrants(["edgecore"], damaged), tmp_path)
    assert found["edgecore"]["failed"].startswith("edgecore stopped with status 1: ")


def test_noise_has_one_real_value_in_both_types() -> None:
    signed, unsigned = worker.noise((1, 64, 64, 3), np.int8), worker.noise([1, 64, 64, 3], "uint8")
    assert signed.dtype == np.int8 and signed.shape == unsigned.shape == (1, 64, 64, 3)
    assert (signed.astype(int) + 128 == unsigned).all()
    assert (signed.min(), signed.max()) == (-128, 127)
    assert worker.noise((2, 3), np.float32).dtype == np.float32


def test_distance_takes_both_types_and_counts_what_differs() -> None:
    reference = [np.array([-128, 0, 127, 5], np.int8)]
    assert check.distance([np.array([0, 128, 255, 133], np.uint8)], reference)["difference"] == 0
    found = check.distance([np.array([-128, 0, 124, 6], np.int8)], reference)
    assert found == {"difference": 3.0, "differing": 0.5}


def test_layers_in_float_are_counted() -> None:
    onnx = {"QLinearConv": 5, "Conv": 2, "FusedConv": 1, "QGemm": 1, "Concat": 3, "QuantizeLinear": 4}
    assert check.float_layers("onnxruntime", onnx) == [3, 9]
    openvino = {
        "Convolution brgconv_avx512_1x1_I8": 4,
        "Convolution brgconv_avx512_dw_bf16": 2,
        "FullyConnected brgemm_avx512_I8": 1,
        "Pooling jit_avx512_I8": 3,
        "Const unknown_f32": 9,
    }
    assert check.float_layers("openvino", openvino) == [2, 7]
