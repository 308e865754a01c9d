"""The label that counts: smoothing by its closed form, no flicker, confirmation as it is defined."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgecore.errors import UserError
from edgecore.live.decision import (
    LONGEST_CONFIRMATION,
    LONGEST_WINDOW,
    Decider,
    Rules,
    parse_confirm,
    parse_smooth,
    parse_threshold,
)

LABELS = ["a", "b", "c"]
BUSY = settings(deadline=None)  # a busy machine is no failure
SCORE = st.integers(0, 255).map(lambda stored: stored * 0.00390625)
FRAMES = st.lists(st.tuples(SCORE, SCORE, SCORE), min_size=1, max_size=40)
TIMES = st.lists(st.floats(0.0, 3.0), min_size=40, max_size=40)


def labels(decider: Decider, scores: Iterable[Sequence[float]]) -> list[str | None]:
    """What counts after each frame, ten frames a second."""
    return [decider.decide(np.array(row), index / 10, index)[0] for index, row in enumerate(scores)]


def smoothed(rules: Rules, frames: Sequence[tuple[float, float]]) -> list[float]:
    """The smoothed scores of the only class, for (captured, score) of each frame."""
    decider = Decider(["only"], rules)
    return [
        decider.decide(np.array([score]), captured, index)[1]
        for index, (captured, score) in enumerate(frames)
    ]


@BUSY
@given(FRAMES, TIMES, st.floats(0.01, 10))
def test_exponential_is_its_closed_form(
    scores: list[tuple[float, ...]], gaps: list[float], constant: float
) -> None:
    captured = np.cumsum(gaps)[: len(scores)]
    frames = [(float(at), row[0]) for at, row in zip(captured, scores, strict=True)]
    last, expected = captured[-1], 0.0
    for index, (at, score) in enumerate(frames):
        # A frame's share fades with its age; the first has all that the others leave.
        share = 1.0 if index == 0 else 1 - math.exp(-(at - frames[index - 1][0]) / constant)
        expected += share * math.exp(-(last - at) / constant) * score
    assert smoothed(Rules("exponential", constant), frames)[-1] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("rate", [1, 7, 30, 400])
def test_exponential_does_not_depend_on_the_frame_rate(rate: int) -> None:
    frames = [(0.0, 0.0), *((index / rate, 1.0) for index in range(1, rate + 1))]
    assert smoothed(Rules("exponential", 0.5), frames)[-1] == pytest.approx(1 - math.exp(-2))


def test_a_clock_that_goes_back_neither_breaks_nor_freezes_exponential_smoothing() -> None:
    frames = [(100.0, 1.0), (1.0, 0.0), (1.5, 0.0)]
    assert smoothed(Rules("exponential", 0.5), frames) == pytest.approx([1, 1, math.exp(-1)])


@BUSY
@given(FRAMES, st.integers(1, 12))
def test_a_window_of_frames_is_their_mean(scores: list[tuple[float, ...]], size: int) -> None:
    found = smoothed(Rules("frames", size), [(0.0, row[0]) for row in scores])
    for index, value in enumerate(found):
        assert value == pytest.approx(np.mean([row[0] for row in scores[: index + 1][-size:]]), abs=1e-9)


@BUSY
@given(FRAMES, TIMES, st.floats(0.01, 10))
def test_a_window_of_seconds_is_the_mean_of_the_young(
    scores: list[tuple[float, ...]], gaps: list[float], span: float
) -> None:
    captured = np.cumsum(gaps)
    found = smoothed(
        Rules("seconds", span), [(float(at), row[0]) for at, row in zip(captured, scores, strict=False)]
    )
    for index, value in enumerate(found):
        young = [scores[i][0] for i in range(index + 1) if captured[index] - captured[i] < span]
        assert value == pytest.approx(np.mean(young), abs=1e-9)


def test_a_window_of_seconds_is_bounded() -> None:
    frames = [(index * 1e-6, float(index)) for index in range(3 * LONGEST_WINDOW)]
    expected = np.mean(range(2 * LONGEST_WINDOW, 3 * LONGEST_WINDOW))
    assert smoothed(Rules("seconds", 1e6), frames)[-1] == pytest.approx(expected)


def test_an_emptied_window_keeps_no_rounding() -> None:
    assert smoothed(Rules("seconds", 1.0), [(0.0, 1e16), (0.1, 1.0), (5.0, 0.1)])[-1] == 0.1


def test_the_caller_may_use_its_array_again() -> None:
    for rules in (Rules("frames", 2), Rules("seconds", 9), Rules("exponential", 1)):
        decider, scores = Decider(["only"], rules), np.array([1.0])
        decider.decide(scores, 0.0, 0)
        assert scores.tolist() == [1.0]
        scores[0] = 0.0
        assert decider.decide(scores, 0.0, 1)[1] >= 0.5


@BUSY
@given(st.lists(st.tuples(st.floats(0.4, 0.59), st.floats(0, 0.59)), max_size=50))
def test_hysteresis_does_not_flicker(between: list[tuple[float, float]]) -> None:
    """Once in, a label stays while its score is LOW or more and no other reaches HIGH."""
    rules = Rules(enter=0.6, leave=0.4)
    assert set(labels(Decider(["a", "b"], rules), [(0.6, 0.0), *between])) == {"a"}
    assert set(labels(Decider(["a", "b"], rules), between)) <= {None}


def test_a_label_leaves_below_the_lower_score_and_yields_to_a_better_one() -> None:
    rows = [(0.7, 0.1), (0.4, 0.3), (0.39, 0.3), (0.59, 0.1), (0.6, 0.1), (0.5, 0.6), (0.55, 0.5)]
    found = labels(Decider(["a", "b"], Rules(enter=0.6, leave=0.4)), rows)
    assert found == ["a", "a", None, None, "a", "b", "b"]


def test_a_tie_changes_nothing() -> None:
    rows = [(0.2, 0.6), (0.5, 0.5), (0.7, 0.7), (0.7, 0.6)]
    assert labels(Decider(["a", "b"], Rules()), rows) == ["b", "b", "b", "a"]


@BUSY
@given(
    st.sampled_from([Rules(), Rules("exponential", 0.3), Rules("frames", 7), Rules("seconds", 0.55)]),
    st.lists(st.floats(-100, 100), min_size=1, max_size=5),
    st.data(),
)
def test_constant_scores_give_a_constant_label(
    smoothing: Rules, scores: list[float], data: st.DataObject
) -> None:
    """Even where a threshold is the very score: sums of it are rounded."""
    threshold = data.draw(st.sampled_from([-math.inf, *scores]))
    rules = Rules(smoothing.smoothing, smoothing.span, enter=threshold, leave=threshold)
    found = labels(Decider([str(index) for index in range(len(scores))], rules), [scores] * 60)
    assert len(set(found)) == 1
    assert found[0] is not None


def brute_force(candidates_of: Sequence[Sequence[float]], rules: Rules) -> list[str | None]:
    """The description of the module, word for word."""
    label: int | None = None
    since: list[int | None] = []  # the candidates after the last change
    found: list[str | None] = []
    for row in candidates_of:
        best = row.index(max(row))
        if label is not None and row[label] == row[best]:
            best = label
        candidate: int | None = None
        if row[best] >= rules.enter:
            candidate = best
        elif label is not None and row[label] >= rules.leave:
            candidate = label
        since.append(candidate)
        if candidate != label and since[-rules.frames :].count(candidate) >= rules.wins:
            label, since = candidate, []
        found.append(None if label is None else LABELS[label])
    return found


@BUSY
@given(FRAMES, st.integers(1, 6), st.integers(0, 6), st.sampled_from([(0.5, 0.5), (0.6, 0.3)]))
def test_confirmation_is_n_of_the_last_m(
    scores: list[tuple[float, ...]], wins: int, more: int, threshold: tuple[float, float]
) -> None:
    rules = Rules(enter=threshold[0], leave=threshold[1], wins=wins, frames=wins + more)
    assert labels(Decider(LABELS, rules), scores) == brute_force(scores, rules)


def test_confirmation_also_holds_for_the_end_of_a_label() -> None:
    rules = Rules(enter=0.5, leave=0.5, wins=2, frames=3)
    rows = [(1.0, 0.0), (0.0, 0.0), (1.0, 0.0), (0.0, 0.0), (1.0, 0.0), (0.0, 0.0), (0.0, 0.0)]
    assert labels(Decider(["a", "b"], rules), rows) == [None, None, "a", "a", "a", None, None]


def test_a_change_is_told_once_with_its_frame_score_and_time() -> None:
    decider = Decider(["a", "b"], Rules(enter=0.6, leave=0.4))
    before = time.time()
    captured = time.monotonic() - 5
    events = [
        decider.decide(np.array(row), captured, 10 + index)[2]
        for index, row in enumerate([(0.9, 0.1), (0.8, 0.1), (0.1, 0.7), (0.2, 0.3)])
    ]
    first, none, second, third = events
    assert none is None
    assert first is not None and second is not None and third is not None
    assert (first.label, first.previous, first.score, first.frame) == ("a", None, 0.9, 10)
    assert (second.label, second.previous, second.score, second.frame) == ("b", "a", 0.7, 12)
    assert (third.label, third.previous, third.score, third.frame) == (None, "b", 0.3, 13)
    assert first.time == pytest.approx(before - 5, abs=1)


def test_classes_of_one_name_are_one_label() -> None:
    decider = Decider(["crane", "crane"], Rules())
    assert decider.decide(np.array([1.0, 0.0]), 0.0, 0)[2] is not None
    assert decider.decide(np.array([0.0, 1.0]), 0.1, 1) == ("crane", 1.0, None)


def test_reset_forgets_everything() -> None:
    decider = Decider(["a", "b"], Rules("frames", 9, enter=0.5, leave=0.5, wins=2, frames=2))
    assert labels(decider, [(1.0, 0.0)] * 2) == [None, "a"]
    decider.reset()
    assert decider.label is None
    assert labels(decider, [(0.0, 1.0)] * 2) == [None, "b"]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("none", ("none", 0)),
        ("exponential:0.5", ("exponential", 0.5)),
        ("exponential:2s", ("exponential", 2)),
        ("window:15", ("frames", 15)),
        ("window:1.5s", ("seconds", 1.5)),
    ],
)
def test_smooth_reads(text: str, meaning: tuple[str, float]) -> None:
    assert parse_smooth(text) == meaning
    assert (Rules.from_texts(smooth=text).smoothing, Rules.from_texts(smooth=text).span) == meaning


@pytest.mark.parametrize(
    "text",
    [
        "",
        "exponential",
        "exponential:",
        "exponential:0",
        "exponential:-1",
        "exponential:nan",
        "exponential:infs",
        "window:0",
        "window:1.5",
        "window:1025",
        "window:0s",
        "window:s",
        "mean:3",
        "none:1",
    ],
)
def test_smooth_says_what_it_takes(text: str) -> None:
    with pytest.raises(UserError, match=f"^--smooth {text}: write none, exponential:0.5"):
        parse_smooth(text)


def test_threshold_and_confirm_read() -> None:
    assert parse_threshold("0.6") == (0.6, 0.6)
    assert parse_threshold("0.6,0.4") == (0.6, 0.4)
    assert parse_confirm("8/10") == (8, 10)
    rules = Rules.from_texts("window:3", "0.6,0.4", "8/10")
    assert rules == Rules("frames", 3, 0.6, 0.4, 8, 10)
    assert Rules.from_texts() == Rules()


@pytest.mark.parametrize("text", ["", "high", "0.6,", "0.6,0.5,0.4", "nan", "inf", "0.4,0.6"])
def test_threshold_says_what_it_takes(text: str) -> None:
    with pytest.raises(UserError, match=f"^--threshold {text}: "):
        parse_threshold(text)


@pytest.mark.parametrize("text", ["", "8", "8/", "/8", "0/3", "4/3", "-1/3", "1.5/3", "1/²", "1/1001"])
def test_confirm_says_what_it_takes(text: str) -> None:
    with pytest.raises(UserError, match=f"^--confirm {text}: write N/M"):
        parse_confirm(text)


@pytest.mark.parametrize(
    "values",
    [
        {"smoothing": "median"},
        {"smoothing": "exponential", "span": 0.0},
        {"smoothing": "frames", "span": 1.5},
        {"smoothing": "frames", "span": LONGEST_WINDOW + 1},
        {"enter": 0.4, "leave": 0.6},
        {"wins": 3, "frames": 2},
        {"wins": 1, "frames": LONGEST_CONFIRMATION + 1},
    ],
)
def test_rules_out_of_range_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(UserError):
        Rules(**values)  # type: ignore[arg-type]
