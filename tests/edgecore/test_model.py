"""The classifier: the same answer as by hand, from every kind of model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from materials import CLASSES, picture
from oracle import reference

import edgecore
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing, image_of

CORAL = {  # file: class counted with the leading "background", score above (the data's README)
    "mobilenet_v1_0.25_128_quant": (283, 0.25),
    "mobilenet_v1_0.5_160_quant": (286, 0.51),
    "mobilenet_v2_1.0_224_quant": (286, 0.7),
}


@pytest.mark.parametrize("delegate", [True, False])
def test_scores_are_those_of_the_reference_kernels(model: Path, model_bytes: bytes, delegate: bool) -> None:
    frame = picture(1)
    image = image_of(frame, Preprocessing(32, 24, "RGB"), "BGR")
    (stored,) = reference(model_bytes, [(image.astype(np.int16) - 128).astype(np.int8)[None]])
    found = edgecore.load(model, delegate=delegate).classify(frame, top=10)
    assert sorted(item.index for item in found) == list(range(10))
    for item in found:
        assert item.label == CLASSES[item.index]
        assert item.score == pytest.approx((int(stored[0, item.index]) + 128) / 256)
    assert [item.score for item in found] == sorted((item.score for item in found), reverse=True)


def test_frame_orders(model: Path) -> None:
    loaded = edgecore.load(model)
    frame = picture(2)
    assert loaded.classify(frame) == loaded.classify(frame[:, :, ::-1], frame_order="RGB")
    grey = np.repeat(frame[:, :, :1], 3, axis=2)
    assert loaded.classify(grey) == loaded.classify(grey[:, :, 0])


def test_planes_and_boxes(model: Path) -> None:
    loaded = edgecore.load(model)
    frame = picture(2, 40, 52)
    planes = np.full((60, 64), 128, np.uint8)
    planes[:40, :52] = frame[..., 0]
    grey = loaded.classify(frame[..., 0], box=(4, 6, 30, 20))
    assert loaded.classify(frame[6:26, 4:34, 0]) == grey
    for order in ("NV12", "YUV420"):
        found = loaded.classify(planes, frame_order=order, columns=52, colour="jpeg", box=(4, 6, 30, 20))
        assert found == grey, "no chroma is grey"


def test_top(model: Path) -> None:
    loaded = edgecore.load(model)
    frame = picture(3)
    everything = loaded.classify(frame, top=99)
    assert len(everything) == 10
    assert loaded.classify(frame, top=3) == everything[:3]
    assert loaded.classify(frame, top=0) == []


@pytest.mark.parametrize(
    "frame", [np.zeros((4, 4, 4), np.uint8), np.zeros(9, np.uint8), np.zeros((4, 4, 3), np.float32)]
)
def test_wrong_frames(model: Path, frame: np.ndarray) -> None:
    with pytest.raises(ValueError, match="frame"):
        edgecore.load(model).classify(frame)


def test_a_bare_model_takes_pixels_as_they_are(bare_model: Path) -> None:
    loaded = edgecore.load(bare_model)
    assert loaded.labels[3] == "class 3"
    frame = picture(4, 24, 32)
    loaded.prepare(frame, "RGB")
    assert (loaded.network.input()[0].view(np.uint8) == frame ^ 0x80).all()


def test_options_replace_parts_of_what_the_model_says(model: Path) -> None:
    loaded = edgecore.load(model, preprocessing={"order": "BGR", "mean": (127.5,), "resize": "crop"})
    assert loaded.preprocessing.order == "BGR" and loaded.preprocessing.resize == "crop"
    assert loaded.preprocessing.mean == (127.5,) * 3
    assert loaded.preprocessing.scale == pytest.approx((1 / 255,) * 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": "GREY"}, "GREY does not fit"),
        ({"mean": (1.0, 2.0)}, "1 or 3"),
        ({"resize": "squeeze"}, "squeeze"),
        ({"gamma": 2}, "no 'gamma'"),
        (Preprocessing(24, 32), "takes 32x24"),
    ],
)
def test_wrong_preprocessing(model: Path, options: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        edgecore.load(model, preprocessing=options)  # type: ignore[arg-type]


def test_labels_from_a_file_and_from_a_list(tmp_path: Path, bare_model: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("\ufeff" + "\n".join(CLASSES) + "\n\n", encoding="utf-8")
    assert edgecore.load(bare_model, labels=path).labels == list(CLASSES)
    assert edgecore.load(bare_model, labels=CLASSES).labels == list(CLASSES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\nb\n", "2 labels do not fit .* 10 outputs"),
        (b"\n\n", "is empty"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (None, "cannot be read"),
    ],
)
def test_wrong_labels(tmp_path: Path, model: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "labels.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        edgecore.load(model, labels=path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mlperf_tiny/resnet8_cifar10_float.tflite", "is float32; edgecore runs full-integer models"),
        ("coral/deeplabv3_mnv2_dm05_pascal_quant.tflite", "not a classifier"),
    ],
)
def test_models_of_another_type(shared: Path, name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        edgecore.load(shared / "models" / name)


@pytest.mark.parametrize("delegate", [True, False])
@pytest.mark.parametrize("name", CORAL)
def test_coral_classifiers(shared: Path, name: str, delegate: bool) -> None:
    folder = shared / "models/coral"
    loaded = edgecore.load(
        folder / f"{name}.tflite", labels=folder / "imagenet_labels.txt", delegate=delegate
    )
    (best,) = loaded.classify(cv2.imread(str(folder / "cat.bmp")), top=1)
    index, score = CORAL[name]
    assert best.index == index and best.score > score and best.label.endswith("cat")


def test_resnet8_on_cifar10(shared: Path) -> None:
    import zipfile

    classes = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    model = edgecore.load(shared / "models/mlperf_tiny/resnet8_cifar10_int8.tflite", labels=classes)
    with zipfile.ZipFile(shared / "cifar10/test.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))[::25]
        hits = 0
        for name in names:
            image = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_COLOR)
            hits += model.classify(image, top=1)[0].label == Path(name).parent.name
    assert len(names) == 400
    assert hits / len(names) == pytest.approx(0.772, abs=0.06)


def test_import_is_light() -> None:
    program = (
        "import sys, edgecore; assert callable(edgecore.load) or True;"
        "print(sorted({'numpy', 'cv2', 'tflite_runtime'} & set(sys.modules)))"
    )
    light = program.replace("assert callable(edgecore.load) or True;", "")
    run = subprocess.run([sys.executable, "-c", light], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_names_of_the_package() -> None:
    for name in edgecore.__all__:
        assert getattr(edgecore, name) is not None
        assert name in dir(edgecore)
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        edgecore.lode  # noqa: B018
