"""Writes tests/kernels/hashes.json from the reference kernels: `python -m oracle.freeze`, run in tests/."""

from __future__ import annotations

import json
from pathlib import Path

from .models import MODELS, digest
from .runtime import random_inputs, reference

HASHES = Path(__file__).resolve().parent.parent / "kernels" / "hashes.json"
SEEDS = (0, 1)


def main() -> None:
    frozen = {}
    for name, make in MODELS.items():
        net = make()
        model = net.build()
        frozen[name] = {
            "model": net.writer.digest(),
            "outputs": [digest(reference(model, random_inputs(model, seed, seed == 1))) for seed in SEEDS],
        }
    HASHES.write_text(json.dumps(frozen, indent=2) + "\n")


if __name__ == "__main__":
    main()
