"""What README.md tells a user to type does what it says, and what it links to is there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ASSETS = ROOT / "edgecore" / "assets"

BLOCKS = re.findall(r"(<!-- not tested: [^\n]* -->\n)?```(sh|python)\n(.*?)```", README, re.DOTALL)
TESTED = [(language, text) for excuse, language, text in BLOCKS if not excuse]
COMMANDS = [
    line
    for language, text in TESTED
    if language == "sh"
    for line in text.splitlines()
    if line.startswith("edgecore ")
]
PROGRAMS = [text for language, text in TESTED if language == "python"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder: the bundled model and clip under the names that README.md uses, and photographs."""
    import cv2

    path = tmp_path_factory.mktemp("user")
    shutil.copy(ASSETS / "res_squeezenet_cifar10.tflite", path / "model.tflite")
    shutil.copy(ASSETS / "demo.mp4", path / "video.mp4")
    (path / "photos").mkdir()
    clip = cv2.VideoCapture(str(path / "video.mp4"))
    for number in range(3):
        _, frame = clip.read()
        cv2.imwrite(str(path / "photos" / f"{number}.png"), frame)
    cv2.imwrite(str(path / "photo.jpg"), frame)
    return path


def run(folder: Path, *command: str) -> str:
    """The output of a command that has to succeed in the user's folder."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("line", COMMANDS)
def test_commands(folder: Path, line: str) -> None:
    assert run(folder, *shlex.split(line, comments=True)).strip()


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs(folder: Path, program: str) -> None:
    run(folder, sys.executable, "-c", program)


def test_there_is_something_to_test() -> None:
    assert len(COMMANDS) >= 5
    assert len(PROGRAMS) >= 2


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"\bmake ([a-z]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
