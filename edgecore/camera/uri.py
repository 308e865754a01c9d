"""The one grammar in which every command and every function names a source.

    picam:0?size=640x480&fps=30     scheme:target?option=value&option=value
    rtsp://door/1?channel=2#transport=udp

The query of a network address belongs to its server, so edgecore's options stand behind "#" there; a
GStreamer pipeline is taken whole. A text without a scheme is a camera's number or device, a folder, a
file, or "-".
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from edgecore.errors import UserError

NETWORK = ("rtsp", "rtsps", "http", "https")
SCHEMES = ("picam", "v4l2", *NETWORK, "gst", "file", "dir", "test")
IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
MAX_SIDE = 32768


class Options:
    """The options of one URI. A source takes those it knows and then calls done()."""

    def __init__(self, text: str, given: str) -> None:
        self._text = text
        self._taken: list[str] = []
        self._values = dict(parse_qsl(given, keep_blank_values=True))
        parts = [part for part in given.split("&") if part]
        if len(self._values) != len(parts) or not all("=" in part for part in parts):
            raise UserError(f"{text}: the options are name=value with & between, each once")

    def _take(self, name: str) -> str | None:
        self._taken.append(name)
        return self._values.get(name)

    def _wrong(self, name: str, wanted: str) -> UserError:
        return UserError(f"{self._text}: {name} is {self._values[name]!r}; give {wanted}")

    def text(self, name: str, default: str | None = None) -> str | None:
        """Any text."""
        value = self._take(name)
        return default if value is None else value

    def choice(self, name: str, known: Sequence[str], default: str) -> str:
        """One of `known`."""
        value = self._take(name)
        if value is None:
            return default
        if value not in known:
            raise self._wrong(name, f"one of {', '.join(known)}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """0 or 1."""
        return self.choice(name, ("0", "1"), "1" if default else "0") == "1"

    def number(self, name: str, default: float | None = None) -> float | None:
        """A finite number above 0."""
        value = self._take(name)
        if value is None:
            return default
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if not 0 < number < 1e12:
            raise self._wrong(name, "a number above 0")
        return number

    def integer(self, name: str, default: int | None = None) -> int | None:
        """A whole number of 0 or more."""
        value = self._take(name)
        if value is None:
            return default
        if re.fullmatch(r"[0-9]{1,12}", value) is None:
            raise self._wrong(name, "a whole number")
        return int(value)

    def size(self, name: str, default: tuple[int, int] | None = None) -> tuple[int, int] | None:
        """(width, height) of a text such as 640x480."""
        value = self._take(name)
        if value is None:
            return default
        match = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", value)
        if match is None or not all(1 <= int(side) <= MAX_SIDE for side in match.groups()):
            raise self._wrong(name, "WIDTHxHEIGHT in pixels, such as 640x480")
        return int(match[1]), int(match[2])

    def done(self) -> None:
        """Raises UserError for an option that nobody took."""
        unknown = sorted(set(self._values) - set(self._taken))
        if unknown:
            known = ", ".join(sorted(set(self._taken))) or "none"
            raise UserError(f"{self._text}: there is no option {unknown[0]!r} here; there are: {known}")


@dataclass(frozen=True)
class Uri:
    """A source's name, taken apart: `text` is what the user wrote, `target` what follows the scheme."""

    text: str
    scheme: str
    target: str
    options: Options


def parse(name: str | os.PathLike[str]) -> Uri:
    """Takes a source's name apart.

    A number is always a camera's; any other text is the file or folder of that name where there is one.
    Raises UserError: an unknown scheme, or options that are not name=value.
    """
    text = os.fspath(name)
    if not text:
        raise UserError("the source has no name; give a camera, an address, a file or a folder")
    if text.isdecimal() or _mode(text):
        return _uri(text, _kind_of(text), text, "")
    scheme, colon, rest = text.partition(":")
    if colon and scheme in SCHEMES:
        if scheme == "gst":
            return _uri(text, scheme, rest, "")
        if scheme in NETWORK:
            address, _, options = text.partition("#")
            return _uri(hidden(text), scheme, address, options)
        target, _, options = rest.partition("?")
        return _uri(text, scheme, target, options)
    if "://" in text:
        raise UserError(f"{hidden(text)}: edgecore does not know {scheme}://; it has {', '.join(SCHEMES)}")
    target, _, options = text.partition("?")
    return _uri(text, _kind_of(target), target, options)


def _uri(text: str, scheme: str, target: str, options: str) -> Uri:
    return Uri(text, scheme, target, Options(text, options))


def _kind_of(target: str) -> str:
    if target == "-":
        return "-"
    if target.isdecimal() or target.startswith("/dev/"):
        return "v4l2"
    return "dir" if stat.S_ISDIR(_mode(target)) else "file"


def _mode(target: str) -> int:
    """What stat says of a path; 0: there is none, or none that may be seen.

    Path.exists() raises for what is too long a name, as a pipeline may well be.
    """
    try:
        return Path(target).stat().st_mode
    except (OSError, ValueError):
        return 0


def hidden(address: str) -> str:
    """A network address without the passwords that may stand in it and its query, for people to read."""
    secrets = r"(?i)([?&/_](?:pass|password|passwd|pwd|pw|key|token|auth)=)[^&#]*"
    return re.sub(secrets, r"\1***", re.sub(r"(://[^/@:]*):[^/]*@", r"\1:***@", address))


def existing(uri: Uri) -> Path:
    """The file or folder that a URI names. Raises UserError when there is none."""
    if not uri.target:
        raise UserError(f"{uri.text} names nothing; give a path, such as {uri.scheme}:name")
    if not _mode(uri.target):
        raise UserError(
            f"there is no file, folder or camera {uri.target}; name a video, a folder of images or a number"
        )
    return Path(uri.target)
