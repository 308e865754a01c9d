"""The engine's process answers as the engine in this process does, and its death is one clear line."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgecore import artefact, golden
from edgecore.converters.verification.device import Device, golden_of
from edgecore.errors import UserError
from edgecore.model import bundled_model
from edgecore.network import Network
from edgecore.preprocess import Preprocessing


@pytest.fixture
def device() -> Iterator[Device]:
    with Device(bundled_model()) as started:
        yield started


def test_it_answers_as_the_engine_and_the_reference_do(device: Device) -> None:
    network = Network(bundled_model())
    assert (device.input, device.output) == (network.inputs[0], network.outputs[0])
    random = np.random.default_rng(0)
    for asked in (True, False, True):
        tensor = random.integers(-128, 128, device.input.shape).astype(device.input.dtype)
        device.send(tensor, reference=asked)
        network.input()[...] = tensor
        network.invoke()
        for _ in range(1 + asked):
            np.testing.assert_array_equal(device.receive(), network.output())


def test_it_says_what_the_engine_claims(device: Device) -> None:
    assert device.facts["left"] == []
    assert device.facts["partitions"] == 1
    assert device.facts["nodes"] == len(Network(bundled_model()).file.main.operators)


def test_the_golden_output_of_the_bundled_model(tmp_path: Path) -> None:
    data = bundled_model().read_bytes()
    facts = artefact.parse(data)
    assert facts is not None
    found = golden_of(artefact.flatbuffer_of(data), Preprocessing.from_json(facts.input))
    assert len(found) == golden.PICTURES * len(facts.classes)
    assert found == facts.golden


def test_a_file_that_is_no_model_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "x.tflite"
    path.write_bytes(b"no model at all")
    with pytest.raises(UserError, match=r"does not take .*lacks the identifier TFL3"):
        Device(path)


def test_its_death_is_reported_not_waited_for(device: Device) -> None:
    tensor = np.zeros(device.input.shape, device.input.dtype)
    device.send(tensor)
    device.receive()
    os.kill(device.pid, signal.SIGKILL)
    with pytest.raises(UserError, match=r"the engine died .*SIGKILL"):
        for _ in range(2):
            device.send(tensor)
            device.receive()


def test_no_process_is_left(device: Device) -> None:
    device.close()
    with pytest.raises(ProcessLookupError):
        os.kill(device.pid, 0)
