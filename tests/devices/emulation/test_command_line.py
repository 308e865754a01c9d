"""python -m edgecore.devices.emulation: one line and status 2 for every mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgecore.devices.emulation.__main__ import main


@pytest.fixture(autouse=True)
def no_roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake is found before anything is fetched."""
    monkeypatch.setenv("EDGECORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("edgecore.devices.emulation.programs._SYSTEM_FOLDERS", ())


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("prepare sparc", "sparc is not emulated; choose one of aarch64, armv7l"),
        (
            "run --cpu cortex-a7 python3",
            "no aarch64 core cortex-a7 is emulated; choose one of cortex-a53, cortex-a57, cortex-a72, "
            "cortex-a76, max",
        ),
        (
            "run --arch armv7l --cpu max python3",
            "no armv7l core max is emulated; choose one of cortex-a7, cortex-a15, cortex-a9-no-neon",
        ),
        ("run --arch mips --cpu max python3", "mips is not emulated; choose one of aarch64, armv7l"),
        ("run --cpu max python3", "qemu-aarch64 is not installed; apt-get install qemu-user"),
        ("run --arch armv7l --cpu cortex-a7 python3", "qemu-arm is not installed; apt-get install qemu-user"),
        ("prepare armv7l", "debootstrap is not installed; apt-get install debootstrap"),
        (
            "run --cpu max --env X python3",
            "--env X: not NAME=VALUE; write for instance --env EDGECORE_ISA=neon",
        ),
        ("count --cpu max m.tflite", "m.tflite: no such file; give the path of a .tflite file"),
        ("run --cpu max", "no program to run; end the line with for instance python3 -V"),
        (
            "run --cpu max --bind /x python3",
            "--bind is for --isolated; without it the host's files are seen already",
        ),
    ],
)
def test_a_mistake_is_one_line(words: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split()) == 2
    assert capsys.readouterr().err == f"edgecore: {line}\n"


def test_help_names_the_cores(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "--help"])
    assert ended.value.code == 0
    assert "cortex-a76" in capsys.readouterr().out
