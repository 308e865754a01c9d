"""`edgecore devices`: the listing, the tier and why, and what a user should do, on this machine and on boards
whose files are copies."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import roots

from edgecore.cli.devices import Here, Tiers, advice, facts, listing, look, profile, reason
from edgecore.devices.boards import Board, load_boards
from edgecore.kernels import cpu

Command = Callable[..., subprocess.CompletedProcess[str]]

BOARDS = load_boards()
ARM = ("scalar", "neon", "dotprod", "i8mm")
ARM32 = ("scalar", "neon")


def tiers(compiled: Sequence[str], best: str, forced: str | None = None, bits: int = 64) -> Tiers:
    available = compiled[: compiled.index(best) + 1]
    return Tiers(compiled, available, forced or best, forced is not None, bits)


def here(root: Path, which: str, has: Tiers, cores: int = 4) -> Here:
    model, compatible, cpuinfo, _ = next(row for row in roots.REAL if row[0].startswith(which))
    return look(BOARDS, has, cores, roots.board(root, model, compatible, cpuinfo, cores))


@pytest.mark.parametrize(
    ("has", "expected"),
    [
        (
            tiers(ARM, "dotprod"),
            "dotprod: this CPU has asimddp and no i8mm; EDGECORE_ISA can force scalar, neon, dotprod",
        ),
        (
            tiers(ARM, "neon"),
            "neon: this CPU has NEON and no asimddp and no i8mm; EDGECORE_ISA can force scalar, neon",
        ),
        (tiers(ARM, "i8mm"), "i8mm: this CPU has i8mm; EDGECORE_ISA can force scalar, neon, dotprod, i8mm"),
        (tiers(ARM32, "scalar"), "scalar: this CPU has no NEON; EDGECORE_ISA can force scalar"),
        (
            tiers(("scalar",), "scalar"),
            "scalar: the library has no other for this CPU; EDGECORE_ISA can force scalar",
        ),
        (tiers(ARM, "dotprod", forced="neon"), "neon: EDGECORE_ISA forces it, this CPU could run dotprod"),
        (
            tiers(ARM, "neon", forced="neon"),
            "neon: EDGECORE_ISA forces it, which this CPU takes by itself too",
        ),
    ],
)
def test_the_tier_and_why(has: Tiers, expected: str) -> None:
    assert reason(has) == expected


def test_a_board_as_it_should_be(tmp_path: Path) -> None:
    found = here(tmp_path, "Raspberry Pi 5", tiers(ARM, "dotprod"))
    assert advice(found) == []
    shown = listing(BOARDS, found)
    marked = [line for line in shown.splitlines() if line.startswith("*  ")]
    assert len(marked) == 1 and marked[0].split()[1] == "raspberry-pi-5" and " 307 " in marked[0]
    assert "board: Raspberry Pi 5; the device tree's model is Raspberry Pi 5 Model B Rev 1.0" in shown
    assert "cores: 4 usable, 4 threads recommended, pages of " in shown
    assert "temperature: unknown; throttled: unknown" in shown


@pytest.mark.parametrize(
    ("which", "has", "cores", "expected"),
    [
        (
            "Raspberry Pi 5",
            tiers(ARM, "dotprod", forced="scalar"),
            4,
            "unset EDGECORE_ISA to run dotprod again",
        ),
        ("Raspberry Pi 5", tiers(ARM32, "neon", bits=32), 4, "it runs dotprod instead of neon"),
        ("Raspberry Pi 4", tiers(ARM32, "neon", bits=32), 4, "it runs neon with twice the registers"),
        (
            "Raspberry Pi 5",
            tiers(ARM, "neon"),
            4,
            "should run dotprod, but the kernel does not report asimddp",
        ),
        ("Raspberry Pi 4", tiers(ARM, "dotprod"), 4, "expects only neon; edgecore takes the better dotprod"),
        (
            "NVIDIA Jetson Nano",
            tiers(ARM, "neon"),
            2,
            "only 2 of 4 cores may be used; see `sudo nvpmodel -m 0`",
        ),
        ("Raspberry Pi 3", tiers(ARM, "neon"), 1, "only 1 of 4 cores may be used; see taskset"),
    ],
)
def test_what_is_not_as_it_should_be(
    tmp_path: Path, which: str, has: Tiers, cores: int, expected: str
) -> None:
    (line,) = advice(here(tmp_path, which, has, cores))
    assert expected in line
    assert f"note: {line}" in listing(BOARDS, here(tmp_path, which, has, cores))


def test_a_throttled_board(tmp_path: Path) -> None:
    roots.program(tmp_path / "usr/bin/vcgencmd", "throttled=0x50004")
    roots.write(tmp_path, {"sys/class/thermal/thermal_zone0/temp": "84200\n"})
    found = here(tmp_path, "Raspberry Pi 4", tiers(ARM, "neon"))
    shown = listing(BOARDS, found)
    assert (
        "temperature: 84 °C; throttled: the clock is throttled; since the start: the supply's voltage"
        in shown
    )
    assert "cool it" in advice(found)[0]


def test_a_machine_that_edgecore_does_not_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    found = look(BOARDS, tiers(("scalar",), "scalar"), 1, tmp_path)
    assert found.board is None and "board: none of these" in listing(BOARDS, found)
    assert "1 thread recommended" in listing(BOARDS, found)
    assert facts(BOARDS, found)["board"] is None


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.id)
def test_every_profile_in_full(board: Board) -> None:
    shown = profile(board)
    for key in ("tier", "sources", "cores, MHz") if board.cores else ("camera",):
        assert f"\n{key} " in shown
    assert all(line == line.rstrip() for line in shown.splitlines())


def test_the_command_here(edgecore: Command) -> None:
    run = edgecore("devices")
    assert run.returncode == 0 and run.stderr == ""
    assert f"\ntier: {cpu.available_isas()[-1]}: " in run.stdout and "\n* this machine: " in run.stdout
    answer = json.loads(edgecore("devices", "--json", EDGECORE_ISA="scalar").stdout)
    assert (answer["tier"], answer["forced"], answer["cores"]) == ("scalar", True, cpu.cores())
    assert [board["id"] for board in answer["boards"]] == [board.id for board in BOARDS]


def test_one_profile(edgecore: Command) -> None:
    assert "Cortex-A76 2400" in edgecore("devices", "raspberry-pi-5").stdout
    assert json.loads(edgecore("devices", "Jetson Nano", "--json").stdout)["cores"][0]["name"] == "Cortex-A57"


@pytest.mark.parametrize(
    ("words", "environment", "message"),
    [
        (("vax",), {}, "there is no board 'vax'; `edgecore devices` lists them"),
        ((), {"EDGECORE_ISA": "mmx"}, 'EDGECORE_ISA "mmx" is unknown; this machine has: scalar'),
    ],
)
def test_mistakes(
    edgecore: Command, words: tuple[str, ...], environment: dict[str, str], message: str
) -> None:
    run = edgecore("devices", *words, **environment)
    assert run.returncode == 2 and run.stdout == ""
    assert len(run.stderr.splitlines()) == 1 and message in run.stderr


def test_the_command_needs_neither_numpy_nor_opencv() -> None:
    program = [sys.executable, "-X", "importtime", "-m", "edgecore.cli", "devices"]
    run = subprocess.run(program, capture_output=True, text=True, check=True)
    imported = {line.rsplit("|", 1)[-1].strip() for line in run.stderr.splitlines()}
    assert not [
        name for name in imported if name.startswith(("numpy", "cv2", "tflite_runtime", "ai_edge_litert"))
    ]
