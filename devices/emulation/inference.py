"""Counts one inference of a model with one of the runtimes of an emulated root."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecore.devices.emulation import guest_count
from edgecore.devices.emulation.counting import Section
from edgecore.devices.emulation.qemu import Emulator
from edgecore.errors import UserError


@dataclass(frozen=True)
class Inference:
    """One warm inference with one thread."""

    counts: Section
    sha256: str  # of the outputs' bytes, for the noise that every runtime gets
    facts: Mapping[str, Any]  # edgecore: nodes, isa, steps; the others: version


def count_inference(
    emulator: Emulator,
    model: str | Path,
    runtime: str,
    *,
    site: Path | None = None,
    env: Mapping[str, str] | None = None,
    isa: str | None = None,
) -> Inference:
    """runtime: "edgecore" (then `site` holds its wheel), "tflite-runtime" or "ai-edge-litert"."""
    command = ["python3", guest_count.__file__, "--runtime", runtime, str(Path(model).absolute())]
    if isa is not None:
        command += ["--isa", isa]
    sections, done = emulator.count(command, site=site, env=env)
    if done.returncode != 0 or len(sections) != 3:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reason = lines[-1] if lines else f"status {done.returncode}"
        raise UserError(f"{runtime} did not run {Path(model).name} on {emulator.cpu.name}: {reason}")
    facts = json.loads(done.stdout.splitlines()[-1])
    return Inference(sections[1], facts.pop("sha256"), facts)
