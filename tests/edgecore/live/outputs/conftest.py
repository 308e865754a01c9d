"""A disk that a test can fill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from disks import SmallDisk, mounted


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 1 MiB."""
    with mounted(tmp_path / "disk", 1) as disk:
        yield disk
