"""One contract for every source, and what each refuses."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from contract import CHECKS, Promise
from materials import picture

from edgecore.camera import Frame, source_of
from edgecore.camera.images import Images
from edgecore.camera.source import FORMATS
from edgecore.errors import UserError

PATTERNS = {f"pattern {order}": order for order in FORMATS}
KINDS = (
    "folder",
    "folder in a loop",
    "image",
    "video",
    "video in a loop",
    *PATTERNS,
    "live pattern",
)


@pytest.fixture(params=KINDS)
def promise(request: pytest.FixtureRequest, photos: Path, clip: Path) -> Promise:
    """What is known of each source that needs neither a device nor a pipe."""
    if request.param in PATTERNS:
        name = f"test:pattern?size=64x48&frames=7&format={PATTERNS[request.param]}"
        return Promise(lambda: source_of(name), (64, 48), 7, PATTERNS[request.param], "exposure")
    name, count = {
        "folder": (str(photos), 3),
        "folder in a loop": (f"dir:{photos}?loop=1", None),
        "image": (str(photos / "a.png"), 1),
        "video": (str(clip), 12),
        "video in a loop": (f"file:{clip}?loop=1&fps=1000", None),
        "live pattern": ("test:pattern?size=64x48&live=1&fps=200", None),
    }[request.param]
    live = request.param == "live pattern"
    clock = "exposure" if live else "arrival"
    return Promise(lambda: source_of(name), (64, 48), count, clock=clock, live=live)


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check: Callable[[Promise], None], promise: Promise) -> None:
    check(promise)


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


def test_an_image_that_is_too_long(tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "a.png"), np.zeros((2, 40000, 3), np.uint8))
    with pytest.raises(UserError, match="is 40000x2; scale it"), source_of(tmp_path / "a.png") as source:
        source.read()


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


def test_folder_in_a_loop_is_listed_anew(photos: Path) -> None:
    with source_of(f"{photos}?loop=1") as source:
        frames = [source.read() for _ in range(4)]
        cv2.imwrite(str(photos / "aa.png"), picture(5))
        (photos / "b.jpg").unlink()
        frames += [source.read() for _ in range(5)]
    found = [frame for frame in frames if frame is not None]
    assert [frame.index for frame in found] == list(range(9))
    # The second round's list was made before the change; the file that is gone by then is skipped.
    assert names(found) == ["a.png", "b.jpg", "c.bmp", "a.png", "c.bmp", "a.png", "aa.png", "c.bmp", "a.png"]


def test_images_of_a_folder_keep_their_own_sizes(photos: Path) -> None:
    cv2.imwrite(str(photos / "b.jpg"), picture(2, 80, 96))
    with source_of(photos) as source:
        assert [(frame.width, frame.height) for frame in source] == [(64, 48), (96, 80), (64, 48)]


def test_a_bad_image_is_skipped_and_told_once(photos: Path, caplog: pytest.LogCaptureFixture) -> None:
    (photos / "b.jpg").write_bytes(b"no image")
    source = Images(photos, loop=True)
    with source, caplog.at_level(logging.WARNING, "edgecore"):
        frames = [frame for _ in range(6) if (frame := source.read()) is not None]
    assert names(frames) == ["a.png", "c.bmp"] * 3
    assert [frame.index for frame in frames] == list(range(6))
    assert source.skipped == 3
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{photos}/b.jpg does not decode") and "skipped" in record.message


@pytest.mark.parametrize("options", ["", "?loop=1"])
def test_a_folder_of_bad_images_is_an_error(photos: Path, options: str) -> None:
    for path in (photos / "a.png", photos / "b.jpg", photos / "more/c.bmp"):
        path.write_bytes(b"no image")
    with pytest.raises(UserError, match=r"no image in .*photos can be read; .*c\.bmp does not decode"):
        list(source_of(f"{photos}{options}").__enter__())


@pytest.mark.parametrize("empty", [False, True])
def test_images_that_vanish_end_a_loop(photos: Path, empty: bool) -> None:
    with source_of(f"{photos}?loop=1") as source:
        for _ in range(3):
            source.read()
        shutil.rmtree(photos)
        if empty:
            photos.mkdir()
        with pytest.raises(UserError, match="holds no images"):
            source.read()


@pytest.mark.parametrize(("code", "suffix"), [("mp4v", ".mp4"), ("mpg2", ".ts"), ("MJPG", ".avi")])
def test_video_in_a_loop(tmp_path: Path, code: str, suffix: str) -> None:
    path = tmp_path / f"clip{suffix}"
    write_clip(path, code, 25)
    with source_of(path) as source:
        once = [float(frame.pixels.mean()) for frame in source]
    assert len(once) == 12
    with source_of(f"{path}?loop=1") as source:
        frames = [frame for _ in range(40) if (frame := source.read()) is not None]
    assert [frame.index for frame in frames] == list(range(40))
    assert [float(frame.pixels.mean()) for frame in frames] == (once * 4)[:40]


def write_clip(path: Path, code: str, rate: float) -> None:
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*code), rate, (64, 48))
    assert writer.isOpened()
    for index in range(12):
        writer.write(np.full((48, 64, 3), 20 * index, np.uint8))
    writer.release()


def test_a_video_that_vanishes_ends_a_loop(tmp_path: Path, clip: Path) -> None:
    path = Path(shutil.copy(clip, tmp_path / "clip.mp4"))
    with source_of(f"{path}?loop=1") as source:
        for _ in range(12):
            assert source.read() is not None
        path.unlink()
        with pytest.raises(UserError, match="does not decode as a video"):
            source.read()


def test_a_truncated_video_ends_a_loop(tmp_path: Path, shared: Path) -> None:
    whole = (shared / "videos/asl/book.mkv").read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole[: len(whole) // 2])
    with (
        pytest.raises(UserError, match=r"ends after \d+ of 110 frames"),
        source_of(f"{path}?loop=1") as source,
    ):
        for frame in source:
            assert frame.index < 110


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("{clip}?fps=50", 50),
        ("{clip}?fps=native", 10),
        ("{photos}?fps=20", 20),
        ("test:pattern?size=64x48&frames=6&fps=50", 50),
        ("test:pattern?size=64x48&frames=6&live=1", 30),
    ],
)
def test_no_faster_than_asked(name: str, rate: int, clip: Path, photos: Path) -> None:
    begin = time.monotonic()
    with source_of(name.format(clip=clip, photos=photos)) as source:
        frames = list(source)
    assert len(frames) > 2
    for frame in frames:
        assert frame.captured - begin >= frame.index / rate * 0.999


def test_a_video_without_a_rate(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_clip(path, "mp4v", 5000)
    with pytest.raises(UserError, match="does not say how fast it was made"):
        source_of(f"{path}?fps=native").open()


def test_native_rate_of_what_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"hello")
    with pytest.raises(UserError, match="does not decode as a video"):
        source_of(f"{path}?fps=native").open()


@pytest.mark.parametrize("sizes", [((64, 48), (96, 80)), ((96, 80), (64, 48))])
def test_a_video_that_changes_its_size_keeps_the_first(
    tmp_path: Path, sizes: tuple[tuple[int, int], ...]
) -> None:
    path = tmp_path / "clip.mjpeg"
    pictures = [np.full((height, width, 3), 50, np.uint8) for width, height in sizes for _ in range(5)]
    path.write_bytes(b"".join(cv2.imencode(".jpg", item)[1].tobytes() for item in pictures))
    with source_of(path) as source:
        assert [(frame.width, frame.height) for frame in source] == [sizes[0]] * 10


def test_options_are_named_once(clip: Path) -> None:
    with pytest.raises(UserError, match=r"there are: fps, loop$"):
        source_of(f"{clip}?rate=3")


def test_the_first_frame_came_when_it_was_taken(clip: Path) -> None:
    with source_of(clip) as source:
        begin = time.monotonic()
        frame = source.read()
    assert frame is not None and frame.captured >= begin


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
