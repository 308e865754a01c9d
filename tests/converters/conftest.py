"""Tiny labelled sets that tell a correct pipeline from a broken one: red against blue."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgecore.converters.host import require_tensorflow


def write_set(folder: Path, count: int, *, seed: int, size: tuple[int, int] = (40, 48)) -> None:
    """`count` noisy images of each of the classes blue and red."""
    random = np.random.default_rng(seed)
    for name, channel in (("blue", 0), ("red", 2)):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            image = random.integers(0, 90, (*size, 3)).astype(np.uint8)
            image[..., channel] += 120
            assert cv2.imwrite(str(folder / name / f"{number:02}.png"), image)


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with train (40 a class) and test (10 a class)."""
    folder = tmp_path_factory.mktemp("colours")
    write_set(folder / "train", 40, seed=1)
    write_set(folder / "test", 10, seed=2)
    return folder


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[[Path], Path]:
    """zipped(folder) -> a zip of the same images, stored."""

    def build(folder: Path) -> Path:
        target = tmp_path / f"{folder.name}.zip"
        with zipfile.ZipFile(target, "w") as archive:
            for path in sorted(folder.rglob("*.png")):
                archive.write(path, path.relative_to(folder).as_posix())
        return target

    return build


@pytest.fixture(scope="session")
def tensorflow(need_module: Callable[[str], None]) -> None:
    """Ends a test where TensorFlow is missing; imports it quietly where it is there."""
    need_module("tensorflow")
    require_tensorflow()
