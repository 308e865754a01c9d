"""Small real models, pictures and clips, and the command line as a user starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from materials import CLASSES, picture
from oracle import Network, Quant

from edgecore import artefact

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def model_bytes() -> bytes:
    """A classifier of 32x24 RGB images into ten classes, int8, without labels."""
    net = Network(seed=3)
    x = net.input((1, 24, 32, 3), Quant(1 / 255, -128))
    y = net.conv2d(x, 16, (3, 3), (2, 2), activation="RELU")
    y = net.conv2d(net.depthwise_conv2d(y, activation="RELU"), 24, activation="RELU")
    y = net.fully_connected(net.reshape(net.mean(y), (1, 24)), 10, out=Quant(0.05, 3))
    net.output(net.softmax(y))
    return net.build()


@pytest.fixture(scope="session")
def bare_model(model_bytes: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The classifier as another tool would leave it: no labels, no preprocessing."""
    path = tmp_path_factory.mktemp("models") / "bare.tflite"
    path.write_bytes(model_bytes)
    return path


@pytest.fixture(scope="session")
def model(model_bytes: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The classifier with labels and preprocessing in its tail, as `edgecore convert` writes it."""
    facts = artefact.Artefact(
        name="ten kinds",
        classes=CLASSES,
        input={
            "width": 32,
            "height": 24,
            "order": "RGB",
            "resize": "stretch",
            "mean": [0.0, 0.0, 0.0],
            "scale": [1 / 255, 1 / 255, 1 / 255],
        },
    )
    path = tmp_path_factory.mktemp("models") / "model.tflite"
    path.write_bytes(artefact.append(model_bytes, facts))
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with three images, one of them deeper, a hidden one and a text file."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    (folder / ".thumbnails").mkdir()
    for name, seed in (("a.png", 1), ("b.jpg", 2), ("more/c.bmp", 3), (".thumbnails/d.png", 4)):
        assert cv2.imwrite(str(folder / name), picture(seed))
    (folder / "notes.txt").write_text("not an image\n")
    return folder


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve frames of 64x48 in MPEG-4, each with its own brightness."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
    assert writer.isOpened()
    for index in range(12):
        writer.write(np.full((48, 64, 3), 20 * index, np.uint8))
    writer.release()
    return path


@pytest.fixture
def edgecore(tmp_path: Path) -> Command:
    """edgecore("run", "clip.mp4", isa="scalar") -> the finished process, started in an empty folder."""

    def run(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {
            key: value for key, value in os.environ.items() if not key.startswith(("EDGECORE_ISA", "OPENCV"))
        }
        return subprocess.run(
            [sys.executable, "-m", "edgecore.cli", *map(str, words)],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
            env=clean | environment,
        )

    return run
