"""Opening models: what is refused, in which words, and that no damage takes the process down."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edgecore.errors import UserError
from edgecore.network import LARGEST_TAIL, Network


def write(folder: Path, data: bytes) -> Path:
    path = folder / "broken.tflite"
    path.write_bytes(data)
    return path


def test_buffers_are_the_interpreters_own(model: Path) -> None:
    network = Network(model, threads=1)
    network.input()[...] = 127
    assert (network.input() == 127).all()
    network.invoke()
    first = network.output()
    network.input()[...] = -128
    network.invoke()
    assert first.dtype == np.int8 and first.shape == (1, 10)
    assert (first != network.output()).any()


def zipped(name: str, content: bytes) -> bytes:
    tail = io.BytesIO()
    with zipfile.ZipFile(tail, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return tail.getvalue()


def encrypted(tail: bytes) -> bytes:
    """The same with the flag that says so."""
    place = tail.find(b"PK\x01\x02") + 8
    return tail[:6] + b"\1" + tail[7:place] + b"\1" + tail[place + 1 :]


@pytest.mark.parametrize(
    ("tail", "says"),
    [
        (zipped("labels.txt", bytes(LARGEST_TAIL + 1)), "is truncated or damaged"),
        (zipped("labels.txt", b"cat\n" * 99)[:35], "damaged"),
        (encrypted(zipped("labels.txt", b"cat")), "is truncated or damaged"),
        (zipped("edgecore.json", b"[" * 100_000), "edgecore.json is damaged"),
    ],
    ids=["bomb", "cut off", "encrypted", "nested"],
)
def test_a_hostile_tail(bare_model: Path, tmp_path: Path, tail: bytes, says: str) -> None:
    path = write(tmp_path, bare_model.read_bytes() + tail)
    with pytest.raises(UserError, match=says):
        Network(path, threads=1)


def test_engine_claims_every_node(model: Path) -> None:
    network = Network(model, threads=2)
    (engine,) = network.engines()
    assert engine.threads == 2 and network.notice == ""
    assert network.delegate is not None and network.delegate.claimed_nodes == 7
    assert Network(model, delegate=False).engines() == []


def test_labels_of_a_foreign_archive(shared: Path) -> None:
    network = Network(shared / "models/coral/mobilenet_v1_0.25_128_quant.tflite")
    assert network.artefact is None
    assert network.labels is not None and network.labels[:2] == ("background", "tench, Tinca tinca")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"hi", "is not a TFLite model"),
        (b"\x1c\0\0\0TFL3" + bytes(40), "is truncated or damaged"),
        (b"\xff\xd8\xff\xe0 a picture", "is not a TFLite model"),
    ],
)
def test_no_model(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Network(write(tmp_path, data))


def test_missing_and_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no model"):
        Network(tmp_path / "absent.tflite")
    with pytest.raises(UserError, match="is a folder"):
        Network(tmp_path)


def test_truncated_in_the_flatbuffer(tmp_path: Path, model: Path) -> None:
    with pytest.raises(UserError, match="truncated"):
        Network(write(tmp_path, model.read_bytes()[:2000]))


@pytest.mark.parametrize("missing", [1, 30, 200])
def test_truncated_in_the_labels(tmp_path: Path, model: Path, missing: int) -> None:
    with pytest.raises(UserError, match="its labels do not read"):
        Network(write(tmp_path, model.read_bytes()[:-missing]))


def test_changed_weights(tmp_path: Path, model: Path) -> None:
    from edgecore.tflite.model_file import read_model_file

    data = bytearray(model.read_bytes())
    whole = read_model_file(bytes(data))
    for place in range(200, whole.end):  # the first byte whose change leaves the structure whole
        data[place] ^= 1
        try:
            if read_model_file(bytes(data)) == whole:
                break
        except ValueError:
            pass
        data[place] ^= 1
    with pytest.raises(UserError, match="belong to another model"):
        Network(write(tmp_path, bytes(data)))


def test_threads_and_isa(model: Path) -> None:
    with pytest.raises(UserError, match="0 threads"):
        Network(model, threads=0)
    with pytest.raises(UserError, match="this machine has: scalar"):
        Network(model, isa="mmx")


FUZZ = """
import random, sys
from pathlib import Path
from edgecore.errors import UserError
from edgecore.network import LARGEST_TAIL, Network

whole, scratch = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
for seed in range(int(sys.argv[3])):
    chance, data = random.Random(seed), bytearray(whole)
    kind = chance.choice(("cut", "bits", "word"))
    if kind == "cut":
        del data[chance.randrange(len(data)):]
    for _ in range(chance.choice((1, 2, 8)) if kind != "cut" else 0):
        place = chance.randrange(len(data) - 3)
        if kind == "bits":
            data[place] ^= 1 << chance.randrange(8)
        else:
            word = chance.choice((bytes(4), b"\\xff" * 4, b"\\xff\\xff\\xff\\x7f"))
            data[place & ~3:(place & ~3) + 4] = word
    scratch.write_bytes(data)
    try:
        network = Network(scratch, threads=1)
        for position in range(len(network.inputs)):
            network.input(position)[...] = 0
        network.invoke()
    except UserError:
        pass
    print(seed, flush=True)
"""


def test_no_damage_takes_the_process_down(tmp_path: Path, bare_model: Path) -> None:
    command = [sys.executable, "-c", FUZZ, str(bare_model), str(tmp_path / "damaged.tflite"), "300"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, f"seed after {run.stdout.split()[-1:]}: {run.stderr[-500:]}"
    assert run.stdout.split()[-1] == "299"
