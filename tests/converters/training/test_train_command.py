"""`edgecore train` from the outside: killed at any moment, with folds, on a terminal."""

from __future__ import annotations

import csv
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import heeding_ctrl_c

from edgecore.converters import data

pytestmark = [pytest.mark.host, pytest.mark.slow, pytest.mark.usefixtures("tensorflow")]

TINY = ("--model", "lenet5", "--batch", 16, "--rate", 0.02, "--translate", 2, "--flip", "--no-convert")
PATIENCE = 600.0


def command(*words: Any) -> list[str]:
    return [sys.executable, "-m", "edgecore.cli", "train", *map(str, words)]


def train(*words: Any, status: int = 0) -> str:
    """What the command says on both streams."""
    done = subprocess.run(command(*words), capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def metrics(folder: Path) -> list[dict[str, str]]:
    """metrics.csv without the seconds."""
    rows = list(csv.DictReader((folder / "metrics.csv").open()))
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def weights(folder: Path) -> list[bytes]:
    """The bytes of all that state.npz holds but the epochs."""
    with np.load(folder / "state.npz") as state:
        return [state[name].tobytes() for name in sorted(state.files) if name != "epochs"]


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Until the file is there."""
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert process.poll() is None, "it ended by itself"
        assert time.monotonic() < end, f"no {path.name}"
        time.sleep(0.005)


@pytest.fixture(scope="module")
def whole(colours: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    said = train(*TINY, "--epochs", 40, "--data", colours, "--out", folder)
    assert "epoch 40 is the result" in said
    return folder


@pytest.mark.parametrize("moment", ["config.json", "metrics.csv"])
def test_a_killed_run_resumes_to_the_same_bytes(
    whole: Path, colours: Path, tmp_path: Path, moment: str
) -> None:
    words = (*TINY, "--epochs", 40, "--data", colours, "--out", tmp_path / "run")
    process = subprocess.Popen(command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(tmp_path / "run" / moment, process)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "run" / "model.keras").exists()
    said = train(*words, "--resume")
    assert "epoch 40 is the result" in said
    assert weights(tmp_path / "run") == weights(whole)
    assert metrics(tmp_path / "run") == metrics(whole)


def test_ctrl_c_says_how_to_continue(colours: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    words = command(*TINY, "--epochs", 100_000, "--data", colours, "--out", folder)
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=heeding_ctrl_c
    )
    wait_for(folder / "metrics.csv", process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "continue with the same command and --resume" in said.decode()
    assert (folder / "curves.png").exists()


def test_folds_are_trained_resumed_and_summed_up(colours: Path, tmp_path: Path) -> None:
    words = (*TINY, "--epochs", 2, "--folds", 4, "--data", colours / "train", "--out", tmp_path)
    assert "mean" not in train(*words, "--only-folds", 2)
    assert not (tmp_path / "fold1").exists()
    said = train(*words, "--only-folds", "2,4", "--resume")
    assert "continuing after epoch 2 of 2" in said
    assert said.splitlines()[-3].startswith("| model | fold 2 | fold 4 | mean | variance |")
    rows = list(csv.reader((tmp_path / "folds.csv").open()))
    assert [row[:2] for row in rows[1:3]] == [["2", "20"], ["4", "20"]]
    assert [row[0] for row in rows[3:]] == ["mean", "variance", "standard deviation"]
    training, held = data.open_splits(tmp_path / "fold2" / "split.json")
    assert (training, held) == data.open_source(colours / "train").folds(4)[1]
    assert json.loads((tmp_path / "fold2" / "report.json").read_text())["images"] == 20


def test_a_terminal_gets_a_progress_bar_on_standard_error(colours: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))  # on one without columns there is nothing to show
    words = command(*TINY, "--epochs", 1, "--data", colours, "--out", tmp_path / "run")
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert b"epoch 1:" in shown
    assert b"/5 [" in shown
    assert b"epoch 1:" not in out
