"""Where the programs are that the project does not bring along."""

from __future__ import annotations

import shutil

from edgecore.errors import UserError

_LLVM = "19"
_PACKAGES = {"llvm-objdump": f"llvm-{_LLVM}", "llvm-mca": f"llvm-{_LLVM}"}


def program(name: str) -> str:
    """The path of `name`, or of its Debian form with LLVM's version behind it.

    Raises UserError: it is not installed.
    """
    found = shutil.which(f"{name}-{_LLVM}") or shutil.which(name)
    if found is None:
        raise UserError(f"{name} is not installed; apt-get install {_PACKAGES[name]}")
    return found
