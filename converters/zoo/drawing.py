"""The block structure of a network as text: a rail for every tensor still needed, a dot for every step.

    ●      fire2_squeeze1x1  conv 1x1 16 relu  55x55x16
    ├─●    fire2_expand1x1   conv 1x1 64 relu  55x55x64
    ● │    fire2_expand3x3   conv 3x3 64 relu  55x55x64
    ●─╯    fire2_concat      concat            55x55x128

What repeats without a change is drawn once.
"""

from __future__ import annotations

from typing import NamedTuple

import keras

from edgecore.converters.zoo.graph import Row, rows

LONGEST_PERIOD = 4


class Rails:
    """The tensors that later rows read, each on a lane of its own."""

    def __init__(self) -> None:
        self.lanes: list[int | None] = []

    def draw(self, row: Row, unread: dict[int, int]) -> str:
        """Places the row's result, and returns the rails beside it; `unread` counts the readers to come."""
        before = list(self.lanes)
        sources = [self.lanes.index(key) for key in dict.fromkeys(map(id, row.steps[0].inputs))]
        for tensor in row.steps[0].inputs:
            unread[id(tensor)] -= 1
        ending = [lane for lane in sources if unread[before[lane] or 0] == 0]
        for lane in ending:
            self.lanes[lane] = None
        # A split's parts share its lane, the first free ones to its right.
        results = [id(tensor) for tensor in row.steps[-1].outputs if unread.get(id(tensor))]
        own = min(ending) if ending else self._free(max(sources, default=-1) + 1)
        self._put(own, results[0] if results else None)
        places = [own]
        for key in results[1:]:
            places.append(self._free(own + 1))
            self._put(places[-1], key)
        return _line(before, own, sources, ending, places)

    def alone(self) -> bool:
        """Whether one tensor is all that goes on."""
        return sum(key is not None for key in self.lanes) <= 1

    def _free(self, start: int) -> int:
        free = (lane for lane in range(start, len(self.lanes)) if self.lanes[lane] is None)
        return next(free, max(start, len(self.lanes)))

    def _put(self, lane: int, key: int | None) -> None:
        self.lanes += [None] * (lane + 1 - len(self.lanes))
        self.lanes[lane] = key
        while self.lanes and self.lanes[-1] is None:
            self.lanes.pop()


def _line(
    before: list[int | None], own: int, sources: list[int], ending: list[int], places: list[int]
) -> str:
    touched = {own, *sources, *places}
    first, last = min(touched), max(touched)
    text = ""
    for lane in range(max(len(before), last + 1)):
        live = lane < len(before) and before[lane] is not None
        if lane == own:
            mark = "●"
        elif lane in places:
            mark = "╮" if lane == last else "┬"
        elif lane in ending:
            mark = "╯" if lane == last else "╰" if lane == first else "┴"
        elif lane in sources:
            mark = "├" if lane == first else "┤" if lane == last else "┼"
        else:
            mark = "│" if live else "─" if first < lane < last else " "
        text += mark + ("─" if first <= lane < last else " ")
    return text.rstrip()


class Line(NamedTuple):
    """Rails, name, what is computed, shape; and whether one tensor is all that goes on."""

    cells: tuple[str, str, str, str]
    alone: bool


def _padded(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def draw(model: keras.Model) -> str:
    """The whole drawing, a line per row: rails, name, what it computes, shape."""
    found = rows(model)
    unread: dict[int, int] = {}
    for row in found:
        for tensor in row.steps[0].inputs:
            unread[id(tensor)] = unread.get(id(tensor), 0) + 1
    rails = Rails()
    lines = [Line((rails.draw(row, unread), row.name, row.text, row.shape), rails.alone()) for row in found]
    widths = [max(len(line.cells[column]) for line in lines) for column in range(4)]
    text: list[str] = []
    blocks = _blocks(lines)
    position = 0
    while position < len(blocks):
        period, times = _repeats(blocks, position)
        for block in blocks[position : position + period]:
            text += [_padded(line.cells, widths) for line in block]
        position += period * times
        if times > 1:
            again = "once more" if times == 2 else f"{times - 1} times more"
            text.append(f"{'⋮':<{widths[0]}}  the same {again}, to {blocks[position - 1][-1].cells[1]}")
    return "\n".join(text)


def _blocks(lines: list[Line]) -> list[list[Line]]:
    """The lines between places where one tensor is all that goes on."""
    blocks: list[list[Line]] = [[]]
    for line in lines:
        blocks[-1].append(line)
        if line.alone:
            blocks.append([])
    return [block for block in blocks if block]


def _repeats(blocks: list[list[Line]], start: int) -> tuple[int, int]:
    """(period, times) of what repeats from `start` on, names aside, so that most lines are spared.

    A single line is not spared: the remark would take its place.
    """
    looks = [[(line.cells[0], *line.cells[2:]) for line in block] for block in blocks]
    best = (1, 1)
    spared = 0
    for period in range(1, LONGEST_PERIOD + 1):
        unit = looks[start : start + period]
        times = 1
        while looks[start + times * period : start + (times + 1) * period] == unit:
            times += 1
        saved = sum(map(len, unit)) * (times - 1)
        if saved > max(spared, 1):
            best, spared = (period, times), saved
    return best
