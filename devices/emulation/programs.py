"""The host's programs that emulation needs, and the one line that says which is missing or failed."""

from __future__ import annotations

import shutil
import subprocess

from edgecore.errors import UserError

_SYSTEM_FOLDERS = ("/usr/sbin", "/sbin")  # debootstrap's, which is not on every PATH
_PACKAGES = {
    "debootstrap": "debootstrap",
    "dpkg": "dpkg",
    "proot": "proot",
    "gcc": "gcc",
    "llvm-mca-19": "llvm-19",
    "llvm-objdump-19": "llvm-19",
    "qemu-aarch64": "qemu-user",
    "qemu-arm": "qemu-user",
    "qemu-aarch64-static": "qemu-user-static",
    "qemu-arm-static": "qemu-user-static",
}


def find(name: str) -> str:
    """The path of a program of the host's."""
    path = shutil.which(name)
    for folder in _SYSTEM_FOLDERS:
        path = path or shutil.which(name, path=folder)
    if path is None:
        raise UserError(f"{name} is not installed; apt-get install {_PACKAGES[name]}")
    return path


def call(command: list[str], purpose: str, advice: str = "run it by hand to see more") -> str:
    """Standard output of a command that must succeed; else a UserError with the command's own reason."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        lines = [line for line in (done.stderr + "\n" + done.stdout).splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith(("E:", "ERROR"))]
        reason = (errors or lines or [f"exit status {done.returncode}"])[-1].strip()
        raise UserError(f"{purpose} failed ({reason}); {advice}")
    return done.stdout
