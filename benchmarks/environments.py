"""The peers, and a virtual environment of its own for each: made once, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from edgecore.devices.emulation import cache, programs

OURS = "edgecore"


@dataclass(frozen=True)
class Peer:
    """A runtime to measure against.

    Attributes:
        name: its package.
        requirements: what pip installs.
        tiers: the variables that hold it to a tier of ours, {tier: {variable: value}}. Without them it
            cannot be held: the released XNNPACK, ruy and MLAS take what the CPU has.
    """

    name: str
    requirements: tuple[str, ...]
    tiers: dict[str, dict[str, str]]


def _onednn(tier: str) -> dict[str, str]:
    return {"ONEDNN_MAX_CPU_ISA": tier}


PEERS = (
    Peer("tflite-runtime", ("tflite-runtime==2.14.0", "numpy<2"), {}),
    Peer("ai-edge-litert", ("ai-edge-litert==2.3.*",), {}),
    Peer("onnxruntime", ("onnxruntime==1.31.*",), {}),
    Peer(
        "openvino",
        ("openvino==2026.4.*",),
        {
            "avx2": _onednn("AVX2"),
            "avxvnni": _onednn("AVX2_VNNI"),
            "avx512vnni": _onednn("AVX512_CORE_VNNI"),
        },
    ),
)
# tf2onnx imports TensorFlow and the packages that come with it, which the host extra has installed.
CONVERTER = ("tf2onnx==1.17.*", "onnx==1.23.*")


def _folder(name: str, requirements: tuple[str, ...]) -> Path:
    key = [*requirements, str(sys.version_info[:2]), str(Path(sys.executable).resolve())]
    digest = hashlib.sha256("\n".join(key).encode()).hexdigest()[:12]
    return cache.folder() / "peers" / f"{name}-{digest}"


def python_of(peer: Peer) -> Path:
    """The interpreter of the peer's environment, which is made on the first call.

    Raises UserError: it cannot be installed here.
    """

    def make(folder: Path) -> None:
        programs.call([sys.executable, "-m", "venv", str(folder)], f"making {peer.name}'s environment")
        install = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
        programs.call([*install, "-q", *peer.requirements], f"installing {' '.join(peer.requirements)}")

    return cache.make_once(_folder(peer.name, peer.requirements), make) / "bin" / "python"


def converter_site() -> Path:
    """The folder with tf2onnx and onnx to lay over this environment with PYTHONPATH.

    Raises UserError: they cannot be installed here.
    """

    def make(folder: Path) -> None:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps"]
        programs.call([*pip, "--target", str(folder), *CONVERTER], f"installing {' '.join(CONVERTER)}")

    return cache.make_once(_folder("tf2onnx", CONVERTER), make)


def environment(peer: Peer | None, isa: str | None) -> dict[str, str]:
    """The variables of a worker: of `peer`, or of edgecore's where it is None, held to the tier `isa`."""
    variables = dict(os.environ)
    if isa is not None:
        variables.update({"EDGECORE_ISA": isa} if peer is None else peer.tiers[isa])
    return variables
