"""Which machine this is, as Linux tells it: the facts that a figure needs beside it.

Sources: /proc/device-tree/model (Documentation/devicetree in the kernel's tree), /proc/cpuinfo,
/sys/devices/system/cpu/cpu*/cpufreq and /sys/class/thermal (admin-guide and driver-api of the same).
"""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

# Arm's and NVIDIA's part numbers (MIDR_EL1) of the cores on the boards that edgecore is made for.
_CORES = {
    ("0x41", "0xc07"): "Cortex-A7",
    ("0x41", "0xd03"): "Cortex-A53",
    ("0x41", "0xd05"): "Cortex-A55",
    ("0x41", "0xd07"): "Cortex-A57",
    ("0x41", "0xd08"): "Cortex-A72",
    ("0x41", "0xd0b"): "Cortex-A76",
    ("0x41", "0xd0c"): "Neoverse-N1",
    ("0x41", "0xd42"): "Cortex-A78AE",
    ("0x4e", "0x003"): "Denver 2",
    ("0x4e", "0x004"): "Carmel",
}


@dataclass(frozen=True)
class Machine:
    """What a latency depends on besides the model. None: the system does not say."""

    name: str  # the board, else the processor
    processor: str
    architecture: str  # x86_64, aarch64, armv7l
    cores: int  # that this process may use
    clock_mhz: int | None  # the highest that the processor may run at
    governor: str | None  # of the first core
    memory_bytes: int | None
    system: str  # distribution and kernel

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    def __str__(self) -> str:
        parts = [self.name] if self.processor == self.name else [self.name, self.processor]
        parts.append(f"{self.cores} {'core' if self.cores == 1 else 'cores'}")
        if self.clock_mhz:
            parts.append(f"{self.clock_mhz} MHz")
        if self.governor:
            parts.append(f"governor {self.governor}")
        return ", ".join([*parts, self.system])


def identify(root: Path = Path("/")) -> Machine:
    """The machine that this process runs on. `root` stands for / in tests."""
    processor = _processor(root)
    frequency = root / "sys/devices/system/cpu/cpu0/cpufreq"
    clock = text(frequency / "cpuinfo_max_freq")
    return Machine(
        name=next(iter(device_tree(root, "model")), processor),
        processor=processor,
        architecture=platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        clock_mhz=int(clock) // 1000 if clock and clock.isdigit() else None,
        governor=text(frequency / "scaling_governor"),
        memory_bytes=_memory(root),
        system=_system(root),
    )


def temperature(root: Path = Path("/")) -> float | None:
    """The hottest thermal zone in degrees Celsius, or None where there is no sensor."""
    readings = []
    for zone in sorted((root / "sys/class/thermal").glob("thermal_zone*")):
        millidegrees = integer(zone / "temp")
        # A zone whose sensor is off reads as 0 or as a large negative number.
        if millidegrees and 0 < millidegrees < 200_000:
            readings.append(millidegrees / 1000)
    return max(readings, default=None)


def text(path: Path) -> str | None:
    """The stripped text of a file of the kernel's, or None. Device-tree strings end in a NUL."""
    try:
        return path.read_bytes().decode(errors="replace").strip("\0\n ") or None
    except OSError:
        return None


def integer(path: Path) -> int | None:
    """The number in a file of the kernel's, or None."""
    try:
        return int(text(path) or "")
    except ValueError:
        return None


def device_tree(root: Path, name: str) -> list[str]:
    """The strings of a property of the device tree's root, "model" or "compatible"; none without a tree."""
    return [string for string in (text(root / "proc/device-tree" / name) or "").split("\0") if string]


def cpu_fields(root: Path = Path("/")) -> dict[str, str]:
    """The first core's lines of /proc/cpuinfo."""
    fields: dict[str, str] = {}
    for key, value in _cpu_lines(root):
        fields.setdefault(key, value)
    return fields


def _cpu_lines(root: Path) -> list[tuple[str, str]]:
    lines = (text(root / "proc/cpuinfo") or "").splitlines()
    return [(key.strip(), value.strip()) for key, _, value in (line.partition(":") for line in lines)]


def _processor(root: Path) -> str:
    fields = cpu_fields(root)
    parts = [
        (fields.get("CPU implementer", ""), value) for key, value in _cpu_lines(root) if key == "CPU part"
    ]
    names = [_CORES[part] for part in dict.fromkeys(parts) if part in _CORES]
    if names:
        return " + ".join(names)
    name = " ".join(fields.get("model name", "").split())
    return name or platform.processor() or platform.machine()


def _memory(root: Path) -> int | None:
    for line in (text(root / "proc/meminfo") or "").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return None


def _system(root: Path) -> str:
    kernel = f"Linux {platform.release()}"
    for line in (text(root / "etc/os-release") or "").splitlines():
        if line.startswith("PRETTY_NAME="):
            return f"{line.partition('=')[2].strip(chr(34))}, {kernel}"
    return kernel
