"""`edgecore.stream`: results in a for loop, and nothing that stays behind however the loop is left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import edgecore
from edgecore.errors import UserError
from edgecore.live.decision import Rules

LIVE = "test:pattern?size=64x48&live=1&fps=100"


def held() -> tuple[list[str], int]:
    """The threads and the number of open files."""
    return sorted(thread.name for thread in threading.enumerate()), len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def nothing_left(model: Path) -> Iterator[None]:
    for _ in edgecore.stream("test:pattern?size=64x48&frames=2", model):  # what is opened once, stays
        pass
    before = held()
    yield
    assert held() == before


@pytest.mark.usefixtures("nothing_left")
class TestNothingStays:
    def test_after_a_break(self, model: Path) -> None:
        for result in edgecore.stream(LIVE, model):
            if result.index >= 3:
                break

    def test_after_an_exception(self, model: Path) -> None:
        with pytest.raises(ZeroDivisionError):
            for result in edgecore.stream(LIVE, model):
                print(result.index / 0)

    def test_of_a_stream_that_nobody_began(self, model: Path) -> None:
        edgecore.stream(LIVE, model)

    def test_after_two_at_once(self, model: Path) -> None:
        first = edgecore.stream(LIVE, edgecore.load(model), frames=5)
        second = edgecore.stream("test:pattern?size=64x48&frames=5", edgecore.load(model))
        assert len(list(zip(first, second, strict=True))) == 5

    def test_after_one_in_a_thread(self, model: Path) -> None:
        seen: list[int] = []

        def work() -> None:
            seen.extend(result.index for result in edgecore.stream(LIVE, model, frames=5))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(30)
        assert len(seen) == 5


def test_one_model_is_for_one_stream_at_a_time(model: Path) -> None:
    shared = edgecore.load(model)
    first = edgecore.stream(LIVE, shared)
    next(first)
    with pytest.raises(UserError, match="another stream uses the model ten kinds"):
        next(edgecore.stream(LIVE, shared))
    first.close()
    assert next(edgecore.stream(LIVE, shared)).predictions


def test_the_label_that_counts_has_won_8_of_10_frames(model: Path) -> None:
    source = "test:pattern?size=64x48&frames=12"
    events = [result.index for result in edgecore.stream(source, model) if result.event]
    assert events and events[0] >= 7
    assert next(edgecore.stream(source, model, rules=Rules())).event is not None


def test_each_image_is_for_itself(model: Path, tmp_path: Path) -> None:
    import cv2
    from materials import picture

    cv2.imwrite(str(tmp_path / "a.png"), picture(1))
    (result,) = edgecore.stream(tmp_path, model)
    assert result.label == result.predictions[0].label


@pytest.mark.parametrize(
    "wrong",
    [
        {"top": 0},
        {"frames": 0},
        {"give_up_after": 0},
        {"max_fps": 0},
        {"region": "1,2"},
        {"source": "nosuch.mp4"},
        {"model": "nosuch.tflite"},
    ],
)
def test_bad_arguments_are_told_at_once(model: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        edgecore.stream(**{"source": LIVE, "model": model, **wrong})


def test_a_cameras_number_as_a_number(model: Path) -> None:
    with pytest.raises(UserError, match="camera 99 does not exist"):
        next(edgecore.stream(99, model))
