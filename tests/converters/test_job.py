"""`edgecore convert`: every format through the whole way, checks that fail, input that does not fit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecore import artefact
from edgecore.cli import main

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]
Convert = Callable[..., int]


def classifier(activation: str = "linear", size: int | None = 16, sharp: float = 20.0) -> Any:
    """Tells blue from red by the channels' averages, without training."""
    import keras
    from keras import layers

    image = keras.Input((size, size, 3), name="image")
    x = layers.Conv2D(3, 1, activation="relu", name="stem")(image)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    model = keras.Model(image, layers.Dense(2, activation=activation, name="classifier")(x), name="tiny")
    model.get_layer("stem").set_weights([np.eye(3).reshape(1, 1, 3, 3), np.zeros(3)])
    kernel = sharp * np.array([[-1.0, 1.0], [0.0, 0.0], [1.0, -1.0]])
    model.get_layer("classifier").set_weights([kernel, np.zeros(2)])
    return model


@pytest.fixture
def run(colours: Path, tmp_path: Path) -> Convert:
    """run(model, option, ...) -> exit status of converting it to tmp_path/out.tflite."""

    def convert(model: Path, *options: str) -> int:
        out = ["--data", str(colours), "--out", str(tmp_path / "out.tflite"), "--images", "20"]
        return main(["convert", str(model), *out, *options])

    return convert


def saved(folder: Path, **options: Any) -> Path:
    path = folder / "tiny.keras"
    classifier(**options).save(path)
    return path


def facts_of(path: Path) -> artefact.Artefact:
    facts = artefact.read(path)
    assert facts is not None
    return facts


def classify(model: Path, image: Path) -> list[dict[str, Any]]:
    """What the device says, in a process of its own."""
    command = [sys.executable, "-m", "edgecore.cli", "classify", str(image), "--model", str(model), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[0])["predictions"]
    return found


def test_keras_savedmodel_and_onnx_become_the_same_classifier(
    run: Convert, colours: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from formats.onnx_files import Graph

    model = classifier()
    model.save(tmp_path / "tiny.h5")
    model.export(tmp_path / "tiny", verbose=False)
    graph = Graph(size=16)
    graph.add("Conv", "image", graph.constant(np.eye(3).reshape(3, 3, 1, 1)))
    graph.add("Relu")
    graph.add("GlobalAveragePool")
    graph.add("Flatten")
    graph.add("Gemm", graph.last, graph.constant(model.get_weights()[2].T), transB=1)
    graph.save(tmp_path / "tiny.onnx", output=(1, 2))
    for name in ("tiny.h5", "tiny", "tiny.onnx"):
        assert run(tmp_path / name) == 0
        said = capsys.readouterr().out
        assert "input: taken as pixel / 255 in RGB" in said
        assert "int8 keeps the accuracy on 20 held-out images" in said
        facts = facts_of(tmp_path / "out.tflite")
        assert (facts.name, facts.classes, facts.logits) == ("tiny", ("blue", "red"), True)
        best, other = classify(tmp_path / "out.tflite", colours / "test" / "red" / "00.png")
        assert best["label"] == "red"
        assert best["score"] + other["score"] == pytest.approx(1, abs=1e-4)
        assert best["score"] > 0.9


def test_a_conversion_gives_the_same_bytes_in_another_process(
    run: Convert, colours: Path, tmp_path: Path
) -> None:
    model = saved(tmp_path)
    assert run(model, "--seed", "4") == 0
    again = tmp_path / "again.tflite"
    options = ["--data", str(colours), "--out", str(again), "--images", "20", "--seed", "4"]
    subprocess.run([sys.executable, "-m", "edgecore.cli", "convert", str(model), *options], check=True)
    assert again.read_bytes() == (tmp_path / "out.tflite").read_bytes()
    assert run(model, "--seed", "5") == 0


@pytest.mark.parametrize(("output", "logits"), [("softmax", False), ("logits", True)])
def test_the_output_is_what_was_asked_for(
    output: str, logits: bool, run: Convert, colours: Path, tmp_path: Path
) -> None:
    assert (
        run(saved(tmp_path, activation="linear" if output == "softmax" else "softmax"), "--output", output)
        == 0
    )
    path = tmp_path / "out.tflite"
    assert facts_of(path).logits == logits
    inspected = subprocess.run(
        [sys.executable, "-m", "edgecore.cli", "inspect", str(path), "--json"],
        capture_output=True,
        check=True,
    )
    kinds = [layer["operator"] for layer in json.loads(inspected.stdout)["layers"]]
    assert ("SOFTMAX" in kinds) == (not logits)
    assert classify(path, colours / "test" / "blue" / "01.png")[0]["score"] > 0.9


def test_a_usual_input_is_named_not_spelled_out(run: Convert, tmp_path: Path) -> None:
    assert run(saved(tmp_path), "--input", "torch", "--verify", "0") == 0
    spec = facts_of(tmp_path / "out.tflite").input
    assert spec["mean"] == pytest.approx([123.675, 116.28, 103.53])
    assert spec["scale"] == pytest.approx([1 / 58.395, 1 / 57.12, 1 / 57.375])


def test_layers_can_stay_in_float(run: Convert, tmp_path: Path) -> None:
    from edgecore.converters.integer import float_operations

    assert run(saved(tmp_path), "--float", "classifier", "--judge") == 0
    path = tmp_path / "out.tflite"
    found = float_operations(artefact.flatbuffer_of(path.read_bytes()))
    assert [operation.operator for operation in found] == ["FULLY_CONNECTED"]
    accuracy = facts_of(path).accuracy
    assert accuracy == {"float": 1.0, "int8": 1.0, "miou": 1.0, "images": 20, "data": f"{accuracy['data']}"}


def test_a_failed_gate_keeps_the_old_file_and_ends_with_status_1(
    run: Convert, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = tmp_path / "out.tflite", tmp_path / "report.json"
    out.write_bytes(b"the last good one")
    assert run(saved(tmp_path), "--max-drop", "-1", "--report", str(report)) == 1
    said = capsys.readouterr().err
    assert said.startswith("edgecore: int8 loses 0.00 points of accuracy on 20 images, more than -1")
    assert said.count("\n") == 1
    assert out.read_bytes() == b"the last good one"
    rejected = tmp_path / "out.tflite.rejected"
    assert facts_of(rejected).name == "tiny"
    assert json.loads(report.read_text())["images"] == 20
    assert run(saved(tmp_path), "--max-drop", "0") == 0
    assert facts_of(out).name == "tiny"
    assert not rejected.exists()


def test_fine_tuning_before_the_conversion(
    run: Convert, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(saved(tmp_path, activation="softmax"), "--qat", "1") == 0
    said = capsys.readouterr().out
    assert "epoch 1/1" in said
    assert "int8 keeps the accuracy" in said
    assert not facts_of(tmp_path / "out.tflite").logits


def test_repvgg_is_merged_on_the_way(
    colours: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from edgecore.converters import zoo
    from edgecore.converters.formats import KerasNetwork
    from edgecore.converters.job import merged

    network = KerasNetwork(zoo.build("repvgg_a0", 2, input_size=32))
    plain = merged(network)
    assert "merged the branches of repvgg_a0: 7,8" in capsys.readouterr().out
    images = np.random.default_rng(0).random((2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(plain.predict(images), network.predict(images), atol=1e-5)
    assert merged(plain) is plain


def test_corrupt_images_are_left_out_and_named(
    colours: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    data = tmp_path / "data"
    shutil.copytree(colours, data)
    (data / "train" / "red" / "00.png").write_bytes(b"no image")
    (data / "test" / "blue" / "03.png").write_bytes(b"no image")
    options = ["--data", str(data), "--out", str(tmp_path / "out.tflite"), "--images", "1000"]
    assert main(["convert", str(saved(tmp_path)), *options]) == 0
    said = capsys.readouterr().out
    assert "calibrating with all 80 images there are, not 1000" in said
    assert "of 79 images" in said
    assert "on 19 held-out images" in said
    assert "red/00.png" in said
    assert "blue/03.png" in said


def test_labels_of_other_classes_than_the_data_convert_unverified(
    run: Convert, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "labels.txt").write_text("cold\nwarm\n")
    labels = ("--labels", str(tmp_path / "labels.txt"))
    assert run(saved(tmp_path), *labels) == 0
    assert "not verified on held-out images: the data's classes are not" in capsys.readouterr().out
    assert facts_of(tmp_path / "out.tflite").classes == ("cold", "warm")
    assert run(saved(tmp_path), *labels, "--max-drop", "1") == 2
    assert "class" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--labels", "three.txt"], "3 labels do not fit tiny, which has 2 outputs"),
        (["--float", "stemm"], "tiny has no layer stemm"),
        (["--size", "20x20"], "takes 16x16 images, not 20x20"),
        (["--order", "GREY"], r"takes 3 channel\(s\), which the order GREY does not fit"),
        (["--qat", "1", "--float", "stem"], "leave --float out"),
        (["--report", "folder"], "cannot write .*folder.*choose another --report"),
    ],
)
def test_what_does_not_fit_is_one_line(
    options: list[str],
    message: str,
    run: Convert,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import re

    monkeypatch.chdir(tmp_path)
    (tmp_path / "three.txt").write_text("a\nb\nc\n")
    (tmp_path / "folder").mkdir()
    assert run(saved(tmp_path), *options) == 2
    said = capsys.readouterr().err
    assert re.search(message, said)
    assert said.count("\n") == 1
    assert not (tmp_path / "out.tflite").exists()


def test_a_savedmodel_is_not_fine_tuned(
    run: Convert, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classifier().export(tmp_path / "tiny", verbose=False)
    assert run(tmp_path / "tiny", "--qat", "1") == 2
    assert "--qat trains Keras and ONNX networks, not tiny" in capsys.readouterr().err
