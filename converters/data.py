"""Labelled images: folders of class folders, or zips of them, decoded through the device's preprocessing.

A source is a folder `<class>/<image>` or a zip with the same layout. A data folder either is such a
source, or holds two of them: `train` and `test` (also `training_set`, `test_set`, `val`), folders or zips.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgecore.errors import UserError
from edgecore.preprocess import Preprocessing, image_of

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
TRAINING = ("train.zip", "train", "training_set")
TESTING = ("test.zip", "test", "test_set", "val.zip", "val")


@dataclass(frozen=True)
class Source:
    """Where labelled images lie: `items` are (path inside, class index), sorted; nothing is decoded yet."""

    path: Path
    classes: tuple[str, ...]
    items: tuple[tuple[str, int], ...]

    def frames(self) -> Iterator[tuple[NDArray[np.uint8], int]]:
        """(frame, class index) in order; frames are (height, width, 3), blue-green-red, of their own sizes.

        Raises UserError for an image that does not decode.
        """
        import cv2

        archive = zipfile.ZipFile(self.path) if self.path.is_file() else None
        try:
            for name, index in self.items:
                data = archive.read(name) if archive else (self.path / name).read_bytes()
                frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
                if frame is None:
                    raise UserError(f"{self.path}: {name} is no image that decodes; remove or replace it")
                yield np.asarray(frame, np.uint8), index
        finally:
            if archive:
                archive.close()

    def balanced(self, count: int) -> Source:
        """About `count` items, the same number of each class, spread evenly over each class."""
        per_class = max(1, count // len(self.classes))
        chosen: list[tuple[str, int]] = []
        for index in range(len(self.classes)):
            members = [item for item in self.items if item[1] == index]
            take = min(per_class, len(members))
            chosen += [members[position * len(members) // take] for position in range(take)]
        return Source(self.path, self.classes, tuple(chosen))

    def split(self, fraction: float) -> tuple[Source, Source]:
        """(the rest, every 1/`fraction`-th item of each class), for data without a test set."""
        step = max(2, round(1 / fraction))
        held: list[tuple[str, int]] = []
        kept: list[tuple[str, int]] = []
        for index in range(len(self.classes)):
            members = [item for item in self.items if item[1] == index]
            for position, item in enumerate(members):
                (held if position % step == step - 1 else kept).append(item)
        return Source(self.path, self.classes, tuple(kept)), Source(self.path, self.classes, tuple(held))


def open_source(path: str | Path) -> Source:
    """Lists the images of a folder or zip; UserError if it is missing, holds no classes, or one is empty."""
    path = Path(path)
    if path.is_dir():
        folders = sorted(
            entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith(".")
        )
        members = {
            folder.name: sorted(
                f"{folder.name}/{entry.name}" for entry in folder.iterdir() if _is_image(entry.name)
            )
            for folder in folders
        }
    elif path.is_file():
        members = _zip_members(path)
    else:
        raise UserError(f"no data at {path}; give a folder or zip of class folders")
    if len(members) < 2:
        raise UserError(f"{path} holds {len(members)} class folders, at least 2 are needed: <class>/<image>")
    for name, files in members.items():
        if not files:
            raise UserError(
                f"{path}: class '{name}' has no images ({', '.join(SUFFIXES)}); fill or remove the folder"
            )
    classes = tuple(sorted(members))
    items = tuple((file, index) for index, name in enumerate(classes) for file in members[name])
    return Source(path, classes, items)


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _zip_members(path: Path) -> dict[str, list[str]]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(archive.namelist())
    except zipfile.BadZipFile as error:
        raise UserError(
            f"{path} is neither a folder nor a readable zip; give one of class folders"
        ) from error
    members: dict[str, list[str]] = {}
    for name in names:
        folder, slash, file = name.partition("/")
        if slash:
            files = members.setdefault(folder, [])
            if _is_image(file):
                files.append(name)
    return members


def open_splits(path: str | Path, held_out: float = 0.2) -> tuple[Source, Source]:
    """(training, test) of a data folder; a single source is split, every class alike.

    Raises UserError if nothing usable is there or if the two parts have different classes.
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"no data at {path}; give a folder with train and test, or of class folders")
    training, testing = _first(path, TRAINING), _first(path, TESTING)
    if training is None or testing is None:
        return open_source(path).split(held_out)
    first, second = open_source(training), open_source(testing)
    if first.classes != second.classes:
        differing = sorted(set(first.classes) ^ set(second.classes))
        raise UserError(
            f"{training.name} and {testing.name} in {path} differ in classes: {', '.join(differing)}"
        )
    return first, second


def judged_source(path: str | Path, *, held_out: bool = False) -> Source:
    """The test part of a data folder; of a single source all, or the part that training left out."""
    found = _first(Path(path), TESTING) if Path(path).is_dir() else None
    return open_splits(path)[1] if held_out and found is None else open_source(found or path)


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).exists()), None)


def load(source: Source, spec: Preprocessing) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """All images, uint8 (n, height, width, channels) in `spec`'s order, and their class indices (n,)."""
    channels = 1 if spec.order == "GREY" else 3
    images = np.empty((len(source.items), spec.height, spec.width, channels), np.uint8)
    labels = np.empty(len(source.items), np.int64)
    for position, (frame, index) in enumerate(source.frames()):
        images[position] = image_of(frame, spec).reshape(images.shape[1:])
        labels[position] = index
    return images, labels


def to_input(images: NDArray[np.uint8], spec: Preprocessing) -> NDArray[np.float32]:
    """The network's float input (pixel - mean) * scale for uint8 images (..., channels)."""
    mean, scale = np.asarray(spec.mean, np.float32), np.asarray(spec.scale, np.float32)
    return (images.astype(np.float32) - mean) * scale
