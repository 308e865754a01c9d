"""The window, on a real X server with an OpenCV that has windows, and where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from materials import until
from needs import missing
from published import growth_of, result_of

from edgecore.bench.memory import holdings
from edgecore.camera.source import Frame
from edgecore.errors import UserError
from edgecore.live.outputs.window import Window
from edgecore.live.result import Result

CACHE = Path(__file__).parents[4] / ".cache"


class Screen(NamedTuple):
    """An X server of 640x480."""

    server: subprocess.Popen[bytes]
    memory: Path

    def pixels(self) -> np.ndarray:
        """uint8 (480, 640, 3), blue-green-red: what the screen shows now."""
        data = self.memory.read_bytes()
        header, colours = int.from_bytes(data[:4], "big"), int.from_bytes(data[76:80], "big")
        begin = header + 12 * colours
        return np.frombuffer(data, np.uint8, 640 * 480 * 4, begin).reshape(480, 640, 4)[:, :, :3]


@pytest.fixture(scope="session")
def windows() -> Path:
    """Where an OpenCV with windows lies: the tests' own has none, and one environment holds only one."""
    version = metadata.version("opencv-python-headless")
    folder = CACHE / f"opencv-python-{version}"
    if not folder.exists():
        CACHE.mkdir(exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=CACHE))
        package = f"opencv-python=={version}"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(partial)]
        if subprocess.run([*command, package], capture_output=True).returncode:
            shutil.rmtree(partial)
            missing(f"{package} cannot be installed; run this once with a network")
        try:
            partial.rename(folder)
        except OSError:  # another worker was first
            shutil.rmtree(partial)
    return folder


@pytest.fixture
def screen(
    tmp_path: Path,
    windows: Path,
    monkeypatch: pytest.MonkeyPatch,
    need_program: Callable[[str, str], str],
) -> Iterator[Screen]:
    """A screen that windows open on."""
    program = need_program("Xvfb", "xvfb")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        [program, "-displayfd", str(writing), "-screen", "0", "640x480x24", "-fbdir", str(tmp_path)],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as answer:
        display = answer.readline().strip()
    monkeypatch.setenv("DISPLAY", f":{display}")
    monkeypatch.setenv("PYTHONPATH", str(windows))
    yield Screen(server, tmp_path / "Xvfb_screen0")
    server.kill()
    server.wait()


def green(height: int = 240, width: int = 320) -> Result:
    frame = Frame(np.full((height, width, 3), (0, 200, 0), np.uint8), "BGR", time.monotonic(), 0)
    return Result(0, None, [], {}, 0.01, "cat", 0.9, None, frame)


def shown(screen: Screen) -> int:
    """How many pixels are of green()'s colour."""
    return int((screen.pixels() == (0, 200, 0)).all(axis=2).sum())


def test_frames_are_shown_and_q_closes(screen: Screen, need_program: Callable[[str, str], str]) -> None:
    xdotool = need_program("xdotool", "xdotool")
    window = Window("a window to find")
    window.publish(green())
    until(lambda: shown(screen) > 0.6 * 240 * 320)  # the overlay takes the rest
    assert not window.closed
    window.publish(green(120, 400))
    until(lambda: shown(screen) < 120 * 400)
    subprocess.run([xdotool, "search", "--name", "a window to find", "windowfocus", "key", "q"], check=True)
    until(lambda: window.closed)
    window.publish(green())
    window.close()
    window.close()
    assert shown(screen) == 0


def test_closing_takes_the_window_away(screen: Screen) -> None:
    files = holdings().files
    window = Window()
    window.publish(green())
    until(lambda: shown(screen) > 0)
    begin = time.monotonic()
    window.close()
    assert time.monotonic() - begin < 1
    until(lambda: shown(screen) == 0)
    assert holdings().files == files


def test_the_loop_survives_the_end_of_the_display(screen: Screen) -> None:
    window = Window()
    window.publish(green())
    until(lambda: shown(screen) > 0)
    screen.server.kill()
    screen.server.wait()
    until(lambda: window._process.poll() is not None)
    assert not window.closed
    with pytest.raises(UserError, match="its display has gone"):
        window.publish(green())
    window.close()


def test_memory_stays_flat(screen: Screen) -> None:
    window = Window(draw=lambda picture, *rest: picture)
    results = [result_of(index) for index in range(7)]
    memory, descriptors = growth_of(lambda index: window.publish(results[index % 7]))
    window.close()
    assert memory < 1 << 20
    assert descriptors == 0


def test_an_opencv_without_windows_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    with pytest.raises(UserError, match="install opencv-python in place of opencv-python-headless"):
        Window()


@pytest.mark.parametrize(
    ("display", "message"), [(None, "there is no display"), (":4999", "on the display :4999; check DISPLAY")]
)
def test_no_display(
    windows: Path, monkeypatch: pytest.MonkeyPatch, display: str | None, message: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(windows))
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    if display is not None:
        monkeypatch.setenv("DISPLAY", display)
    with pytest.raises(UserError, match=message):
        Window()
