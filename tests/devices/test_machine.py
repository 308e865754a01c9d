"""devices/machine: what the kernel's files say of a board, from copies of such files and on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from roots import write

from edgecore.devices import machine

PI_5_CPU = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x4
CPU part\t: 0xd0b
CPU revision\t: 1

"""


def test_a_board_is_named_by_its_device_tree(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
            "proc/cpuinfo": PI_5_CPU * 4,
            "proc/meminfo": "MemTotal:        8245456 kB\nMemFree: 1 kB\n",
            "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "2400000\n",
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
            "etc/os-release": 'NAME="x"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
        },
    )
    found = machine.identify(root)
    assert found.name == "Raspberry Pi 5 Model B Rev 1.0"
    assert found.processor == "Cortex-A76"
    assert (found.clock_mhz, found.governor) == (2400, "ondemand")
    assert found.memory_bytes == 8245456 * 1024
    assert found.system.startswith("Debian GNU/Linux 12 (bookworm), Linux ")
    assert "Raspberry Pi 5 Model B Rev 1.0, Cortex-A76, " in str(found)
    assert "2400 MHz, governor ondemand" in str(found)


def test_unlike_cores_are_all_named(tmp_path: Path) -> None:
    big = PI_5_CPU.replace("0xd0b", "0xd07")
    little = PI_5_CPU.replace("0xd0b", "0xd03")
    root = write(tmp_path, {"proc/cpuinfo": little + big + little})
    assert machine.identify(root).processor == "Cortex-A53 + Cortex-A57"


def test_a_system_that_says_nothing_is_still_described(tmp_path: Path) -> None:
    found = machine.identify(tmp_path)
    assert found.name == found.processor != ""
    assert (found.clock_mhz, found.governor, found.memory_bytes) == (None, None, None)


@pytest.mark.parametrize(
    ("zones", "expected"),
    [
        ({}, None),
        ({"0": "48312\n", "1": "51000\n"}, 51.0),
        ({"0": "-274000\n"}, None),
        ({"0": "broken"}, None),
    ],
)
def test_temperature_is_the_hottest_zone_that_works(
    tmp_path: Path, zones: dict[str, str], expected: float | None
) -> None:
    root = write(
        tmp_path, {f"sys/class/thermal/thermal_zone{zone}/temp": text for zone, text in zones.items()}
    )
    assert machine.temperature(root) == expected


def test_this_machine() -> None:
    found = machine.identify()
    assert found.cores == len(os.sched_getaffinity(0))
    assert found.memory_bytes is not None and found.memory_bytes > 2**26
    assert found.to_json()["architecture"] == os.uname().machine
