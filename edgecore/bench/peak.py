"""How near a run comes to what the board's cores could do at most."""

from __future__ import annotations

from pathlib import Path

from edgecore.devices import machine
from edgecore.devices.boards import detect, load_boards


def of_peak(
    macs: int, seconds: float, tier: str, threads: int, root: Path = Path("/")
) -> dict[str, object] | None:
    """Multiply-adds of one run against the peak of this board's profile, as JSON values.

    None: the board's profile gives no peak for the tier, or there is no profile.
    """
    found = detect(load_boards(), root)
    peak = found.board.peak_gmacs(tier, threads, machine.identify(root).clock_mhz) if found else None
    if found is None or peak is None or seconds <= 0:
        return None
    gmacs = macs / seconds / 1e9
    return {
        "board": found.board.name,
        "tier": tier,
        "gmacs": round(gmacs, 2),
        "peak_gmacs": round(peak, 1),
        "share": round(gmacs / peak, 4),
    }
