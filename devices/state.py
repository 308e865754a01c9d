"""How the board is now: how hot, whether it is throttled and by what, in which power mode."""

from __future__ import annotations

import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from edgecore.devices import machine
from edgecore.devices.boards import Board

# Bits of the Raspberry Pi's firmware; 16 places higher the same since the start.
# https://www.raspberrypi.com/documentation/computers/os.html#get_throttled
_FIRMWARE = {
    0: "the supply's voltage is too low",
    1: "the clock is capped",
    2: "the clock is throttled",
    3: "the soft temperature limit is reached",
}
_SINCE_START = 16


@dataclass(frozen=True)
class State:
    """None where the system does not say."""

    temperature_celsius: float | None
    throttled: tuple[str, ...] | None  # what slows the board down now; () nothing does
    earlier: tuple[str, ...]  # what did since the start
    power_mode: str | None

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def read(board: Board | None, root: Path = Path("/")) -> State:
    """The state of this board. `root` stands for / in tests."""
    now: list[str] = []
    earlier: list[str] = []
    bits = _firmware_bits(board, root) if board else None
    cooling = _cooling(root)
    if bits is not None:
        now += [text for bit, text in _FIRMWARE.items() if bits >> bit & 1]
        earlier += [text for bit, text in _FIRMWARE.items() if bits >> (bit + _SINCE_START) & 1]
    now += cooling or []
    if board and board.sensors.overcurrent:
        for file in _files(root, board.sensors.overcurrent):
            count = machine.integer(file)
            if count:
                times = "time" if count == 1 else "times"
                earlier.append(f"over-current or low voltage {count} {times} ({file.name.split('_')[0]})")
    known = bits is not None or cooling is not None
    return State(
        temperature_celsius=machine.temperature(root),
        throttled=tuple(now) if known else None,
        earlier=tuple(text for text in earlier if text not in now),
        power_mode=_power_mode(board, root) if board else None,
    )


def _files(root: Path, pattern: str) -> list[Path]:
    return sorted(root.glob(pattern.lstrip("/")))


def _firmware_bits(board: Board, root: Path) -> int | None:
    """The command comes first: the file makes newer kernels write a warning into their log."""
    output = _output(board.sensors.throttled_command, root)
    if output is None and board.sensors.throttled:
        output = next((machine.text(file) for file in _files(root, board.sensors.throttled)), None)
    try:
        return int((output or "").rpartition("=")[2], 16)
    except ValueError:
        return None


def _cooling(root: Path) -> list[str] | None:
    """Processors whose clock Linux lowers because of their heat (driver-api/thermal/sysfs-api.rst in the
    kernel's documentation). None: this system has no such cooling."""
    found = None
    for device in _files(root, "sys/class/thermal/cooling_device*"):
        kind = machine.text(device / "type") or ""
        if "cpufreq" not in kind and kind != "Processor":
            continue
        found = [] if found is None else found
        step, last = machine.integer(device / "cur_state"), machine.integer(device / "max_state")
        if step:
            found.append(f"Linux cools the processor by its clock, step {step} of {last} ({device.name})")
    return found


def _power_mode(board: Board, root: Path) -> str | None:
    for line in (_output(board.sensors.power_mode_command, root) or "").splitlines():
        name, _, mode = line.partition(":")
        if name.strip() == "NV Power Mode":
            return mode.strip() or None
    return None


def _output(command: tuple[str, ...], root: Path) -> str | None:
    """What a program of the board prints, or None where it is missing, refuses or hangs."""
    if not command:
        return None
    program = root / command[0].lstrip("/")
    try:
        done = subprocess.run(
            [str(program), *command[1:]], capture_output=True, text=True, timeout=2, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
