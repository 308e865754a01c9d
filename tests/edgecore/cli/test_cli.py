"""The command line as a user meets it: answers, exit statuses, and one line for every mistake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import edgecore as package
from edgecore.cli import COMMANDS

Command = Callable[..., subprocess.CompletedProcess[str]]


def complaint(run: subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr of a command that the user called wrongly."""
    assert run.returncode == 2, run
    lines = run.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("edgecore: "), run.stderr
    return lines[0].removeprefix("edgecore: ")


def test_help_loads_neither_numpy_nor_opencv() -> None:
    program = [sys.executable, "-X", "importtime", "-m", "edgecore.cli", "--help"]
    run = subprocess.run(program, capture_output=True, text=True, check=True)
    imported = {line.rsplit("|", 1)[-1].strip() for line in run.stderr.splitlines()}
    heavy = ("numpy", "cv2", "tflite_runtime", "ai_edge_litert", "tensorflow", "keras")
    assert not [name for name in imported if name.startswith(heavy)]
    for command in COMMANDS:
        assert f"\n    {command} " in run.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(edgecore: Command, command: str) -> None:
    run = edgecore(command, "--help")
    assert run.returncode == 0 and run.stderr == "" and f"edgecore {command}" in run.stdout


def test_version(edgecore: Command) -> None:
    assert edgecore("--version").stdout.strip() == f"edgecore {package.__version__}"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "COMMAND"),
        (("fly",), "invalid choice: 'fly'"),
        (("classify",), "IMAGE"),
        (("run", "--frames", "0"), "--frames: '0' is not a whole number"),
        (("run", "--threads", "many"), "'many' is not a whole number"),
        (("classify", "a.png", "--mean", "red"), "'red' is not a number"),
        (("bench", "--seconds", "0"), "--seconds must be above 0"),
        (("bench", "--compare", "--no-delegate"), "drop --no-delegate"),
        (("inspect", "absent.tflite"), "there is no model absent.tflite"),
        (("run", "absent.mp4"), "there is no file, folder or camera absent.mp4"),
    ],
)
def test_wrong_arguments(edgecore: Command, words: tuple[str, ...], message: str) -> None:
    assert message in complaint(edgecore(*words))


def test_classify(edgecore: Command, model: Path, photos: Path) -> None:
    run = edgecore("classify", photos / "a.png", photos / "b.jpg", "--model", model, "--top", 2)
    assert run.returncode == 0 and run.stderr == ""
    lines = run.stdout.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        str(photos / "a.png"),
        str(photos / "b.jpg"),
    ]
    assert len(lines) == 6 and "kind " in lines[1]
    run = edgecore("classify", photos / "a.png", "--model", model, "--json")
    answer = json.loads(run.stdout)
    predictions = answer["predictions"]
    assert len(predictions) == 5 and predictions[0]["label"] == f"kind {predictions[0]['index']}"
    expected = package.load(model).classify(__import__("cv2").imread(str(photos / "a.png")))
    assert [item["index"] for item in predictions] == [item.index for item in expected]


def test_classify_goes_on_after_a_bad_image(edgecore: Command, model: Path, photos: Path) -> None:
    run = edgecore("classify", photos / "notes.txt", photos / "a.png", "--model", model)
    assert "notes.txt does not decode as an image" in complaint(run)
    assert run.stdout.startswith(str(photos / "a.png"))


def test_run_over_images(edgecore: Command, model: Path, photos: Path) -> None:
    run = edgecore("run", photos, "--model", model)
    assert run.returncode == 0 and run.stderr == ""
    lines = run.stdout.splitlines()
    assert (
        len(lines) == 7
        and lines[0].startswith(f"{photos}/a.png  kind ")
        and lines[3].startswith("3 frames in ")
    )


def test_run_over_a_video(edgecore: Command, model: Path, clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    for _ in range(2):  # the file is appended to
        run = edgecore("run", clip, "--model", model, "--frames", 5, "--json", "--out", out)
        assert run.returncode == 0 and run.stderr == ""
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert [line.get("frame") for line in lines] == [0, 1, 2, 3, 4, None]
    assert lines[-1]["summary"]["frames"] == 5
    assert [json.loads(line)["frame"] for line in out.read_text().splitlines()] == [0, 1, 2, 3, 4] * 2


def test_tiers_give_the_same_bytes(edgecore: Command, model: Path, photos: Path) -> None:
    words = ("classify", photos / "a.png", "--model", model, "--top", 10)
    best = edgecore(*words).stdout
    assert (
        best == edgecore(*words, EDGECORE_ISA="scalar").stdout == edgecore(*words, "--isa", "scalar").stdout
    )
    assert best == edgecore(*words, "--no-delegate", "--threads", 1).stdout


@pytest.mark.parametrize(("option", "environment"), [(("--isa", "mmx"), {}), ((), {"EDGECORE_ISA": "mmx"})])
def test_wrong_isa(
    edgecore: Command, model: Path, clip: Path, option: tuple[str, ...], environment: dict[str, str]
) -> None:
    line = complaint(edgecore("run", clip, "--model", model, *option, **environment))
    assert "mmx" in line and "scalar" in line


@pytest.mark.parametrize("length", [0, 7, 100, 3000])
@pytest.mark.parametrize("command", ["run", "bench", "inspect"])
def test_truncated_models(
    edgecore: Command, model_bytes: bytes, clip: Path, tmp_path: Path, command: str, length: int
) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes(model_bytes[:length])
    run = edgecore("run", clip, "--model", path) if command == "run" else edgecore(command, path)
    assert "cut.tflite is " in complaint(run)


def test_debug_shows_the_traceback(edgecore: Command, tmp_path: Path) -> None:
    for words in (("--debug", "run", "absent.mp4"), ("run", "--debug", "absent.mp4")):
        run = edgecore(*words)
        assert run.returncode == 1 and "Traceback" in run.stderr and "UserError" in run.stderr


def test_bad_sources(edgecore: Command, model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "noise.mp4").write_bytes(b"\0\1\2\3" * 500)
    assert "holds no images" in complaint(edgecore("run", "empty", "--model", model))
    assert "does not decode as a video" in complaint(edgecore("run", "noise.mp4", "--model", model))
    assert "camera 97 does not exist" in complaint(edgecore("run", "97", "--model", model))
    assert "gives no frame" in complaint(edgecore("run", "/dev/null", "--model", model))


def test_unwritable_output(edgecore: Command, model: Path, clip: Path) -> None:
    line = complaint(edgecore("run", clip, "--model", model, "--out", "no/such/folder/x.jsonl"))
    assert "cannot be written: No such file or directory" in line


def test_standard_output_on_a_full_disk(model: Path, clip: Path) -> None:
    program = [sys.executable, "-m", "edgecore.cli", "run", str(clip), "--model", str(model), "--json"]
    with Path("/dev/full").open("w") as out:
        run = subprocess.run(program, stdout=out, stderr=subprocess.PIPE, text=True)
    assert (run.returncode, run.stderr) == (2, "edgecore: the output: No space left on device\n")


def test_a_log_on_a_full_disk_does_not_end_a_live_run(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    words = ["test:pattern?live=1&fps=200&frames=50", "--policy", "every", "--out", str(out)]
    program = [sys.executable, "-m", "edgecore.cli", "run", *words, "--model", str(model)]
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, text=True)
    assert len(out.read_text().splitlines()) == 50
    assert (run.returncode, run.stderr) == (2, "edgecore: the output: No space left on device\n")


def test_results_on_a_full_disk_do_not_stop_the_loop(edgecore: Command, model: Path, clip: Path) -> None:
    run = edgecore("run", clip, "--model", model, "--out", "/dev/full")
    first, last = run.stderr.splitlines()
    assert first == "/dev/full: no space left on device; results are lost there until it works again"
    assert last == "/dev/full: 12 results were lost"
    assert run.returncode == 2 and "12 frames in " in run.stdout


def test_labels_that_the_output_has_no_letters_for(model: Path, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "labels").write_text("".join(f"日{number}\n" for number in range(10)), encoding="utf-8")
    words = ["run", str(clip), "--model", str(model), "--labels", str(tmp_path / "labels")]
    run = subprocess.run(
        [sys.executable, "-m", "edgecore.cli", *words],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "latin-1"},
    )
    assert (run.returncode, run.stderr) == (0, b"") and rb"best class: \u65e5" in run.stdout


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_closed_output(model: Path, clip: Path, closed: str) -> None:
    command = f'"{sys.executable}" -m edgecore.cli run "{clip}" --model "{model}" {closed}'
    run = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert run.returncode == 0 and run.stderr == ""


def test_damaged_image_in_a_folder_is_skipped_and_told(edgecore: Command, model: Path, photos: Path) -> None:
    (photos / "b.jpg").write_bytes(b"\xff\xd8 no picture")
    run = edgecore("run", photos, "--model", model)
    (line,) = run.stderr.splitlines()
    assert "b.jpg does not decode" in line and line.endswith("; skipped")
    assert run.returncode == 0 and "2 frames in " in run.stdout


def test_labels_that_do_not_fit(edgecore: Command, bare_model: Path, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    run = edgecore("run", clip, "--model", bare_model, "--labels", "labels.txt")
    assert "2 labels do not fit" in complaint(run)


def test_inspect(edgecore: Command, model: Path) -> None:
    run = edgecore("inspect", model)
    assert run.returncode == 0 and run.stderr == ""
    assert "engine: 7 of 7 nodes" in run.stdout and "10 labels" in run.stdout
    report = json.loads(edgecore("inspect", model, "--json", "--no-delegate").stdout)
    assert report["nodes"] == 7 and report["engine_nodes"] == 0 and report["isa"] is None
    assert sum(layer["parameters"] for layer in report["layers"]) == report["parameters"]
    assert report["inputs"][0]["shape"] == [1, 24, 32, 3]


def test_bench(edgecore: Command, model: Path) -> None:
    run = edgecore(
        "bench", model, "--runs", 20, "--warmup", 2, "--compare", "--steps", "--threads", 1, "--json"
    )
    assert run.returncode == 0 and run.stderr == ""
    report = json.loads(run.stdout)
    assert report["runs"] == 20 and report["compare"]["ratio"] > 0 and report["steps"]


def start(*words: object) -> subprocess.Popen[str]:
    program = [sys.executable, "-m", "edgecore.cli", *map(str, words)]
    # What a shell starts in the background ignores Ctrl-C, and so would its children.
    inherited = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, inherited)


def test_ctrl_c_ends_with_a_summary(model: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "many"
    fifo.mkdir()
    whole = tmp_path / "one.png"
    import cv2
    from materials import picture

    cv2.imwrite(str(whole), picture(1))
    for index in range(4000):
        (fifo / f"{index:05}.png").symlink_to(whole)
    process = start("run", fifo, "--model", model)
    assert process.stdout is not None
    for _ in range(20):
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0 and err == ""
    assert " frames in " in out and "best class: " in out


def test_ctrl_c_elsewhere(model: Path) -> None:
    process = start("bench", model, "--seconds", 100)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "edgecore: interrupted\n")


def test_a_reader_that_leaves(model: Path, clip: Path) -> None:
    process = start("run", clip, "--model", model, "--json")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=30) == 141


def test_status_line_on_a_terminal(model: Path, clip: Path) -> None:
    parent, child = os.openpty()
    program = [sys.executable, "-m", "edgecore.cli", "run", str(clip), "--model", str(model)]
    process = subprocess.Popen(program, stdout=child, stderr=subprocess.PIPE)
    os.close(child)
    shown = b""
    while True:
        try:
            part = os.read(parent, 4096)
        except OSError:  # the other side has closed the terminal
            break
        if not part:
            break
        shown += part
    os.close(parent)
    assert process.wait(timeout=30) == 0
    assert shown.count(b"\r") >= 2 and b"  frame 12" in shown and b"12 frames in " in shown
