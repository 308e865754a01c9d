"""A new model is tried before it runs: golden output, the user's picture, a pulse, and its time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from materials import CLASSES, picture
from oracle import Network, Quant

import edgecore
from edgecore import artefact
from edgecore.errors import UserError
from edgecore.live.checks import Checks, KnownPicture, check
from edgecore.model import Model


def in_thread(action: Callable[[], None]) -> None:
    """A check lowers its thread's priority for good, so it gets one of its own."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            action()
        except UserError as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def passes(candidate: Model, running: Model, checks: Checks | None = None) -> None:
    in_thread(lambda: check(candidate, running, checks or Checks(), threading.Event()))


@pytest.fixture(scope="module")
def slow_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred times the work of the usual model, with ten classes too."""
    net = Network(seed=4)
    x = net.input((1, 24, 32, 3), Quant(1 / 255, -128))
    y = net.conv2d(x, 32, (3, 3), activation="RELU")
    for _ in range(6):
        y = net.conv2d(y, 32, (3, 3), activation="RELU")
    net.output(net.softmax(net.fully_connected(net.reshape(net.mean(y), (1, 32)), 10, out=Quant(0.05, 3))))
    path = tmp_path_factory.mktemp("models") / "slow.tflite"
    path.write_bytes(net.build())
    return path


def test_a_sound_model_passes(model: Path, bare_model: Path) -> None:
    running = edgecore.load(model)
    passes(edgecore.load(model), running)
    passes(edgecore.load(bare_model), running)


def test_a_wrong_golden_output_is_refused(model: Path, tmp_path: Path) -> None:
    data = model.read_bytes()
    facts = artefact.parse(data)
    assert facts is not None
    path = tmp_path / "wrong.tflite"
    path.write_bytes(artefact.append(data, replace(facts, golden=bytes(40))))
    with pytest.raises(UserError, match="golden output"):
        passes(edgecore.load(path), edgecore.load(model))


def test_the_users_picture_must_be_recognised(model: Path, tmp_path: Path) -> None:
    image = tmp_path / "a=b.png"
    assert cv2.imwrite(str(image), picture(1))
    running = edgecore.load(model)
    right = running.classify(picture(1), top=1)[0].label
    wrong = next(label for label in CLASSES if label != right)
    passes(running, running, Checks(KnownPicture.from_text(f"{image}={right}")))
    with pytest.raises(UserError, match=f"'{right}', not '{wrong}'"):
        passes(running, running, Checks(KnownPicture.from_text(f"{image}={wrong}")))


@pytest.mark.parametrize("text", ["", "cat.jpg", "=cat", "cat.jpg="])
def test_a_picture_without_a_label_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="write IMAGE=LABEL"):
        KnownPicture.from_text(text)


def test_a_picture_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no image .*none\.jpg"):
        KnownPicture.from_text(f"{tmp_path}/none.jpg=cat")


def test_a_model_that_always_says_the_same_is_refused(model: Path, tmp_path: Path) -> None:
    net = Network(seed=5)
    x = net.input((1, 24, 32, 3), Quant(1 / 255, -128))
    # One unit of this output is more than the whole network can give, so that every score is equal.
    net.output(net.softmax(net.fully_connected(net.reshape(x, (1, 24 * 32 * 3)), 10, out=Quant(1e6, 0))))
    path = tmp_path / "dead.tflite"
    path.write_bytes(net.build())
    with pytest.raises(UserError, match="same output for every picture"):
        passes(edgecore.load(path), edgecore.load(model))


def test_a_much_slower_model_is_refused_unless_it_is_allowed(model: Path, slow_model: Path) -> None:
    running, slow = edgecore.load(model), edgecore.load(slow_model)
    with pytest.raises(UserError, match="4 times as long as with the old one; allow it with --max-latency"):
        passes(slow, running)
    passes(slow, running, Checks(max_latency=60.0))
    passes(running, slow)


def test_the_users_limit_holds(model: Path) -> None:
    running = edgecore.load(model)
    with pytest.raises(UserError, match=r"ms on one core, the limit is 1e-06 ms"):
        passes(running, running, Checks(max_latency=1e-9))


def test_a_check_that_is_stopped_gives_no_verdict(model: Path) -> None:
    running = edgecore.load(model)
    stop = threading.Event()
    stop.set()
    in_thread(lambda: check(running, running, Checks(max_latency=1e-9), stop))


def test_time_is_measured_at_a_low_priority_of_the_checking_thread_alone(model: Path) -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    running, before = edgecore.load(model), priority()
    inside: list[int] = []

    def action() -> None:
        check(running, running, Checks(), threading.Event())
        inside.append(priority())

    in_thread(action)
    assert inside == [min(before + 10, 19)]
    assert priority() == before
