"""devices/boards: what every profile must hold, real boards that are found, and wrong profiles."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from roots import A53, A76, REAL, X86, board

from edgecore.devices.boards import PROFILES, Board, detect, find_board, load_boards
from edgecore.errors import UserError

BOARDS = load_boards()
KNOWN = [item for item in BOARDS if not item.architecture]
IDS = {item.id for item in KNOWN}


def profile(name: str) -> Board:
    return find_board(name, BOARDS)


def test_the_boards_that_edgecore_is_made_for() -> None:
    assert {
        "raspberry-pi-zero-2-w",
        "raspberry-pi-3",
        "raspberry-pi-4",
        "raspberry-pi-5",
        "jetson-nano",
        "jetson-xavier-nx",
        "jetson-orin-nano",
    } == IDS
    assert [item.architecture for item in BOARDS if item.architecture] == ["armv7l", "aarch64", "x86_64"]
    assert len(list(PROFILES.glob("*.toml"))) == len(BOARDS)


@pytest.mark.parametrize("item", KNOWN, ids=lambda item: item.id)
def test_a_profile_is_complete(item: Board) -> None:
    assert item.soc and item.models and item.compatible and item.cores and item.memory_mb and item.cameras
    assert item.threads == item.core_count and item.tier[64] in ("neon", "dotprod")
    assert [cache.level for cache in item.caches] == list(range(1, len(item.caches) + 1))
    assert len(item.sources) > 2 and all(source.startswith("https://") for source in item.sources)
    sensors = item.sensors
    files = [sensors.temperature, sensors.throttled, sensors.overcurrent, *sensors.power]
    assert all(name.startswith("/sys/") for name in files if name)
    assert sensors.temperature and sensors.power
    if item.id != "jetson-xavier-nx":  # nobody has published Carmel's pipes
        assert item.peak_gmacs(item.tier[64], item.core_count)


def test_only_cores_with_the_dot_product_are_expected_to_use_it() -> None:
    assert {item.id for item in KNOWN if item.tier[64] == "dotprod"} == {"raspberry-pi-5", "jetson-orin-nano"}
    assert {item.tier[32] for item in KNOWN if 32 in item.tier} == {"neon"}


@pytest.mark.parametrize(("model", "compatible", "cpu", "expected"), REAL, ids=[row[0] for row in REAL])
def test_real_boards(tmp_path: Path, model: str, compatible: str, cpu: str, expected: str) -> None:
    found = detect(BOARDS, board(tmp_path / "both", model, compatible, cpu), 64)
    assert found is not None and found.board.id == expected and model in found.how
    other = detect(BOARDS, board(tmp_path / "compatible", "A carrier of our own", compatible, cpu), 64)
    assert (
        other is not None and other.board.id == expected and compatible.split()[0].split(",")[0] in other.how
    )
    matching = [item.id for item in BOARDS if any(fnmatchcase(model, pattern) for pattern in item.models)]
    assert matching == [expected]


@pytest.mark.parametrize(
    ("model", "compatible"),
    [
        ("NVIDIA Orin NX Developer Kit", "nvidia,p3768-0000+p3767-0000 nvidia,p3767-0000 nvidia,tegra234"),
        (
            "NVIDIA Jetson AGX Orin Developer Kit",
            "nvidia,p3737-0000+p3701-0005 nvidia,p3701-0005 nvidia,tegra234",
        ),
        ("Raspberry Pi 2 Model B Rev 1.2", "raspberrypi,2-model-b brcm,bcm2836"),
        ("Radxa ROCK 5B", "radxa,rock-5b rockchip,rk3588"),
    ],
)
def test_a_board_without_a_profile_is_a_generic_one(tmp_path: Path, model: str, compatible: str) -> None:
    found = detect(BOARDS, board(tmp_path, model, compatible, A76), 64)
    assert found is not None and found.board.id == "generic-arm64"
    assert found.how == f"no profile knows the board {model}; its processor is Cortex-A76"


@pytest.mark.parametrize(
    ("cpu", "bits", "expected"),
    [(A53, 64, "generic-arm64"), (A53, 32, "generic-arm32"), (X86, 64, "generic-x86")],
)
def test_without_a_device_tree_the_processor_decides(
    tmp_path: Path, cpu: str, bits: int, expected: str
) -> None:
    found = detect(BOARDS, board(tmp_path, "", "", cpu), bits)
    assert found is not None and found.board.id == expected
    assert found.how.startswith("there is no device tree; the processor is ")


def test_another_kind_of_processor_has_no_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert detect(BOARDS, tmp_path) is None


def test_peak() -> None:
    pi = profile("raspberry-pi-5")
    assert pi.peak_gmacs("dotprod", 4) == pytest.approx(307.2)
    assert pi.peak_gmacs("dotprod", 1) == pytest.approx(76.8)
    assert pi.peak_gmacs("neon", 9) == pytest.approx(76.8)  # there are no more than four
    assert pi.peak_gmacs("dotprod", 2, clock_mhz=1000) == pytest.approx(64.0)
    assert pi.peak_gmacs("i8mm", 4) is None
    assert profile("jetson-xavier-nx").peak_gmacs("neon", 6) is None
    assert profile("generic-arm64").peak_gmacs("neon", 4) is None


def test_finding_by_name() -> None:
    assert profile("Raspberry Pi 5") is profile("RASPBERRY-PI-5")
    for name, hint in (
        ("orin nano", "did you mean jetson-orin-nano?"),
        ("raspbery-pi-4", "did you mean raspberry-pi-4?"),
        ("vax", "`edgecore devices` lists them"),
    ):
        with pytest.raises(UserError) as error:
            profile(name)
        assert str(error.value) == f"there is no board {name!r}; {hint}"


GOOD = """
name = "Test board"
models = ["Test*"]
threads = 2
[[cores]]
name = "Cortex-A53"
count = 2
clock_mhz = 1000
[tier]
bits64 = "neon"
[mac_per_cycle]
neon = 5.33
"""


def one_line(folder: Path, text: str) -> str:
    (folder / "test.toml").write_text(text)
    with pytest.raises(UserError) as error:
        load_boards(folder)
    message = str(error.value)
    assert "\n" not in message and message.startswith("test.toml"), message
    return message.removeprefix("test.toml")


def test_a_profile_of_the_smallest_kind(tmp_path: Path) -> None:
    (tmp_path / "test.toml").write_text(GOOD)
    (item,) = load_boards(tmp_path)
    assert (item.id, item.core_count, item.tier, item.soc) == ("test", 2, {64: "neon"}, None)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "Test board"', "", ": name is missing; add it"),
        ('name = "Test board"', "name = 5", ": name is 5; it must be a text"),
        (
            'name = "Test board"',
            'name = "Test board"\ncolour = "red"',
            ": colour is no key of a board profile",
        ),
        ('models = ["Test*"]', 'models = "Test*"', ": models is 'Test*'; it must be a list of texts"),
        ('models = ["Test*"]', "models = [7]", ": models holds 7; it must be a list of texts"),
        ('models = ["Test*"]', "", ": give either models and compatible, or the architecture"),
        ('models = ["Test*"]', 'architecture = "vax"', ": architecture is 'vax'; it must be one of x86_64"),
        ("threads = 2", "threads = 0", ": threads is 0; it must be a whole number above 0"),
        ("threads = 2", "threads = true", ": threads is True; it must be a whole number above 0"),
        ("threads = 2", "threads = 3", ": threads is 3; the board has 2 cores"),
        ("count = 2\n", "", " [[cores]] 1: count is missing; add it"),
        ("clock_mhz = 1000", 'clock_mhz = "fast"', " [[cores]] 1: clock_mhz is 'fast'"),
        ("clock_mhz = 1000", "clock_mhz = 1000\ncache = 3", " [[cores]] 1: cache is no key"),
        ('bits64 = "neon"', 'bits64 = "sse"', " [tier]: bits64 is 'sse'; it must be one of scalar, neon"),
        ('bits64 = "neon"', 'bits16 = "neon"', " [tier]: bits16 is no key"),
        ("neon = 5.33", "neon = -1", " [mac_per_cycle]: neon is -1; it must be a number above 0"),
        ("neon = 5.33", "dotprod = 32", ": mac_per_cycle has no figure for neon, the tier of 64 bits"),
        ("threads = 2", 'threads = 2\ncameras = ["eye"]', ": cameras is 'eye'; it must be one of picamera2"),
        ("neon = 5.33", "neon = 5.33\n[sensors]\nheat = 1", " [sensors]: heat is no key"),
        ("threads = 2", "threads = ", ": Invalid value"),
    ],
)
def test_a_wrong_profile_gets_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    assert one_line(tmp_path, GOOD.replace(old, new)).startswith(message)


def test_a_folder_without_profiles(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there are no board profiles in .*; install edgecore again"):
        load_boards(tmp_path)
