"""One contract for every source, and what each refuses."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from materials import picture

from edgecore.camera import Frame, Source, source_of
from edgecore.errors import UserError

SOURCES = {"folder": 3, "image": 1, "video": 12}


@pytest.fixture(params=SOURCES)
def known(request: pytest.FixtureRequest, photos: Path, clip: Path) -> tuple[Callable[[], Source], int]:
    """How to make a source, and how many frames it has."""
    path = {"folder": photos, "image": photos / "a.png", "video": clip}[request.param]
    return (lambda: source_of(path)), SOURCES[request.param]


def test_contract(known: tuple[Callable[[], Source], int]) -> None:
    make, count = known
    with make() as source:
        frames = list(source)
        assert source.read() is None
    assert [frame.index for frame in frames] == list(range(count))
    for frame in frames:
        assert frame.pixels.dtype == np.uint8 and frame.pixels.shape == (48, 64, 3)
        assert frame.order == "BGR"
        assert (frame.name is not None) == source.named
    stamps = [frame.captured for frame in frames]
    assert stamps == sorted(stamps) and 0 <= time.monotonic() - stamps[-1] < 60
    assert source.title and not source.live


def test_open_again_starts_again(known: tuple[Callable[[], Source], int]) -> None:
    make, count = known
    source = make()
    for _ in range(2):
        with source:
            frame = source.read()
            assert frame is not None and frame.index == 0
    with source:
        assert len(list(source)) == count
    source.close()
    source.close()


def names(frames: list[Frame]) -> list[str]:
    return [Path(frame.name or "").name for frame in frames]


def test_folder_in_order_without_hidden_files(photos: Path) -> None:
    with source_of(photos) as source:
        frames = list(source)
    assert names(frames) == ["a.png", "b.jpg", "c.bmp"]
    assert (frames[0].pixels == picture(1)).all() and (frames[2].pixels == picture(3)).all()


def test_video_frames_in_order(clip: Path) -> None:
    with source_of(clip) as source:
        means = [float(frame.pixels.mean()) for frame in source]
    assert means == pytest.approx([20 * index for index in range(12)], abs=4)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.png", b"hello", "does not decode as an image"),
        ("empty.jpg", b"", "is empty"),
        ("text.mp4", b"hello", "does not decode as a video"),
        ("empty.mkv", b"", "does not decode as a video"),
    ],
)
def test_damaged_files(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=message), source_of(path) as source:
        source.read()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
@pytest.mark.parametrize("part", [0.3, 0.7])
def test_truncated_image(tmp_path: Path, capfd: pytest.CaptureFixture[str], suffix: str, part: float) -> None:
    path = tmp_path / f"cut{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    whole = cv2.imencode(suffix, noise)[1].tobytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(UserError, match=r"is damaged|does not decode"), source_of(path) as source:
        source.read()
    assert capfd.readouterr().err == ""


def test_truncated_video(tmp_path: Path, shared: Path) -> None:
    whole = (shared / "videos/asl/book.mkv").read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole[: len(whole) // 2])
    count = 0
    with pytest.raises(UserError, match=r"ends after \d+ of 110 frames"), source_of(path) as source:
        for frame in source:
            count = frame.index + 1
    assert 20 < count < 100


@pytest.mark.parametrize("name", ["again", "bird", "book", "brother"])
def test_whole_videos_end_quietly(shared: Path, name: str) -> None:
    with source_of(shared / f"videos/asl/{name}.mkv") as source:
        assert sum(1 for _ in source) > 60


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no images"):
        source_of(tmp_path).open()


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no file, folder or camera"):
        source_of(tmp_path / "absent.mp4")


def test_missing_camera() -> None:
    source = source_of("97")
    assert source.live
    with pytest.raises(UserError, match=r"camera 97 does not exist \(/dev/video97\)"):
        source.open()


def test_dead_camera(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="gives no frame"):
        source_of("/dev/null").open()
    assert capfd.readouterr().err == ""
