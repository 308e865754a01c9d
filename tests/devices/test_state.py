"""devices/state: heat and throttling, from copies of the files and programs that tell of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from roots import program, write

from edgecore.devices import state
from edgecore.devices.boards import find_board, load_boards

BOARDS = load_boards()
PI = find_board("raspberry-pi-4", BOARDS)
ORIN = find_board("jetson-orin-nano", BOARDS)
FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
COOLING = "sys/class/thermal/cooling_device0"


def test_a_system_that_says_nothing(tmp_path: Path) -> None:
    found = state.read(PI, tmp_path)
    assert (found.temperature_celsius, found.throttled, found.earlier, found.power_mode) == (
        None,
        None,
        (),
        None,
    )
    assert state.read(None, tmp_path) == found


@pytest.mark.parametrize(
    ("bits", "now", "earlier"),
    [
        ("0", [], []),
        ("50005", ["voltage is too low", "clock is throttled"], []),
        ("50000", [], ["voltage is too low", "clock is throttled"]),
        ("80008", ["soft temperature limit"], []),
        ("20002", ["clock is capped"], []),
    ],
)
def test_bits_of_the_raspberry_pis_firmware(
    tmp_path: Path, bits: str, now: list[str], earlier: list[str]
) -> None:
    by_file = state.read(PI, write(tmp_path / "file", {FIRMWARE: f"{bits}\n"}))
    program(tmp_path / "program/usr/bin/vcgencmd", f"throttled=0x{bits}")
    by_program = state.read(PI, tmp_path / "program")
    for found in (by_file, by_program):
        assert found.throttled is not None and len(found.throttled) == len(now)
        assert all(text in shown for text, shown in zip(now, found.throttled, strict=True))
        assert len(found.earlier) == len(earlier)
        assert all(text in shown for text, shown in zip(earlier, found.earlier, strict=True))


def test_the_program_comes_before_the_file_that_the_kernel_deprecates(tmp_path: Path) -> None:
    write(tmp_path, {FIRMWARE: "1\n"})
    program(tmp_path / "usr/bin/vcgencmd", "throttled=0x0")
    assert state.read(PI, tmp_path).throttled == ()
    program(tmp_path / "usr/bin/vcgencmd", "VCHI initialization failed", status=255)
    assert state.read(PI, tmp_path).throttled == ("the supply's voltage is too low",)


def test_nonsense_is_no_state(tmp_path: Path) -> None:
    assert state.read(PI, write(tmp_path, {FIRMWARE: "broken\n"})).throttled is None


@pytest.mark.parametrize(("step", "count"), [("0", 0), ("3", 1)])
def test_linux_cools_by_the_clock(tmp_path: Path, step: str, count: int) -> None:
    write(
        tmp_path,
        {
            f"{COOLING}/type": "cpufreq-cpu0\n",
            f"{COOLING}/cur_state": f"{step}\n",
            f"{COOLING}/max_state": "9\n",
            "sys/class/thermal/cooling_device1/type": "pwm-fan\n",
            "sys/class/thermal/cooling_device1/cur_state": "255\n",
        },
    )
    throttled = state.read(ORIN, tmp_path).throttled
    assert throttled is not None and len(throttled) == count
    assert all("step 3 of 9" in text for text in throttled)


def test_a_jetsons_counters_and_power_mode(tmp_path: Path) -> None:
    hwmon = "sys/class/hwmon/hwmon3"
    write(
        tmp_path,
        {
            f"{hwmon}/oc1_event_cnt": "0\n",
            f"{hwmon}/oc3_event_cnt": "37\n",
            "sys/class/thermal/thermal_zone0/temp": "51250\n",
        },
    )
    program(tmp_path / "usr/sbin/nvpmodel", "NV Power Mode: 15W\n0")
    found = state.read(ORIN, tmp_path)
    assert found.temperature_celsius == 51.25 and found.power_mode == "15W"
    assert found.earlier == ("over-current or low voltage 37 times (oc3)",)
    assert found.to_json()["power_mode"] == "15W"
