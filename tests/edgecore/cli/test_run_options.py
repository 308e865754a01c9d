"""What is wrong with an option of `edgecore run` is told in one line, and nothing is left behind."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgecore.cli import main
from edgecore.cli.run_options import above_zero, bounds, byte_count, filled

Refused = Callable[[str], str]

PATTERN = "test:pattern?frames=20"

WRONG_VALUES = {
    "--frames 0": "whole number of 1 or more",
    "--top x": "whole number of 1 or more",
    "--roi 1,2,3": "the region '1,2,3' is not X,Y,WIDTH,HEIGHT",
    "--roi -5,0,10,10": "the region '-5,0,10,10' is not X,Y,WIDTH,HEIGHT",
    "--roi 0,0,0,5": "is not X,Y,WIDTH,HEIGHT",
    "--roi 600,0,100,100": "reaches out of a frame of 640x480",
    "--roi 0,0,101%,100%": "reaches out of a frame of 640x480",
    "--policy oldest": "choose from 'newest', 'every'",
    "--max-fps 0": "'0' is not a number above 0",
    "--max-fps -3": "'-3' is not a number above 0",
    "--max-fps nan": "'nan' is not a number above 0",
    "--max-fps fast": "'fast' is not a number",
    "--idle-fps 0": "'0' is not a number above 0",
    "--idle-fps 1 --idle-after 0": "'0' is not a number above 0",
    "--give-up-after 0": "'0' is not a number above 0",
    "--smooth foo": "write none, exponential:0.5",
    "--smooth window:0": "write none, exponential:0.5",
    "--threshold a": "write a score such as 0.6",
    "--threshold 60": "no score reaches the --threshold of 60",
    "--confirm 8": "write N/M such as 8/10",
    "--confirm 10/8": "write N/M such as 8/10",
    "--classes nosuch.toml": "nosuch.toml cannot be read",
    "--classes {mapping}": "did you mean 'kind 1'?",
    "--out ''": "it is empty",
    "--out nosuch/r.jsonl": "nosuch/r.jsonl cannot be written",
    "--out .": "cannot be written: Is a directory",
    "--out r.jsonl --out-size 5X": "'5X' is not a size",
    "--out r.jsonl --out-keep 0": "whole number of 1 or more",
    "--record ''": "it is empty",
    "--record x.avi": "name it x.mp4",
    "--record nosuch/x.mp4": "there is no folder nosuch; make it",
    "--save-uncertain ''": "it is empty",
    "--save-uncertain {mapping}": "File exists; name another folder",
    "--save-uncertain u --uncertain 0.7,0.3": "is not LOW,HIGH between 0 and 1",
    "--save-uncertain u --uncertain-every 0": "'0' is not a number above 0",
    "--save-uncertain u --uncertain-size 0": "'0' is not a size",
    "--on-event ''": "it is empty",
    "--on-event cat --event-timeout 0": "'0' is not a number above 0",
    "--golden cat": "write IMAGE=LABEL",
    "--golden nosuch.png=kind": "there is no image nosuch.png",
    "--golden {mapping}=kind": "does not decode as an image",
    "--golden {photo}=unicorn": "the model has no label 'unicorn'",
    "--max-latency 0": "'0' is not a number above 0",
    "--model nosuch.tflite": "there is no model nosuch.tflite",
    "--model {mapping}": "is not a TFLite model",
    "--scale 0": "scale is 0",
    "--labels {mapping}": "labels do not fit",
    "--isa foo": 'instruction set "foo" is unknown',
    "more": "unrecognized arguments: more; see `edgecore run --help`",
    "--nosuch": "unrecognized arguments: --nosuch; see `edgecore run --help`",
}

CONTRADICTIONS = {
    "--max-fps 5 --idle-fps 10": "the idle rate of 10 is above the frame rate of 5",
    "--threshold 0.4,0.6": "the second is the lower one",
    "--idle-after 3": "--idle-after does nothing without --idle-fps",
    "--out-size 5M": "--out-size does nothing without --out;",
    "--out-keep 3": "--out-keep does nothing without --out;",
    "--uncertain 0.2,0.8": "--uncertain does nothing without --save-uncertain",
    "--uncertain-every 3": "--uncertain-every does nothing without --save-uncertain",
    "--uncertain-size 5M": "--uncertain-size does nothing without --save-uncertain",
    "--event-timeout 3": "--event-timeout does nothing without --on-event",
    "--golden {photo}=kind --no-reload": "leave one of them out",
    "--max-latency 5 --no-reload": "leave one of them out",
}

SOURCES = {
    "''": "the source has no name",
    "nosuch.mp4": "there is no file, folder or camera nosuch.mp4",
    "file:": "file: names nothing",
    "dir:": "dir: names nothing",
    "file:.": ". is a folder; its images are dir:.",
    "{mapping}": "does not decode as a video",
    "dir:{mapping}": "does not decode as an image",
    "empty": "the folder empty holds no images",
    "'{mapping}?loop=2'": "loop is '2'; give one of 0, 1",
    "'{mapping}?size=3x3'": "there is no option 'size' here; there are: fps, loop",
    "test:foo": "there is test:pattern",
    "'test:pattern?fps=0'": "give a number above 0",
    "'test:pattern?size=640'": "such as 640x480",
    "'test:pattern?size=64x64&size=64x64'": "each once",
    "v4l2:": "v4l2: names no camera",
    "v4l2:/dev/nosuch": "camera /dev/nosuch does not exist; ",
    "/dev/null": "is no camera",
    "'v4l2:0?fourcc=TOOLONG'": "such as MJPG or YUYV",
    "picam:x": "such as picam:0",
    "'picam:0?rotation=90'": "give one of 0, 180",
    "rtsp:///path": "rtsp:///path is no address; give rtsp://camera/path",
    "rtsp://:554/path": "is no address",
    "'rtsp://camera/1#transport=foo'": "give one of tcp, udp",
    "'rtsp://camera/1#size=3x3'": "there are: timeout, transport",
    "http://": "is no address",
    "ftp://camera/1": "edgecore does not know ftp://",
    "'gst: '": "gst: has no pipeline",
    "-": "give it: '-?size=640x480'",
    "'-?size=640x480&format=XYZ'": "give one of BGR, RGB",
    "'-?size=641x480&format=NV12'": "give an even width and height",
    "'-?size=640x480'": "standard input gave no frame",
    "'rtsp://user:secret@127.0.0.1:1/1' --give-up-after 0.5": "user:***@127.0.0.1:1/1 gave nothing for",
}


@pytest.fixture
def refused(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Refused]:
    """Runs a line in a folder of its own; what stderr says in its last line."""
    import cv2
    from materials import picture

    given = tmp_path / "given"
    given.mkdir()
    (given / "map.toml").write_text('ignore = ["kind 11"]\n')
    cv2.imwrite(str(given / "photo.png"), picture(1))
    folder = tmp_path / "folder"
    (folder / "empty").mkdir(parents=True)
    monkeypatch.chdir(folder)
    with Path("/dev/null").open() as nothing:
        monkeypatch.setattr("sys.stdin", nothing)

        def run(line: str) -> str:
            words = shlex.split(line.format(mapping=given / "map.toml", photo=given / "photo.png"))
            model_words = [] if "--model" in words else ["--model", str(model)]
            assert main(["run", *words, *model_words]) == 2
            out, err = capfd.readouterr()
            assert out == "" and "Traceback" not in err
            assert [str(path) for path in Path().rglob("*")] == ["empty"]
            last = err.splitlines()[-1]
            assert last.startswith("edgecore: ") and "secret" not in err
            return last

        yield run


@pytest.mark.parametrize("words", WRONG_VALUES)
def test_wrong_values(refused: Refused, words: str) -> None:
    assert WRONG_VALUES[words] in refused(f"{PATTERN} {words}")


@pytest.mark.parametrize("words", CONTRADICTIONS)
def test_contradictions(refused: Refused, words: str) -> None:
    assert CONTRADICTIONS[words] in refused(f"{PATTERN} {words}")


@pytest.mark.parametrize("words", SOURCES)
def test_sources(refused: Refused, words: str) -> None:
    assert SOURCES[words] in refused(words)


@pytest.mark.parametrize(
    "source", ["{mapping}", "empty", "'test:pattern?frames=20' --roi 600,0,100,100", "/dev/null"]
)
def test_a_failed_start_leaves_nothing(refused: Refused, source: str) -> None:
    outputs = "--out r.jsonl --record c.mp4 --save-uncertain u/v --on-event 'touch event'"
    refused(f"{source} {outputs}")


def test_what_was_there_stays(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("r.jsonl").touch()
    Path("u").mkdir()
    Path("nothing").mkdir()
    words = ["run", "nothing", "--model", str(model), "--out", "r.jsonl", "--save-uncertain", "u"]
    assert main(words) == 2
    assert sorted(str(path) for path in Path().rglob("*")) == ["nothing", "r.jsonl", "u"]


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1), ("5b", 5), ("3K", 3072), ("64M", 64 << 20), ("2gb", 2 << 30)]
)
def test_byte_counts(text: str, value: int) -> None:
    assert byte_count(text) == value


@pytest.mark.parametrize("text", ["", "0", "0K", "-1", "1.5G", "5X", "K", "9999999999"])
def test_no_byte_counts(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="such as 500K, 64M or 2G"):
        byte_count(text)


def test_other_types() -> None:
    assert (above_zero("0.5"), bounds("0,1"), filled("a b")) == (0.5, (0.0, 1.0), "a b")
    for convert, text in ((above_zero, "1,2"), (above_zero, "inf"), (bounds, "0.5"), (filled, " ")):
        with pytest.raises(argparse.ArgumentTypeError):
            convert(text)
