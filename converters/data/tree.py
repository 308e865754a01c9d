"""What lies in a folder or a zip, listed alike."""

from __future__ import annotations

import zipfile
from pathlib import Path

from edgecore.camera.uri import IMAGE_SUFFIXES
from edgecore.converters.data.reading import ZIP_DAMAGE
from edgecore.errors import UserError

ENCRYPTED = 0x1  # flag of a zip's member


def is_image(name: str) -> bool:
    """Whether a file's name is one of an image that is not hidden."""
    return Path(name).suffix.lower() in IMAGE_SUFFIXES and not name.startswith(".")


def joined(at: str, name: str) -> str:
    """The path of `name` in the folder `at`, which is "" for the root."""
    return f"{at}/{name}" if at else name


def _hidden(folder: str) -> bool:
    return folder.startswith(".") or folder == "__MACOSX"


class Tree:
    """The folders of a folder or zip and the images directly in each, sorted by name on every file system.

    Raises UserError: nothing is there, it cannot be read, or it is encrypted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zipped: dict[str, tuple[set[str], set[str]]] | None = None
        try:
            zipped, there = path.is_file(), path.exists()
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}; check it") from error
        if not there:
            raise UserError(f"no data at {path}; give a folder or zip of class folders")
        if zipped:
            self._zipped = _of_zip(path)

    def folders(self, at: str = "") -> list[str]:
        """Names of the folders in the folder `at`; hidden ones are left out."""
        return [name for name in self._listed(at)[0] if not _hidden(name)]

    def images(self, at: str) -> list[str]:
        """Paths, from the root, of the images in the folder `at`; hidden ones are left out."""
        return [joined(at, name) for name in self._listed(at)[1] if is_image(name)]

    def _listed(self, at: str) -> tuple[list[str], list[str]]:
        if self._zipped is not None:
            folders, files = self._zipped.get(at, (set(), set()))
            return sorted(folders), sorted(files)
        folder = self.path / at
        try:
            names = sorted(entry.name for entry in folder.iterdir())
            # What bears an image's name is not looked at here, which saves a call for each file.
            return [name for name in names if not is_image(name) and (folder / name).is_dir()], names
        except OSError as error:
            raise UserError(f"{folder} cannot be listed: {error.strerror}; check it") from error


def _of_zip(path: Path) -> dict[str, tuple[set[str], set[str]]]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; check it") from error
    except ZIP_DAMAGE as error:
        raise UserError(
            f"{path} is neither a folder nor a readable zip; give one of class folders"
        ) from error
    if any(member.flag_bits & ENCRYPTED for member in members):
        raise UserError(f"{path} is encrypted; unpack it with its password and give the folder")
    tree: dict[str, tuple[set[str], set[str]]] = {}
    for member in members:
        *folders, file = member.filename.split("/")
        if not {"", ".", ".."}.isdisjoint(folders):  # no path of the archive's own tree
            continue
        for depth, name in enumerate(folders):
            tree.setdefault("/".join(folders[:depth]), (set(), set()))[0].add(name)
        if file:
            tree.setdefault("/".join(folders), (set(), set()))[1].add(file)
    return tree
