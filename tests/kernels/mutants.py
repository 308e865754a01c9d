"""Spoiled models for the delegate: what TFLite runs without it must run with it, to the same bytes.

    python tests/kernels/mutants.py --seconds 1800 --seed 7

Of a file whose offsets are wrong TFLite reads wild memory, and so would the delegate: edgecore opens none
that `edgecore.tflite` has not read first, and here they are left out. Any other mutant runs in a child first
without the delegate, by the reference kernels; what kills that child, or takes it too long, is TFLite's, and
so are bytes that depend on what stands behind the model in memory. The delegate is attached as users have it,
by `edgecore.interpreter.attach`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import select
import struct
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgecore.tflite.flatbuffer import FlatbufferError
from edgecore.tflite.model_file import read_model_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

LONGEST = 120.0  # seconds of one model, on a machine that does other things too
PERTURBED = {"MALLOC_PERTURB_": "165"}  # what malloc's memory holds in a child that must agree all the same
TAIL = bytes(range(256)) * 64  # behind the model, for the same end
SMALL = 64  # bytes of a constant that is likely a shape, axes or paddings
EDGES = [0, 1, 2, 3, 4, 7, 127, 128, 255, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**32 - 8]
FLOATS = [0.0, -1.0, 1e-30, 1e30, float("inf"), float("nan"), 1 / 256, 0.5, 2.0]


def large_constants(model: bytes) -> list[tuple[int, int]]:
    """(first, end) of the contents of weights: the fields of TFLite's schema, Model.buffers[].data."""

    def number(at: int, code: str = "I") -> int:
        return int(struct.unpack_from(f"<{code}", model, at)[0])

    def table_field(table: int, index: int) -> int:
        vtable = table - number(table, "i")
        offset = number(vtable + 4 + 2 * index, "H") if 4 + 2 * index < number(vtable, "H") else 0
        return table + offset + number(table + offset) if offset else 0

    buffers = table_field(number(0), 4)
    found = []
    for index in range(number(buffers)):
        entry = buffers + 4 + 4 * index
        data = table_field(entry + number(entry), 0)
        if data and number(data) > SMALL:
            found.append((data + 4, data + 4 + number(data)))
    return found


def mutate(model: bytes, rng: random.Random) -> bytes:
    """A few numbers of the description exchanged, or a stretch of the weights."""
    spoiled = bytearray(model)
    weights = large_constants(model)
    inside = bytearray(len(model))
    for first, end in weights:
        inside[first:end] = b"\1" * (end - first)
    described = [at for at in range(8, len(model)) if not inside[at]]
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at = rng.choice(described)
        how = rng.randrange(6)
        if how == 0:
            spoiled[at] = rng.randrange(256)
        elif how == 1:
            spoiled[at] ^= 1 << rng.randrange(8)
        elif how == 2:
            spoiled[at] = (spoiled[at] + rng.choice([-1, 1, 2, -2])) & 255
        elif how == 3 and weights:
            first, end = rng.choice(weights)
            spoiled[first:end] = bytes([rng.choice([0, 127, 128, 255])]) * (end - first)
        else:
            at = min(at // 4 * 4, len(model) - 4)
            value = (
                struct.pack("<f", rng.choice(FLOATS)) if how == 4 else struct.pack("<I", rng.choice(EDGES))
            )
            spoiled[at : at + 4] = value
    return bytes(spoiled)


def run_one(model: bytes, engine: bool) -> str:
    """ "ran", the digest of the outputs and the delegate's nodes; or "refused" and why, in one text."""
    import numpy as np
    from oracle.runtime import norm

    from edgecore import interpreter as ec

    def opening(delegate: ec.Delegate | None) -> Any:
        opened = norm().Interpreter(
            model_content=model,
            experimental_op_resolver_type=norm().OpResolverType.BUILTIN_REF,
            experimental_delegates=[delegate] if delegate else None,
        )
        opened.allocate_tensors()
        return opened

    try:
        interpreter, delegate = None, None
        if engine:
            interpreter, delegate, _ = ec.attach(opening, ec.load_delegate(threads=2))
        if interpreter is None:
            interpreter = opening(None)
        for detail in interpreter.get_input_details():
            shape = tuple(int(size) for size in detail["shape"])
            noise = np.random.default_rng(5).integers(0, 256, shape).astype(np.uint8)
            interpreter.set_tensor(detail["index"], noise.astype(detail["dtype"]))
        interpreter.invoke()
        digest = hashlib.sha256()
        for detail in interpreter.get_output_details():
            digest.update(interpreter.get_tensor(detail["index"]).tobytes())
    except (ValueError, RuntimeError, TypeError, MemoryError) as error:
        return "refused " + " ".join(str(error).split())[:200]
    return f"ran {digest.hexdigest()[:16]} {delegate.claimed_nodes if delegate else 0}"


def serve(engine: bool) -> None:
    """The child: one line per model, its size in four bytes before it."""
    while head := sys.stdin.buffer.read(4):
        model = sys.stdin.buffer.read(struct.unpack("<I", head)[0])
        print(run_one(model, engine), flush=True)


class Child:
    """A process that runs models, made anew where one killed it."""

    def __init__(self, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.arguments = arguments
        self.environment = os.environ | (environment or {})
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, model: bytes) -> str:
        if self.process is None:
            command = [sys.executable, __file__, "--serve", *self.arguments]
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self.environment,
            )
            os.set_blocking(self.process.stderr.fileno(), False)  # type: ignore[union-attr]
        assert self.process.stdin and self.process.stdout and self.process.stderr
        try:
            self.process.stdin.write(struct.pack("<I", len(model)) + model)
            self.process.stdin.flush()
        except BrokenPipeError:
            return self.died()
        end = time.monotonic() + LONGEST
        said = b""
        while time.monotonic() < end:
            ready, _, _ = select.select([self.process.stdout, self.process.stderr], [], [], 1.0)
            if self.process.stderr in ready:
                said = (said + (self.process.stderr.read() or b""))[-3000:]
            if self.process.stdout in ready:
                answer = self.process.stdout.readline().decode().strip()
                return answer or self.died(said)
        self.close()
        return "hung"

    def died(self, said: bytes = b"") -> str:
        assert self.process and self.process.stderr
        status = self.process.wait(LONGEST)
        said += self.process.stderr.read() or b""
        self.process = None
        return f"died {status} {said.decode(errors='replace')[-2500:]}"

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


@dataclass
class Findings:
    """What the mutants did, those with which the delegate is at fault, those that TFLite alone died of."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[bytes, str, str]] = field(default_factory=list)  # model, without, with the delegate
    deaths: list[tuple[bytes, str]] = field(default_factory=list)  # model, how


def judge(plain: str, engine: str) -> str:
    """What became of a mutant; "FAULT" in front where the delegate is to blame."""
    kind = plain.split()[0]
    if kind in ("died", "hung"):
        return f"{kind} without the delegate"
    if engine.split()[0] in ("died", "hung"):
        return f"FAULT: {engine.split()[0]}"
    if kind == "refused":
        return "refused by both" if engine.startswith("refused") else "refused without the delegate only"
    if engine.startswith("refused"):
        return "FAULT: refused with the delegate only"
    (_, want, _), (_, got, claimed) = plain.split(), engine.split()
    if want == got:
        return "same, claimed" if int(claimed) else "same, left alone"
    return "FAULT: other bytes"


def hunt(models: list[bytes], seed: int, count: int | None = None, seconds: float = 1e9) -> Findings:
    """Runs mutants of these models until their number or the time is reached."""
    plain, engine, found = Child("plain"), Child("engine"), Findings()
    other = Child("plain", environment=PERTURBED)
    end, number = time.monotonic() + seconds, 0
    try:
        while time.monotonic() < end and number != count:
            rng = random.Random(seed * 1_000_003 + number)
            number += 1
            mutant = mutate(rng.choice(models), rng)
            try:
                read_model_file(mutant)
            except FlatbufferError:
                found.counts["damaged"] += 1
                continue
            without = plain.run(mutant)
            known = without.split()[0] in ("died", "hung")
            with_it = "left out" if known else engine.run(mutant)
            verdict = judge(without, with_it)
            if verdict == "FAULT: other bytes" and other.run(mutant + TAIL) != without:
                verdict = "unsteady without the delegate"
            found.counts[verdict] += 1
            if known:
                found.deaths.append((mutant, without))
            if verdict.startswith("FAULT"):
                found.faults.append((mutant, without, with_it))
    finally:
        for child in (plain, engine, other):
            child.close()
    return found


def written_models() -> list[bytes]:
    from oracle.models import MODELS, small_model

    return [small_model(), *(build().build() for build in MODELS.values())]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", choices=["plain", "engine"], help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--out", type=Path, default=Path("mutants"), help="where faulty and deadly mutants go"
    )
    args = parser.parse_args()
    if args.serve:
        serve(args.serve == "engine")
        return 0
    found = hunt(written_models(), args.seed, seconds=args.seconds)
    for verdict, times in found.counts.most_common():
        print(f"{times:7}  {verdict}")
    args.out.mkdir(exist_ok=True)
    for number, (mutant, without, with_it) in enumerate(found.faults):
        (args.out / f"{number}.tflite").write_bytes(mutant)
        print(f"{args.out / f'{number}.tflite'}: without {without[:300]}; with {with_it}")
    for number, (mutant, how) in enumerate(found.deaths):
        (args.out / f"without{number}.tflite").write_bytes(mutant)
        print(f"{args.out / f'without{number}.tflite'}: {how[:300]}")
    return bool(found.faults)


if __name__ == "__main__":
    sys.exit(main())
