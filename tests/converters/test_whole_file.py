"""Files are replaced whole, or what was there stands and nothing is left beside it."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from edgecore.converters.whole_file import check_place, write_text, write_whole
from edgecore.errors import UserError


def test_folders_are_made_and_a_text_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "table.md"
    write_text(path, "one", "mend it")
    write_text(path, "Öl", "mend it")
    assert path.read_bytes() == "Öl".encode()
    assert [file.name for file in path.parent.iterdir()] == ["table.md"]


@pytest.mark.parametrize(
    ("raised", "seen", "said"),
    [
        (
            OSError(errno.ENOSPC, "full"),
            UserError,
            r"cannot write .*model.keras: No space left on device; mend",
        ),
        (OSError("file write failed"), UserError, "cannot write .*model.keras: file write failed; mend it"),
        (KeyboardInterrupt(), KeyboardInterrupt, None),
    ],
)
def test_what_was_there_stands_after_a_failure_or_a_stop(
    tmp_path: Path, raised: BaseException, seen: type[BaseException], said: str | None
) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(b"good")

    def half(part: Path) -> None:
        assert part.suffix == ".keras"
        part.write_bytes(b"ba")
        raise raised

    with pytest.raises(seen, match=said):
        write_whole(path, half, "mend it")
    assert path.read_bytes() == b"good"
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]


def test_a_folder_that_is_a_file_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match=r"cannot write .*mend it"):
        write_text(tmp_path / "file" / "table.md", "x", "mend it")


def test_a_place_is_checked_before_the_work_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "new" / "model.tflite"
    check_place(path, "mend it")
    assert not list(path.parent.iterdir())
    with pytest.raises(UserError, match="it is a folder; mend it"):
        check_place(tmp_path, "mend it")
    with pytest.raises(UserError, match=r"cannot write /proc/x: .*; mend it"):
        check_place(Path("/proc/x"), "mend it")
