"""`edgecore devices`: the boards that edgecore knows, which of them this is, and the tier in use."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgecore.errors import UserError

if TYPE_CHECKING:
    from edgecore.devices.boards import Board, Cache, Detected
    from edgecore.devices.state import State

HELP = "list the boards that edgecore knows, this one marked, with the tier in use and why"

# What a processor needs for a tier, as Linux calls it.
FEATURES = {
    "neon": "NEON",
    "dotprod": "asimddp",
    "i8mm": "i8mm",
    "avx2": "AVX2",
    "avxvnni": "AVX-VNNI",
    "avx512vnni": "AVX512-VNNI",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `edgecore devices`."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="show everything that is known of this board")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


@dataclass(frozen=True)
class Tiers:
    """The tiers of the library, weakest first, and the one that an engine takes."""

    compiled: Sequence[str]
    available: Sequence[str]  # that this CPU can run
    selected: str
    forced: bool  # by $EDGECORE_ISA
    bits: int  # of the userland

    @property
    def best(self) -> str:
        return self.available[-1]


@dataclass(frozen=True)
class Here:
    """This machine, with what a user should know of it."""

    detected: Detected | None
    tiers: Tiers
    machine: str
    cores: int  # usable
    threads: int  # recommended
    page_kib: int
    state: State

    @property
    def board(self) -> Board | None:
        return self.detected.board if self.detected else None


def tiers_here() -> Tiers:
    """Those of this process.

    Raises:
        UserError: $EDGECORE_ISA names none that this CPU can run.
    """
    from edgecore.devices.boards import userland_bits
    from edgecore.kernels import cpu

    try:
        selected = cpu.selected_isa()
    except ValueError as error:
        raise UserError(f"{error}; take one of these, or unset EDGECORE_ISA") from None
    forced = bool(os.environ.get("EDGECORE_ISA"))
    return Tiers(cpu.isas(), cpu.available_isas(), selected, forced, userland_bits())


def look(boards: Sequence[Board], tiers: Tiers, cores: int, root: Path = Path("/")) -> Here:
    """This machine. `root` stands for / in tests."""
    from edgecore.devices import machine, state
    from edgecore.devices.boards import detect

    detected = detect(boards, root, tiers.bits)
    board = detected.board if detected else None
    return Here(
        detected=detected,
        tiers=tiers,
        machine=str(machine.identify(root)),
        cores=cores,
        threads=min(cores, board.threads) if board and board.threads else cores,
        page_kib=os.sysconf("SC_PAGE_SIZE") // 1024,
        state=state.read(board, root),
    )


def reason(tiers: Tiers) -> str:
    """The tier in use, and why that one."""
    best, choices = tiers.best, ", ".join(tiers.available)
    if tiers.forced:
        rest = (
            "which this CPU takes by itself too" if tiers.selected == best else f"this CPU could run {best}"
        )
        return f"{tiers.selected}: EDGECORE_ISA forces it, {rest}"
    lacking = [FEATURES.get(tier, tier) for tier in tiers.compiled[tiers.compiled.index(best) + 1 :]]
    has = f" has {FEATURES[best]}" if best in FEATURES else ""
    lacks = f"{' and' if has else ' has'} no {' and no '.join(lacking)}" if lacking else ""
    why = f"this CPU{has}{lacks}" if has or lacks else "the library has no other for this CPU"
    return f"{best}: {why}; EDGECORE_ISA can force {choices}"


def advice(here: Here) -> list[str]:
    """What is not as it should be, and what to do about it."""
    tiers, board = here.tiers, here.board
    found = []
    if tiers.forced and tiers.selected != tiers.best:
        found.append(f"unset EDGECORE_ISA to run {tiers.best} again")
    if board is None:
        return found
    expected = board.tier.get(tiers.bits)
    order = {tier: rank for rank, tier in enumerate(tiers.compiled)}
    wide = board.tier.get(64)
    if tiers.bits == 32 and wide:
        gain = "with twice the registers" if wide in tiers.compiled else f"instead of {tiers.best}"
        found.append(f"this system has 32 bits; a 64-bit one is faster on this board: it runs {wide} {gain}")
    if expected in order and order[tiers.best] < order[expected]:
        found.append(
            f"this board should run {expected}, but the kernel does not report "
            f"{FEATURES.get(expected, expected)}; update the kernel, or run outside the emulator or container"
        )
    elif expected in order and order[tiers.best] > order[expected]:
        found.append(
            f"the profile {board.id} expects only {expected}; edgecore takes the better {tiers.best}"
        )
    if here.cores < board.core_count:
        remedy = (
            "`sudo nvpmodel -m 0`" if board.sensors.power_mode_command else "taskset, cgroups or isolcpus"
        )
        found.append(
            f"only {here.cores} of {board.core_count} cores may be used; see {remedy} if you want the others"
        )
    if here.state.throttled:
        found.append("the board is throttled: cool it, or give it a better power supply, before you measure")
    return found


def _cores(board: Board) -> str:
    return " + ".join(f"{core.count} x {core.name} {core.clock_mhz}" for core in board.cores)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _peak(board: Board) -> float | None:
    tier = board.tier.get(64)
    return board.peak_gmacs(tier, board.core_count) if tier else None


def _size(kib: int) -> str:
    for unit in ("KiB", "MiB"):
        if kib % 1024:
            return f"{kib} {unit}"
        kib //= 1024
    return f"{kib} GiB"


def listing(boards: Sequence[Board], here: Here) -> str:
    """All boards in a table, and this machine below it."""
    from edgecore.table import table

    rows = [
        [
            "*" if board == here.board else "",
            board.id,
            _cores(board),
            board.tier.get(64, ""),
            board.tier.get(32, ""),
            _number(_peak(board)),
            str(board.threads or ""),
        ]
        for board in boards
    ]
    head = ["", "board", "cores, MHz", "tier, 64 bits", "32 bits", "peak GMAC/s", "threads"]
    state = here.state
    heat = f"{state.temperature_celsius:.0f} °C" if state.temperature_celsius is not None else "unknown"
    slowed = "unknown" if state.throttled is None else "; ".join(state.throttled) or "no"
    lines = [
        table(head, rows, left=(0, 1, 2, 3, 4)),
        "",
        f"* this machine: {here.machine}",
        f"board: {here.detected.board.name}; {here.detected.how}"
        if here.detected
        else "board: none of these, nor a processor that edgecore has kernels for",
        f"tier: {reason(here.tiers)}",
        f"cores: {here.cores} usable, {here.threads} thread{'s' * (here.threads > 1)} recommended, "
        f"pages of {here.page_kib} KiB",
        f"temperature: {heat}; throttled: {slowed}"
        + (f"; since the start: {'; '.join(state.earlier)}" if state.earlier else "")
        + (f"; power mode: {state.power_mode}" if state.power_mode else ""),
    ]
    lines += [f"note: {text}" for text in advice(here)]
    return "\n".join(lines)


def profile(board: Board) -> str:
    """Everything that is known of one board."""
    sensors = board.sensors
    rates = [f"{tier} {rate:g}" for tier, rate in board.mac_per_cycle.items()]
    known: list[tuple[str, Sequence[str]]] = [
        ("chip", [board.soc or ""]),
        ("cores, MHz", [_cores(board)]),
        ("data caches", [_cache(cache) for cache in board.caches]),
        ("memory", [", ".join(_size(size * 1024) for size in board.memory_mb)]),
        ("tier", [f"{tier} ({bits} bits)" for bits, tier in board.tier.items()]),
        ("int8 MAC/cycle", [", ".join(rates) + " a core" if rates else ""]),
        ("peak GMAC/s", [_number(_peak(board))]),
        ("threads", [str(board.threads or "")]),
        ("camera", [", ".join(board.cameras)]),
        ("temperature", [sensors.temperature or ""]),
        (
            "throttling",
            [" ".join(sensors.throttled_command), sensors.throttled or "", sensors.overcurrent or ""],
        ),
        ("power", sensors.power),
        ("power mode", [" ".join(sensors.power_mode_command)]),
        ("device tree", [*board.models, *board.compatible]),
        ("notes", board.notes),
        ("sources", board.sources),
    ]
    lines = [f"{board.id}: {board.name}"]
    for name, values in known:
        given = [value for value in values if value]
        lines += [f"{name if number == 0 else '':15} {value}" for number, value in enumerate(given)]
    return "\n".join(lines)


def _cache(cache: Cache) -> str:
    owners = "a core" if cache.cores == 1 else f"for {cache.cores} cores"
    return f"L{cache.level} {_size(cache.kib)} {owners}"


def facts(boards: Sequence[Board], here: Here) -> dict[str, Any]:
    """The listing as JSON values."""
    tiers = here.tiers
    return {
        "machine": here.machine,
        "board": here.board.id if here.board else None,
        "how": here.detected.how if here.detected else None,
        "tier": tiers.selected,
        "reason": reason(tiers),
        "forced": tiers.forced,
        "available_tiers": list(tiers.available),
        "userland_bits": tiers.bits,
        "cores": here.cores,
        "threads": here.threads,
        "page_kib": here.page_kib,
        "state": here.state.to_json(),
        "advice": advice(here),
        "boards": [board.to_json() for board in boards],
    }


def run(args: argparse.Namespace) -> int:
    """Prints the table and this machine, or one profile."""
    from edgecore.devices.boards import find_board, load_boards

    boards = load_boards()
    if args.name is not None:
        board = find_board(args.name, boards)
        print(json.dumps(board.to_json(), indent=1) if args.json else profile(board))
        return 0
    from edgecore.kernels import cpu

    here = look(boards, tiers_here(), cpu.cores())
    print(json.dumps(facts(boards, here), indent=1) if args.json else listing(boards, here))
    return 0
