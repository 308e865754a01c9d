"""Listings of labelled images: folders of class folders, or zips of them, and their parts.

A source is a folder `<class>/<image>` or a zip with the same layout. Data either is such a source, or holds
two of them: `train` and `test` (also `training_set`, `test_set`, `val`), folders or zips, or folders in one
zip. One folder around everything else, as zips often have it, is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgecore.converters.data.left_out import LeftOut, shown
from edgecore.converters.data.listing import is_listing, read_listing
from edgecore.converters.data.reading import Reader, Unusable
from edgecore.converters.data.tree import Tree, joined
from edgecore.errors import UserError

TRAINING = ("train.zip", "train", "training_set")
TESTING = ("test.zip", "test", "test_set", "val.zip", "val")

OUTER = 3  # folders around all others that are passed over; links may make a circle

Item = tuple[str, int]


@dataclass(frozen=True)
class Source:
    """Where labelled images lie: `items` are (path inside, class index), sorted; nothing is decoded yet.

    `left_out` collects the images that turn out to be unusable; a source's parts share it.
    """

    path: Path
    classes: tuple[str, ...]
    items: tuple[Item, ...]
    left_out: LeftOut = field(compare=False, repr=False)

    def frames(self) -> Iterator[tuple[NDArray[np.uint8], int]]:
        """(frame, class index) in order; frames are (height, width, 3), blue-green-red, of their own sizes.

        Unusable images are left out. Raises UserError where they are too many; see `LeftOut`.
        """
        with Reader(self.path) as reader:
            for item in self.items:
                frame = self.frame(reader, item)
                if frame is not None:
                    yield frame, item[1]

    def frame(self, reader: Reader, item: Item) -> NDArray[np.uint8] | None:
        """One item's frame, or None where it is left out, which is noted. Raises UserError as `frames`."""
        name, index = item
        if name in self.left_out:
            return None
        try:
            return reader.frame(name)
        except Unusable as error:
            self.left_out.add(name, self.classes[index], str(error))
            return None

    def balanced(self, count: int) -> Source:
        """About `count` items, the same number of each class, spread evenly over each class."""
        per_class = max(1, count // len(self.classes))

        def spread(members: list[Item]) -> list[Item]:
            take = min(per_class, len(members))
            return [members[position * len(members) // take] for position in range(take)]

        return self._part(spread)

    def split(self, fraction: float) -> tuple[Source, Source]:
        """(the rest, every 1/`fraction`-th item of each class, at least one), for data without a test set.

        Raises UserError: a class with a single image, which would be in one part only.
        """
        self._need(2, "one to train with and one to test")
        step = max(2, round(1 / fraction))
        return self._without_and_with(lambda members: members[step - 1 :: step] or members[-1:])

    def folds(self, k: int) -> list[tuple[Source, Source]]:
        """`k` times (training, held out), for cross-validation; each item is held out once.

        Each class is cut, in its order, into `k` runs of neighbours whose lengths differ by at most 1, and
        fold i holds out run i of every class: contiguous folds without a shuffle, as SPP-COVID-Net's five,
        in which pictures of one patient, whose names are alike, mostly stay together.

        Raises UserError: fewer than two folds, or a class with fewer images than folds.
        """
        if k < 2:
            raise UserError(f"{k} folds are too few; give 2 or more")
        self._need(k, f"one for each of {k} folds")

        def run(fold: int) -> Callable[[list[Item]], list[Item]]:
            return lambda members: members[fold * len(members) // k : (fold + 1) * len(members) // k]

        return [self._without_and_with(run(fold)) for fold in range(k)]

    def _need(self, least: int, what: str) -> None:
        for index, name in enumerate(self.classes):
            count = sum(item[1] == index for item in self.items)
            if count < least:
                raise UserError(
                    f"{self.path}: class '{name}' has too few images ({count}): at least {least} are needed, "
                    f"{what}; add more"
                )

    def _without_and_with(self, choose: Callable[[list[Item]], list[Item]]) -> tuple[Source, Source]:
        held = self._part(choose)
        names = {name for name, _ in held.items}
        return replace(self, items=tuple(item for item in self.items if item[0] not in names)), held

    def _part(self, choose: Callable[[list[Item]], list[Item]]) -> Source:
        chosen: list[Item] = []
        for index in range(len(self.classes)):
            chosen += choose([item for item in self.items if item[1] == index])
        return replace(self, items=tuple(chosen))


def left_out(*sources: Source) -> list[str]:
    """A line for each folder or zip of which images were left out so far, for the end of a command."""
    known = {id(source.left_out): source.left_out for source in sources}
    return [str(images) for images in known.values() if images]


def open_source(path: str | Path, *, limit: int | None = None) -> Source:
    """Lists the images of a folder or zip.

    Args:
        limit: how many unusable images may be left out; see `LeftOut`.

    Raises UserError: it is missing, holds no classes, or one is empty.
    """
    tree = Tree(Path(path))
    *_, innermost = _levels(tree)
    return _source(tree, innermost, limit)


def _levels(tree: Tree) -> Iterator[str]:
    """The root, and the folder in it for as long as that is alone and has folders in turn."""
    at = ""
    yield at
    for _ in range(OUTER):
        folders = tree.folders(at)
        if len(folders) != 1 or tree.images(at):
            return
        at = joined(at, folders[0])
        if not tree.folders(at) or tree.images(at):
            return
        yield at


def _source(tree: Tree, at: str, limit: int | None) -> Source:
    path = tree.path / at
    members = {name: tree.images(joined(at, name)) for name in tree.folders(at)}
    if len(members) < 2:
        raise UserError(f"{path} holds {len(members)} class folders, at least 2 are needed: <class>/<image>")
    for name, files in members.items():
        if not name.isprintable():
            raise UserError(f"{path}: '{shown(name)}' is no name for a class; use printable characters")
        if not files:
            raise UserError(
                f"{path}: class '{name}' has no images (<class>/<image>.jpg, .png, ...); "
                "fill or remove the folder"
            )
    counts = {name: len(files) for name, files in members.items()}
    items = tuple((file, index) for index, files in enumerate(members.values()) for file in files)
    return Source(tree.path, tuple(members), items, LeftOut(path, counts, limit))


def open_splits(
    path: str | Path, held_out: float = 0.2, *, limit: int | None = None
) -> tuple[Source, Source]:
    """(training, test) of a data folder, a zip or a run's split.json.

    A single source is split, every class alike.
    `limit` is that of `open_source`, for each of the two.

    Raises UserError if nothing usable is there or if the two parts have different classes.
    """
    if is_listing(Path(path)):
        return _listed(Path(path), limit)
    tree = Tree(Path(path))
    found = [_part(tree, names) for names in (TRAINING, TESTING)]
    if None in found:
        return open_source(path, limit=limit).split(held_out)
    first, second = (_open_part(tree, part, limit) for part in found if part is not None)
    if first.classes != second.classes:
        only = [
            f"'{name}' is in {part} only"
            for part, here, there in ((found[0], first, second), (found[1], second, first))
            for name in here.classes
            if name not in there.classes
        ]
        raise UserError(f"{path}: class {', '.join(only)}; both need the same class folders")
    return first, second


def judged_source(path: str | Path, *, held_out: bool = False, limit: int | None = None) -> Source:
    """The test part of a data folder, a zip or a run's split.json.

    Of a single source it is all, or with `held_out` the part that training left out.
    """
    if is_listing(Path(path)):
        return _listed(Path(path), limit)[1]
    tree = Tree(Path(path))
    part = _part(tree, TESTING)
    if part is not None:
        return _open_part(tree, part, limit)
    return open_splits(path, limit=limit)[1] if held_out else open_source(path, limit=limit)


def _listed(path: Path, limit: int | None) -> tuple[Source, Source]:
    """The parts training and test of a split.json; see listing.py."""
    classes, parts = read_listing(path)
    sources = []
    for folder, items in parts:
        counts = {name: sum(item[1] == index for item in items) for index, name in enumerate(classes)}
        sources.append(Source(folder, classes, items, LeftOut(folder, counts, limit)))
    return sources[0], sources[1]


def _part(tree: Tree, names: Iterable[str]) -> str | None:
    """The path inside of the first of `names` that there is, a folder or, in a folder, a zip."""
    for at in _levels(tree):
        folders = tree.folders(at)
        for name in names:
            inside = joined(at, name)
            if name in folders or (tree.path / inside).is_file():
                return inside
    return None


def _open_part(tree: Tree, inside: str, limit: int | None) -> Source:
    if tree.path.is_file():
        return _source(tree, inside, limit)
    return open_source(tree.path / inside, limit=limit)
