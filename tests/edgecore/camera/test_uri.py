"""The grammar of sources: what a user may type, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgecore.camera import source_of
from edgecore.camera.uri import Options, parse
from edgecore.errors import UserError


@pytest.mark.parametrize(
    ("text", "scheme", "target"),
    [
        ("0", "v4l2", "0"),
        ("/dev/video2", "v4l2", "/dev/video2"),
        ("v4l2:/dev/v4l/by-id/usb-Cam_1-index0?fps=15", "v4l2", "/dev/v4l/by-id/usb-Cam_1-index0"),
        ("picam:0?size=640x480", "picam", "0"),
        ("rtsp://door/1?channel=2#transport=udp", "rtsp", "rtsp://door/1?channel=2"),
        ("http://door/mjpg?fps=5", "http", "http://door/mjpg?fps=5"),
        ("gst:videotestsrc ! appsink?x#y", "gst", "videotestsrc ! appsink?x#y"),
        ("file:clip.mp4?loop=1", "file", "clip.mp4"),
        ("clip.mp4?loop=1", "file", "clip.mp4"),
        ("C:clip.mp4", "file", "C:clip.mp4"),
        ("dir:photos/", "dir", "photos/"),
        ("-", "-", "-"),
        ("-?size=4x2", "-", "-"),
        ("test:pattern?frames=3", "test", "pattern"),
    ],
)
def test_parts(text: str, scheme: str, target: str) -> None:
    uri = parse(text)
    assert (uri.scheme, uri.target) == (scheme, target)


def test_what_exists_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a?loop=1.mp4", "test:pattern"):
        Path(name).touch()
        assert (parse(name).scheme, parse(name).target) == ("file", name)
    Path("photos").mkdir()
    assert parse("photos").scheme == parse(Path("photos")).scheme == "dir"
    Path("0").touch()
    assert parse("0").scheme == "v4l2"


@pytest.mark.parametrize("text", ["ftp://host/x", "", "clip.mp4?loop", "clip.mp4?loop=1&loop=0"])
def test_refused(text: str) -> None:
    with pytest.raises(UserError):
        parse(text)


@pytest.mark.parametrize("text", ["rtsp://me:secret@door/1", "webrtc://me:secret@door/1"])
def test_passwords_stay_out_of_sight(text: str) -> None:
    try:
        shown = parse(text).text
    except UserError as error:
        shown = str(error)
    assert "secret" not in shown and "me:***@door" in shown


def test_passwords_in_a_query_stay_out_of_sight() -> None:
    shown = parse("http://door/cgi?user=me&pwd=secret&channel=2#timeout=2").text
    assert shown == "http://door/cgi?user=me&pwd=***&channel=2#timeout=2"
    assert parse("rtsp://a/user=me_password=secret_channel=1.sdp").text == "rtsp://a/user=me_password=***"


def test_long_names() -> None:
    """Longer than a file's name may be."""
    pipeline = "videotestsrc ! " * 30 + "videoconvert"
    assert parse(f"gst:{pipeline}").target == pipeline
    with pytest.raises(UserError, match="there is no file"):
        source_of("x" * 300)


def test_options() -> None:
    options = Options("x", "size=640x480&fps=7.5&frames=12&loop=1&format=RGB&name=a%20b")
    assert options.size("size") == (640, 480)
    assert options.number("fps") == 7.5
    assert options.integer("frames") == 12
    assert options.flag("loop") and not options.flag("absent")
    assert options.choice("format", ("RGB", "BGR"), "BGR") == "RGB"
    assert options.text("name") == "a b" and options.text("absent", "d") == "d"
    options.done()


@pytest.mark.parametrize(
    ("kind", "value"),
    [("size", v) for v in ("640", "0x4", "640x", "99999x1", "-1x4")]
    + [("number", v) for v in ("0", "-1", "nan", "inf", "x", "")]
    + [("integer", v) for v in ("1.5", "-1", "x", "", "9" * 13, "²")]
    + [("flag", v) for v in ("yes", "2", "")],
)
def test_bad_values_are_named(kind: str, value: str) -> None:
    options = Options("test:pattern", f"it={value}")
    with pytest.raises(UserError, match=r"test:pattern: it is '.*'; give"):
        getattr(options, kind)("it")


def test_unknown_option_is_named() -> None:
    options = Options("test:pattern", "sise=4x4")
    options.size("size")
    with pytest.raises(UserError, match="no option 'sise' here; there are: size"):
        options.done()
