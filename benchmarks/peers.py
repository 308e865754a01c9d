"""edgecore against its peers: the same int8 models, in turns, in one run.

    python -m edgecore.benchmarks.peers [--models NAME,NAME] [--threads 1,2] [--out DIR]
    python -m edgecore.benchmarks.peers --isa avx2      edgecore and the peers that can be held to a tier
    python -m edgecore.benchmarks.peers --steps MODEL   where edgecore's own time goes

tflite-runtime, LiteRT (XNNPACK), onnxruntime and OpenVINO get a virtual environment each, made once, in the
cache. Every runtime lives in its own process. For each model and thread count the processes take short turns,
A B C, B C A, ..., so that a machine whose speed drifts treats them alike; ratios within one run can be held
on to, milliseconds only together with the machine that is named. Writes peers.md, peers.json and, with
matplotlib, peers.svg.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from edgecore.benchmarks import check, environments, models, peak, picture, report, steps
from edgecore.benchmarks.environments import OURS, PEERS, Peer
from edgecore.benchmarks.turns import Entrant, RuntimeFailed, measure
from edgecore.devices import machine
from edgecore.errors import UserError, exit_status
from edgecore.layers import macs_of
from edgecore.network import read_model


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m edgecore.benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--models", help="comma-separated names or .tflite files (default: the list)")
    parser.add_argument(
        "--peers",
        default=",".join(peer.name for peer in PEERS),
        help="comma-separated; default: %(default)s",
    )
    parser.add_argument("--threads", default="1,2", help="comma-separated thread counts (default: 1,2)")
    parser.add_argument("--rounds", type=int, default=12, help="turns of each runtime (default: 12)")
    parser.add_argument("--turn-ms", type=float, default=100.0, help="length of a turn (default: 100)")
    parser.add_argument("--isa", metavar="TIER", help="hold both sides to a tier, e.g. avx2")
    parser.add_argument("--steps", metavar="MODEL", help="edgecore's steps of this model, and nothing else")
    parser.add_argument("--mlperf-tiny", type=Path, help="folder with MLPerf Tiny's int8 models")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the tables")
    parser.add_argument("--out", type=Path, default=Path("runs/peers"), help="default: %(default)s")
    parser.add_argument(
        "--publish", action="store_true", help="in a checkout: update benchmarks/README.md and its picture"
    )
    return parser.parse_args(arguments)


def tier_of(isa: str | None) -> str:
    """The engine's tier: `isa`, $EDGECORE_ISA or the best. Raises UserError: this CPU lacks it."""
    from edgecore.kernels import cpu

    known = cpu.available_isas()
    tier = isa or os.environ.get("EDGECORE_ISA") or known[-1]
    if tier not in known:
        raise UserError(f"this CPU cannot run the tier {tier}; choose from {', '.join(known)}")
    return tier


def chosen(names: str) -> list[Peer]:
    """The peers by their names. Raises UserError: one is not known."""
    known = {peer.name: peer for peer in PEERS}
    for name in names.split(","):
        if name not in known:
            raise UserError(f"unknown peer {name}; choose from {', '.join(known)}")
    return [known[name] for name in names.split(",")]


def prepare(
    peers: Sequence[Peer], isa: str | None, left_out: list[str]
) -> list[tuple[Peer, Path, dict[str, str]]]:
    """Python and variables of each peer that can take part; `left_out` gets a line about each other."""
    ready = []
    for peer in peers:
        if isa is not None and isa not in peer.tiers:
            left_out.append(f"{peer.name} is left out: it has no switch that holds it to {isa}.")
            continue
        tell(f"the environment of {peer.name}")
        try:
            ready.append((peer, environments.python_of(peer), environments.environment(peer, isa)))
        except UserError as error:
            left_out.append(f"{peer.name} is left out: {error}.")
    return ready


def tell(line: str) -> None:
    """A line about the progress."""
    print(line, file=sys.stderr, flush=True)


def macs(path: Path) -> int:
    """Multiply-adds of one inference of a .tflite."""
    graph = read_model(path)[1].main
    return sum(macs_of(operator, graph) for operator in graph.operators)


def run(options: argparse.Namespace) -> None:
    try:
        counts = [int(count) for count in options.threads.split(",")]
    except ValueError:
        counts = [0]
    if min(counts) < 1 or options.rounds < 1 or not options.turn_ms > 0:
        raise UserError("--threads takes numbers such as 1,2; --rounds and --turn-ms take more than 0")
    if options.publish and not report.PAGE.is_file():
        raise UserError(f"--publish writes {report.PAGE}; call it in the project's own folder")
    tier = tier_of(options.isa)
    with tempfile.TemporaryDirectory(prefix="edgecore-peers-") as scratch:
        folder = Path(scratch)
        if options.steps:
            [(name, path)] = models.collect([options.steps], folder, options.mlperf_tiny).items()
            found = [steps.measure(name, path, threads, tier) for threads in counts]
            print(json.dumps(found, indent=1) if options.json else "\n\n".join(map(steps.text, found)))
            return
        result = compare(options, counts, tier, folder)
    text = report.markdown(result)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "peers.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (options.out / "peers.md").write_text(text, encoding="utf-8")
    print(json.dumps(result, indent=1) if options.json else text)
    if not picture.plot(result, options.out / "peers.svg"):
        tell("no plot: matplotlib is missing; pip install 'edgecore[bench]'")
    if options.publish:
        report.publish(result, Path())


def compare(options: argparse.Namespace, counts: list[int], tier: str, folder: Path) -> dict[str, Any]:
    """The whole comparison, as JSON values."""
    wanted = options.models.split(",") if options.models else models.names(options.mlperf_tiny)
    peers = chosen(options.peers)
    tell("the models")
    paths = models.collect(wanted, folder, options.mlperf_tiny)
    left_out: list[str] = []
    ready = prepare(peers, options.isa, left_out)
    peaks = {threads: peak.measured(tier, threads) or 0.0 for threads in counts}
    result: dict[str, Any] = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": machine.identify().to_json(),
        "load_average": os.getloadavg()[0],
        "isa": tier,
        "forced": options.isa is not None,
        "peak_instruction": peak.LOOPS[tier].instruction if tier in peak.LOOPS else None,
        "runtimes": {OURS: metadata.version(OURS)},
        "left_out": left_out,
        "rounds": options.rounds,
        "turn_ms": options.turn_ms,
        "models": {},
        "rows": [],
    }
    for name, path in paths.items():
        entrants = [Entrant(OURS, Path(sys.executable), environments.environment(None, tier), path)]
        refused: dict[str, str] = {}
        for peer, python, variables in ready:
            try:
                form = check.form_for(peer.name, path)
            except UserError as error:
                refused[peer.name] = str(error)
                continue
            entrants.append(Entrant(peer.name, python, variables, form))
        tell(f"{name}: what each runtime makes of it")
        looked = check.look(entrants, folder)
        for runtime, found in looked.items():
            if "failed" in found:
                refused[runtime] = found["failed"]
            else:
                result["runtimes"].setdefault(runtime, found["version"])
        if OURS in refused:
            raise RuntimeFailed(f"{name}: {refused[OURS]}")
        result["models"][name] = {
            "macs": macs(path),
            "file_bytes": path.stat().st_size,
            "refused": refused,
            "looked": looked,
        }
        for threads in counts:
            tell(f"{name}, {threads} thread{'s' if threads > 1 else ''}")
            able = [entrant for entrant in entrants if entrant.runtime not in refused]
            for row in measure(able, threads, options.rounds, options.turn_ms):
                if row["runtime"] == OURS and "failed" in row:
                    raise RuntimeFailed(f"{name}: {row['failed']}")
                if row["runtime"] == OURS and row["isa"] not in ([tier], []):
                    raise UserError(
                        f"the engine ran {row['isa'][0]}, not {tier}; this is a defect of edgecore"
                    )
                result["rows"].append({"model": name, **row})
    # The machine's clock drifts: what its cores did at most, before or after.
    result["peaks"] = {
        str(threads): max(before, peak.measured(tier, threads) or 0.0) or None
        for threads, before in peaks.items()
    }
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    return exit_status(lambda: run(parse(arguments)))


if __name__ == "__main__":
    raise SystemExit(main())
