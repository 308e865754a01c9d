"""Servers of live streams for tests, each in a process of its own on loopback; `clock` reads a frame's age.

with rtsp() as server:
    with source_of(server.url) as source: ...
    server.pause(); server.resume(); server.stop(); server.restart(port=0)
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from needs import missing

HERE = Path(__file__).parent
SYSTEM_PYTHON = "/usr/bin/python3"
GSTREAMER = (
    "GStreamer's RTSP server; apt-get install --no-install-recommends python3-gi gir1.2-gst-rtsp-server-1.0 "
    "gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly"
)


class Server:
    """A server program: `python program PORT more` prints the port it listens on."""

    def __init__(self, python: str, program: str, scheme: str, *more: str) -> None:
        self._command = [python, str(HERE / program)]
        self._more = more
        self._scheme = scheme
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address of the stream that is always well."""
        return self.at("cam")

    def at(self, path: str, user: str = "") -> str:
        """The address of one of the program's paths; `user` is "name:password"."""
        return f"{self._scheme}://{user + '@' if user else ''}127.0.0.1:{self.port}/{path}"

    def start(self, port: int = 0) -> str:
        """Starts it on a port, 0 for any that is free, and gives `url`."""
        self.stop()
        self._process = subprocess.Popen(
            [*self._command, str(port), *self._more],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said.strip().isdecimal(), f"{self._command} did not start"
        self.port = int(said)
        return self.url

    def stop(self) -> None:
        """Kills it, paused or not; twice is fine."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def restart(self, port: int | None = None) -> str:
        """Kills it and starts it again, on its old port unless told otherwise; gives `url`."""
        return self.start(self.port if port is None else port)

    def pause(self) -> None:
        """It and its connections stay, and nothing comes any more."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """The end of a pause."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)


def rtsp(*user: str) -> Server:
    """H.264 over RTSP, 640x360 at 30 frames a second, for everyone or one user, "name:password"."""
    probe = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer, Gst;"
        "Gst.init(None); raise SystemExit(not Gst.ElementFactory.find('x264enc'))"
    )
    try:
        found = subprocess.run([SYSTEM_PYTHON, "-c", probe], capture_output=True).returncode == 0
    except OSError:
        found = False
    if not found:
        missing(GSTREAMER)
    return Server(SYSTEM_PYTHON, "rtsp.py", "rtsp", *user)


def mjpeg() -> Server:
    """Motion JPEG over HTTP, 640x360 at 30 frames a second; mjpeg.py has its paths."""
    return Server(sys.executable, "mjpeg.py", "http")
