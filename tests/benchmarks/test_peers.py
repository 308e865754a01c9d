"""benchmarks/peers: what bad input gets, the steps of a model, and a short run in real environments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from needs import missing

from edgecore.benchmarks import environments, models, onnx_model, peers
from edgecore.converters import zoo
from edgecore.errors import UserError
from edgecore.kernels import cpu

SHORT = ["--threads", "1", "--rounds", "2", "--turn-ms", "1"]


def test_every_sample_is_a_member_of_the_zoo() -> None:
    assert set(models.SAMPLES) <= set(zoo.names())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--models", "alexandria"], "unknown model alexandria; choose from squeezenet_v1.0"),
        (["--models", "bundled", "--peers", "caffe"], "unknown peer caffe; choose from tflite-runtime"),
        (["--isa", "mmx"], "this CPU cannot run the tier mmx; choose from scalar"),
        (["--models", "missing.tflite"], "missing.tflite does not exist"),
        (["--threads", "0"], "--threads takes numbers"),
        (["--threads", "two"], "--threads takes numbers"),
        (["--threads", ""], "--threads takes numbers"),
        (["--turn-ms", "nan"], "--turn-ms"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert peers.main(arguments) == 2
    [line] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("edgecore: ")]
    assert said in line


def test_publishing_needs_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert peers.main(["--models", "bundled", *SHORT, "--publish"]) == 2
    assert "in the project's own folder" in capsys.readouterr().err


def test_missing_file_of_mlperf_tiny_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert peers.main(["--models", "resnet8", "--mlperf-tiny", str(tmp_path), *SHORT]) == 2
    assert f"{tmp_path / models.MLPERF_TINY['resnet8']} does not exist" in capsys.readouterr().err


@pytest.mark.parametrize("isa", cpu.available_isas())
def test_steps_run_on_the_tier_that_is_asked_for(isa: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--steps", "bundled", "--threads", "1", "--isa", isa]
    assert peers.main([*arguments, "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert found["isa"] == isa
    assert found["nodes"][0] == found["nodes"][1]
    multiplying = [step for step in found["steps"] if step["macs"]]
    assert multiplying and all(step["ms"] > 0 and step["bytes"] > 0 for step in multiplying)
    path = models.collect(["bundled"], Path(), None)["bundled"]
    assert sum(step["macs"] for step in multiplying) == peers.macs(path)
    assert peers.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"bundled: {isa}, 1 thread; ")
    assert lines[-1].split()[0] == "all" and "100.0%" in lines[-1]


def test_peers_that_cannot_be_held_to_a_tier_are_left_out_with_a_line() -> None:
    left_out: list[str] = []
    chosen = peers.chosen("tflite-runtime,ai-edge-litert,onnxruntime")
    assert peers.prepare(chosen, "avx2", left_out) == []
    assert [line.split()[0] for line in left_out] == ["tflite-runtime", "ai-edge-litert", "onnxruntime"]


def test_variables_hold_each_side_to_its_name_of_the_tier() -> None:
    openvino = peers.chosen("openvino")[0]
    assert environments.environment(None, "avx2")["EDGECORE_ISA"] == "avx2"
    assert environments.environment(openvino, "avx2")["ONEDNN_MAX_CPU_ISA"] == "AVX2"
    assert set(openvino.tiers) == {"avx2", "avxvnni", "avx512vnni"}


def test_peer_that_cannot_be_installed_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGECORE_CACHE", str(tmp_path))
    peer = environments.Peer("nothing", (str(tmp_path / "no_such_folder"),), {})
    with pytest.raises(UserError, match=r"installing .*no_such_folder failed"):
        environments.python_of(peer)
    assert not [path for path in (tmp_path / "peers").iterdir() if path.is_dir()]


@pytest.mark.slow
def test_short_run_in_real_environments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["tflite-runtime", "onnxruntime"]
    bundled = models.collect(["bundled"], tmp_path, None)["bundled"]
    try:
        for peer in peers.chosen(",".join(names)):
            environments.python_of(peer)
        onnx_model.converted(bundled)
    except UserError as error:
        missing(f"{error}; it needs the host extra and a package index")
    arguments = ["--models", "bundled", "--peers", ",".join(names), *SHORT, "--out", str(tmp_path)]
    assert peers.main(arguments) == 0
    result = json.loads((tmp_path / "peers.json").read_text())
    rows = {row["runtime"]: row for row in result["rows"]}
    assert list(rows) == ["edgecore", *names]
    looked = result["models"]["bundled"]["looked"]
    assert looked["edgecore"]["difference"] == 0
    assert looked["onnxruntime"]["float_layers"][0] == 0 < looked["onnxruntime"]["float_layers"][1]
    assert looked["onnxruntime"]["difference"] < 16
    assert "| bundled | 51 | 1 | " in capsys.readouterr().out
    assert (tmp_path / "peers.md").stat().st_size > 0
