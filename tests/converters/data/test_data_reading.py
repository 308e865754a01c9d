"""Images of every kind decode as the device's sources decode them; unusable ones are left out and named."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from edgecore.camera.opencv import read_image
from edgecore.converters import data
from edgecore.converters.data.left_out import LeftOut
from edgecore.converters.data.reading import Unusable
from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing

SPEC = Preprocessing(width=16, height=16)
NOISE = np.random.default_rng(4).integers(0, 256, (48, 40, 3)).astype(np.uint8)


def alpha(path: Path) -> None:
    cv2.imwrite(str(path), np.dstack([NOISE, NOISE[..., 0]]))


def grey(path: Path) -> None:
    cv2.imwrite(str(path), NOISE[..., 0])


def deep(path: Path) -> None:
    cv2.imwrite(str(path), NOISE.astype(np.uint16) * 256 + 37)


def turned(path: Path) -> None:
    picture = Image.fromarray(NOISE)
    exif = picture.getexif()
    exif[0x0112] = 6  # orientation: to be turned by 90 degrees
    picture.save(path, exif=exif)


@pytest.mark.parametrize(
    ("write", "suffix", "shape"),
    [
        (alpha, ".png", (48, 40, 3)),
        (grey, ".png", (48, 40, 3)),
        (grey, ".jpg", (48, 40, 3)),
        (deep, ".png", (48, 40, 3)),
        (turned, ".jpg", (40, 48, 3)),
    ],
)
def test_images_decode_as_on_the_device(
    write: Callable[[Path], None], suffix: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    path = tmp_path / f"image{suffix}"
    write(path)
    frame = data.decoded(path.read_bytes())
    assert (frame.shape, frame.dtype) == (shape, np.uint8)
    np.testing.assert_array_equal(frame, read_image(path))


def test_alpha_is_dropped_and_the_upper_bits_stay(tmp_path: Path) -> None:
    for write in (alpha, deep):
        write(tmp_path / "image.png")
        np.testing.assert_array_equal(data.decoded((tmp_path / "image.png").read_bytes()), NOISE)


def encoded(suffix: str) -> bytes:
    return bytes(cv2.imencode(suffix, NOISE)[1])


BAD = {
    "empty.jpg": (b"", "empty"),
    "text.jpg": (b"no image", "does not decode"),
    "cut.jpg": (encoded(".jpg")[:-40], "ends too early"),
    "head.jpg": (encoded(".jpg")[:300], "does not decode"),
    "cut.png": (encoded(".png")[:-40], "ends too early"),
    "cut.webp": (encoded(".webp")[:-400], "does not decode"),
    "cut.bmp": (encoded(".bmp")[:-40], "does not decode"),
    "cut.tif": (encoded(".tiff")[:-400], "does not decode"),
}


@pytest.fixture
def bad(colours: Path, tmp_path: Path) -> Path:
    """test, with unusable images beside the good ones."""
    shutil.copytree(colours / "test", tmp_path / "set")
    for name, (content, _) in BAD.items():
        (tmp_path / "set" / "red" / name).write_bytes(content)
    return tmp_path / "set"


def test_unusable_images_are_left_out_alike_however_they_are_read(bad: Path, colours: Path) -> None:
    expected, labels = data.load(data.open_source(colours / "test"), SPEC)
    reasons = {f"red/{name}": reason for name, (_, reason) in BAD.items()}
    source = data.open_source(bad)
    assert len(list(source.frames())) == 20
    assert source.left_out.reasons == reasons
    source = data.open_source(bad)
    loaded = data.load(source, SPEC)
    np.testing.assert_array_equal(loaded[0], expected)
    np.testing.assert_array_equal(loaded[1], labels)
    assert source.left_out.reasons == reasons
    source = data.open_source(bad)
    streamed = list(data.in_order(source, SPEC, 7))
    np.testing.assert_array_equal(np.concatenate([x for x, _ in streamed]), data.to_input(expected, SPEC))
    np.testing.assert_array_equal(np.concatenate([y for _, y in streamed]), labels)
    assert source.left_out.reasons == reasons
    assert len(source.left_out) == len(BAD)


def test_above_the_limit_the_first_are_named_with_their_reasons(bad: Path) -> None:
    for read in (lambda source: list(source.frames()), lambda source: data.load(source, SPEC)):
        with pytest.raises(UserError, match=r"4 of 28 images .* more than the 3 .*red/cut\.bmp \(does not"):
            read(data.open_source(bad, limit=3))


def test_a_class_of_which_nothing_decodes_is_an_error(colours: Path, tmp_path: Path) -> None:
    shutil.copytree(colours / "test", tmp_path / "set")
    for path in (tmp_path / "set" / "red").iterdir():
        path.write_bytes(b"")
    with pytest.raises(UserError, match="no image of class 'red' can be used"):
        data.load(data.open_source(tmp_path / "set"), SPEC)


def test_the_limit_is_one_in_a_hundred_or_ten() -> None:
    assert LeftOut(Path("set"), {"a": 40, "b": 60}).limit == 10
    assert LeftOut(Path("set"), {"a": 4000, "b": 6000}).limit == 100
    assert LeftOut(Path("set"), {"a": 4000, "b": 6000}, 0).limit == 0


def test_what_was_left_out_is_told_once_for_parts_and_not_at_all_for_none(bad: Path) -> None:
    training, held = data.open_splits(bad)
    assert data.left_out(training, held) == []
    for part in (training, held):
        data.load(part, SPEC)
    assert data.left_out(training, held) == [
        f"8 images of 28 in {bad} do not decode and were left out: red/cut.bmp, red/cut.jpg, red/cut.png, "
        "red/cut.tif, red/cut.webp and 3 more"
    ]


def test_a_damaged_member_of_a_zip_is_left_out(
    colours: Path, tmp_path: Path, zipped: Callable[[Path], Path]
) -> None:
    archive = zipped(colours / "test")
    with zipfile.ZipFile(archive) as whole:
        offset = whole.getinfo("red/03.png").header_offset
    content = bytearray(archive.read_bytes())
    content[offset + 200] ^= 0xFF
    archive.write_bytes(content)
    source = data.open_source(archive)
    assert len(data.load(source, SPEC)[1]) == 19
    assert source.left_out.reasons == {"red/03.png": "damaged in the zip"}


def test_a_pipe_is_not_waited_for_and_a_folder_is_no_image(colours: Path, tmp_path: Path) -> None:
    shutil.copytree(colours / "test", tmp_path / "set")
    os.mkfifo(tmp_path / "set" / "red" / "pipe.png")
    (tmp_path / "set" / "red" / "folder.png").mkdir()
    source = data.open_source(tmp_path / "set")
    assert len(data.load(source, SPEC)[1]) == 20
    assert source.left_out.reasons == {"red/pipe.png": "is no file", "red/folder.png": "is no file"}


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_data_that_goes_away_midway_is_an_error(
    colours: Path, tmp_path: Path, zipped: Callable[[Path], Path], kind: str
) -> None:
    folder = shutil.copytree(colours / "test", tmp_path / "set")
    path = zipped(folder) if kind == "zip" else folder
    frames = data.open_source(path).frames()
    next(frames)
    shutil.rmtree(path) if kind == "folder" else path.unlink()
    with pytest.raises(UserError, match="can no longer be read"):
        list(frames)


@given(
    suffix=st.sampled_from([".jpg", ".png", ".bmp", ".webp"]),
    at=st.floats(0, 0.999),
    value=st.integers(0, 255),
)
def test_a_flipped_byte_gives_a_frame_or_a_reason(suffix: str, at: float, value: int) -> None:
    content = bytearray(encoded(suffix))
    content[int(at * len(content))] = value
    try:
        assert data.decoded(bytes(content)).dtype == np.uint8
    except Unusable as error:
        assert str(error)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]),
    flips=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=3),
)
def test_a_damaged_zip_loses_images_or_is_refused(
    method: int, flips: list[tuple[float, int]], tmp_path: Path
) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in ("a/ä.bmp", "a/2.bmp", "b/1.bmp", "b/2.bmp"):
            archive.writestr(name, encoded(".bmp"))
    content = bytearray(path.read_bytes())
    for at, value in flips:
        content[int(at * len(content))] = value
    path.write_bytes(content)
    try:
        source = data.open_source(path)
        images, _ = data.load(source, SPEC)
        assert len(images) + len(source.left_out) == len(source.items)
    except UserError as error:
        assert "\n" not in str(error)
