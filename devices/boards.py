"""The boards that edgecore is made for: what their profiles in boards/*.toml say, and which of them this is.

A profile holds facts with their sources. A key whose fact nobody found is left out, and reads as None or ().
"""

from __future__ import annotations

import platform
import struct
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from edgecore.devices import machine
from edgecore.errors import UserError

PROFILES = Path(__file__).with_name("boards")
TIERS = ("scalar", "neon", "dotprod", "i8mm", "avx2", "avxvnni", "avx512vnni")
CAMERAS = ("picamera2", "v4l2", "nvarguscamerasrc")
ARCHITECTURES = ("x86_64", "aarch64", "armv7l")
USERLANDS = (64, 32)  # bits


@dataclass(frozen=True)
class Core:
    """Cores of one kind."""

    name: str
    count: int
    clock_mhz: int  # as the board is delivered, at its highest


@dataclass(frozen=True)
class Cache:
    """One level of data cache."""

    level: int
    kib: int
    cores: int  # that share it


@dataclass(frozen=True)
class Sensors:
    """Files and commands that tell how hot the board is, whether it is throttled, and what it draws.

    Files are patterns; a command is a program's path and its arguments.
    """

    temperature: str | None = None  # millidegrees Celsius
    throttled_command: tuple[str, ...] = ()  # prints the firmware's bits, "throttled=0x50005"
    throttled: str | None = None  # the same bits, in hexadecimal
    overcurrent: str | None = None  # events since the start
    power: tuple[str, ...] = ()
    power_mode_command: tuple[str, ...] = ()  # prints "NV Power Mode: 15W"


@dataclass(frozen=True)
class Board:
    """A profile."""

    id: str  # the file's name
    name: str
    soc: str | None = None
    models: tuple[str, ...] = ()  # patterns of /proc/device-tree/model
    compatible: tuple[str, ...] = ()  # patterns of an entry of /proc/device-tree/compatible
    architecture: str | None = None  # of a generic profile: x86_64, aarch64, armv7l
    cores: tuple[Core, ...] = ()
    caches: tuple[Cache, ...] = ()
    memory_mb: tuple[int, ...] = ()
    tier: Mapping[int, str] = field(default_factory=dict)  # by the userland's bits
    mac_per_cycle: Mapping[str, float] = field(default_factory=dict)  # int8, of one core, by tier
    threads: int | None = None
    cameras: tuple[str, ...] = ()
    sensors: Sensors = Sensors()
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    @property
    def core_count(self) -> int:
        return sum(core.count for core in self.cores)

    def peak_gmacs(self, tier: str, threads: int, clock_mhz: int | None = None) -> float | None:
        """The most int8 multiply-adds, in 10^9 a second, that `threads` cores can do in `tier`.

        Args:
            clock_mhz: what the system says of its clock; None takes the profile's.
        """
        rate = self.mac_per_cycle.get(tier)
        if rate is None or not self.cores:
            return None
        clocks = sorted((core.clock_mhz for core in self.cores for _ in range(core.count)), reverse=True)
        if clock_mhz is not None and len(self.cores) == 1:
            clocks = [clock_mhz] * len(clocks)
        return rate * sum(clocks[:threads]) / 1000


@dataclass(frozen=True)
class Detected:
    """The board that this is, and what says so."""

    board: Board
    how: str


def load_boards(folder: Path = PROFILES) -> tuple[Board, ...]:
    """Every profile: the boards by name, then the generic ones.

    Raises:
        UserError: a profile is wrong; the text names the file and the key.
    """
    boards = [_load(path) for path in folder.glob("*.toml")]
    if not boards:
        raise UserError(f"there are no board profiles in {folder}; install edgecore again")
    return tuple(sorted(boards, key=lambda board: (board.architecture is not None, board.name)))


def find_board(name: str, boards: Sequence[Board]) -> Board:
    """The profile whose file's name or board's name is `name`."""
    wanted = name.casefold()
    for board in boards:
        if wanted in (board.id.casefold(), board.name.casefold()):
            return board
    words = "-".join(wanted.split())
    ids = [board.id for board in boards]
    close = [id for id in ids if words and words in id] or get_close_matches(words, ids, 1)
    advice = f"did you mean {' or '.join(close)}?" if close else "`edgecore devices` lists them"
    raise UserError(f"there is no board {name!r}; {advice}")


def detect(boards: Sequence[Board], root: Path = Path("/"), bits: int | None = None) -> Detected | None:
    """The board that this process runs on, from its device tree, else the generic one of its processor.

    None: there is no profile for this kind of processor.

    Args:
        root: stands for / in tests.
        bits: the userland's; None takes this process's.
    """
    model = next(iter(machine.device_tree(root, "model")), "")
    for board in boards:
        if any(fnmatchcase(model, pattern) for pattern in board.models):
            return Detected(board, f"the device tree's model is {model}")
    for entry in machine.device_tree(root, "compatible"):
        for board in boards:
            if any(fnmatchcase(entry, pattern) for pattern in board.compatible):
                return Detected(board, f"the device tree is compatible with {entry}")
    architecture = _architecture(root, userland_bits() if bits is None else bits)
    found = next((board for board in boards if board.architecture == architecture), None)
    if found is None:
        return None
    processor = machine.identify(root).processor
    if model:
        return Detected(found, f"no profile knows the board {model}; its processor is {processor}")
    return Detected(found, f"there is no device tree; the processor is {processor}")


def userland_bits() -> int:
    """64 or 32: the width of this process, which may be less than the kernel's."""
    return struct.calcsize("P") * 8


def _architecture(root: Path, bits: int) -> str:
    """Not the kernel's word for it: a 32-bit system may run on a 64-bit kernel."""
    fields = machine.cpu_fields(root)
    if "CPU implementer" in fields:
        return "aarch64" if bits == 64 else "armv7l"
    return "x86_64" if "vendor_id" in fields and bits == 64 else platform.machine()


class _Table:
    """A table of a profile; what is taken out of it is checked, and nothing may be left over."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self.values = dict(values)
        self.where = where

    def fail(self, key: str, complaint: str) -> UserError:
        return UserError(f"{self.where}: {key} {complaint}")

    def take(
        self, key: str, kind: type[Any] | tuple[type[Any], ...], what: str, required: bool = False
    ) -> Any:
        value = self.values.pop(key, None)
        if value is None:
            if required:
                raise self.fail(key, "is missing; add it")
            return None
        # bool is an int to Python, and "" says nothing.
        if not isinstance(value, kind) or isinstance(value, bool) or value == "":
            raise self.fail(key, f"is {value!r}; it must be {what}")
        return value

    def text(self, key: str, required: bool = False) -> Any:
        return self.take(key, str, "a text", required)

    def count(self, key: str, required: bool = False) -> Any:
        value = self.take(key, int, "a whole number above 0", required)
        if value is not None and value < 1:
            raise self.fail(key, f"is {value}; it must be a whole number above 0")
        return value

    def items(self, key: str, kind: type[Any], what: str) -> tuple[Any, ...]:
        values = self.take(key, list, f"a list of {what}") or []
        for value in values:
            if not isinstance(value, kind) or value in ("", 0):
                raise self.fail(key, f"holds {value!r}; it must be a list of {what}")
        return tuple(values)

    def texts(self, key: str) -> tuple[str, ...]:
        return self.items(key, str, "texts")

    def table(self, key: str) -> _Table:
        return _Table(self.take(key, dict, "a table") or {}, f"{self.where} [{key}]")

    def tables(self, key: str) -> list[_Table]:
        values = self.items(key, dict, "tables")
        return [_Table(value, f"{self.where} [[{key}]] {number + 1}") for number, value in enumerate(values)]

    def choice(self, key: str, value: str, choices: Sequence[str]) -> str:
        if value not in choices:
            raise self.fail(key, f"is {value!r}; it must be one of {', '.join(choices)}")
        return value

    def end(self) -> None:
        for key in self.values:
            raise self.fail(key, "is no key of a board profile; take it out")


def _load(path: Path) -> Board:
    try:
        top = _Table(tomllib.loads(path.read_text(encoding="utf-8")), path.name)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path.name}: {error}; it must be a TOML file") from None
    board = Board(
        id=path.stem,
        name=top.text("name", required=True),
        soc=top.text("soc"),
        models=top.texts("models"),
        compatible=top.texts("compatible"),
        architecture=top.text("architecture"),
        cores=tuple(_core(table) for table in top.tables("cores")),
        caches=tuple(_cache(table) for table in top.tables("caches")),
        memory_mb=top.items("memory_mb", int, "whole numbers above 0"),
        tier=_tiers(top.table("tier")),
        mac_per_cycle=_rates(top.table("mac_per_cycle")),
        threads=top.count("threads"),
        cameras=tuple(top.choice("cameras", name, CAMERAS) for name in top.texts("cameras")),
        sensors=_sensors(top.table("sensors")),
        notes=top.texts("notes"),
        sources=top.texts("sources"),
    )
    top.end()
    if board.architecture:
        top.choice("architecture", board.architecture, ARCHITECTURES)
    if bool(board.architecture) == bool(board.models or board.compatible):
        raise UserError(
            f"{path.name}: give either models and compatible, or the architecture of a generic one"
        )
    if board.cores and board.threads and board.threads > board.core_count:
        raise top.fail("threads", f"is {board.threads}; the board has {board.core_count} cores")
    for bits, tier in board.tier.items():
        if board.mac_per_cycle and tier not in board.mac_per_cycle:
            raise top.fail("mac_per_cycle", f"has no figure for {tier}, the tier of {bits} bits; add it")
    return board


def _core(table: _Table) -> Core:
    core = Core(table.text("name", True), table.count("count", True), table.count("clock_mhz", True))
    table.end()
    return core


def _cache(table: _Table) -> Cache:
    cache = Cache(table.count("level", True), table.count("kib", True), table.count("cores", True))
    table.end()
    return cache


def _tiers(table: _Table) -> dict[int, str]:
    found = {bits: table.text(f"bits{bits}") for bits in USERLANDS}
    table.end()
    return {bits: table.choice(f"bits{bits}", tier, TIERS) for bits, tier in found.items() if tier}


def _rates(table: _Table) -> dict[str, float]:
    found = {tier: table.take(tier, (int, float), "a number above 0") for tier in TIERS}
    table.end()
    for tier, rate in found.items():
        if rate is not None and rate <= 0:
            raise table.fail(tier, f"is {rate}; it must be a number above 0")
    return {tier: float(rate) for tier, rate in found.items() if rate is not None}


def _sensors(table: _Table) -> Sensors:
    sensors = Sensors(
        temperature=table.text("temperature"),
        throttled_command=table.texts("throttled_command"),
        throttled=table.text("throttled"),
        overcurrent=table.text("overcurrent"),
        power=table.texts("power"),
        power_mode_command=table.texts("power_mode_command"),
    )
    table.end()
    return sensors
