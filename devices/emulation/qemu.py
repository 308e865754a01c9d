"""Runs a program of an emulated root on a chosen core.

By default QEMU's own path prefix stands for the root: what the root has is taken from it, everything else,
the current folder and /tmp above all, is the host's. That is fast and needs no list of folders, and Python's
children that are started through sys.executable are emulated too; other children (a shell's) would be the
host's programs. With `isolated` the program runs under proot, in which / is the root and every child is
emulated; that takes about a sixth more time.

QEMU 7.2 does not put the prefix before statx's path, which every stat() of a 32-bit glibc is. So Python is
told by a pyvenv.cfg to look for its library below the prefix, by its whole path. pip refuses armv7l wheels
there, because sys.executable is a script and no ARM program: install wheels with `isolated`.
"""

from __future__ import annotations

import hashlib
import os
import resource
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgecore.devices.emulation import cache, cpus, programs, roots
from edgecore.devices.emulation.counting import Section, plugin, read_sections, scratch_file
from edgecore.errors import UserError

# Raise it when what _make_view lays down changes.
_VIEW_REVISION = 1
_QEMU = {"aarch64": "qemu-aarch64", "armv7l": "qemu-arm"}
_FROM_ROOT = ("bin", "etc", "lib", "sbin", "usr")
_PYTHON = f"/usr/bin/python{roots.PYTHON}"
_VENV_PYTHON = "venv/bin/python3"
# PRoot may report success for a program that a signal ended; its shell tells, as 128 + the signal's number.
_WITH_STATUS = '"$@"; exit $?'
_PYTHON_NAMES = ("python", "python3", f"python{roots.PYTHON}")


class Emulator:
    """One core of one architecture, over that architecture's root, which is prepared if it is not there."""

    def __init__(self, arch: str, cpu: str) -> None:
        self.cpu = cpus.find(arch, cpu)
        self.arch = arch
        self._qemu = programs.find(_QEMU[arch])
        self.root = roots.prepare(arch)
        self._view_path = cache.folder() / "views" / f"{self.root.name}-{self._view_key()}"
        self._view = cache.make_once(self._view_path, self._make_view)

    @property
    def python(self) -> Path:
        """A program of the host's that is the emulated Python: for tools that want the path of one."""
        return self._view / _VENV_PYTHON

    def run(
        self,
        command: Sequence[str | Path],
        *,
        site: Path | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        isolated: bool = False,
        binds: Sequence[tuple[str | Path, str]] = (),
        timeout: float | None = None,
        capture: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command; its status is negative when a signal ended it, as subprocess reports it.

        command: its first word is "python3", a program of the root's (by name or path), or an ARM program of
        the host's. site: a folder of `site_for`. env: beside a small clean environment; nothing of the
        caller's environment is passed on. isolated: under proot; binds are (folder, its name inside) for it,
        beside the current folder and the site.
        """
        here = Path(cwd or Path.cwd()).absolute()
        words = [str(word) for word in command]
        if binds and not isolated:
            raise ValueError("binds are for isolated=True")
        if isolated:
            places = [(here, str(here)), *([(site, str(site))] if site else []), *binds]
            arguments = self._isolated(words, here, places)
        else:
            arguments = [*self._prefix(words[0], here), *words[1:]]
        done = _execute(arguments, self._environment(site, env), here, timeout, capture)
        if isolated and 128 < done.returncode <= 128 + signal.SIGRTMAX:
            done.returncode = 128 - done.returncode
        return done

    def count(
        self,
        command: Sequence[str | Path],
        *,
        site: Path | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        timeout: float | None = None,
    ) -> tuple[list[Section], subprocess.CompletedProcess[str]]:
        """Runs a command and counts its instructions between its calls of os.getppid().

        Section 0 is from the start to the first call, the last one from the last call to the end. Children
        are not counted, and the counts of a program with several threads are not exact.
        """
        with scratch_file() as out:
            options = ["-plugin", f"{plugin()},out={out}"]
            words = [str(word) for word in command]
            here = Path(cwd or Path.cwd()).absolute()
            arguments = [*self._prefix(words[0], here, options), *words[1:]]
            done = _execute(arguments, self._environment(site, env), here, timeout, capture=True)
            return read_sections(out), done

    def _view_key(self) -> str:
        text = "\n".join([str(_VIEW_REVISION), self._qemu, self.cpu.model, self.cpu.cpuinfo()])
        return f"{self.cpu.name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    def _make_view(self, view: Path) -> None:
        """The root by links, with this core's /proc/cpuinfo and a Python that runs on it."""
        for name in _FROM_ROOT:
            (view / name).symlink_to(self.root / name)
        (view / "proc").mkdir()
        (view / "proc/cpuinfo").write_text(self.cpu.cpuinfo())
        final = self._view_path
        (view / "venv/bin").mkdir(parents=True)
        (view / "venv/pyvenv.cfg").write_text(
            f"home = {final}/usr/bin\ninclude-system-site-packages = true\nversion = {roots.PYTHON}\n"
        )
        start = [self._qemu, "-cpu", self.cpu.model, "-L", str(final), "-0", str(final / _VENV_PYTHON)]
        python = view / _VENV_PYTHON
        python.write_text(f'#!/bin/sh\nexec {shlex.join([*start, f"{final}{_PYTHON}"])} "$@"\n')
        python.chmod(0o755)

    def _prefix(self, program: str, here: Path, options: Sequence[str] = ()) -> list[str]:
        """QEMU's command line up to and with the program."""
        start = [self._qemu, "-cpu", self.cpu.model, "-L", str(self._view), *options]
        if program in _PYTHON_NAMES:
            return [*start, "-0", str(self.python), f"{self._view}{_PYTHON}"]
        return [*start, self._path(program, here)]

    def _path(self, program: str, here: Path) -> str:
        folders = ("",) if "/" in program else ("/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/")
        for folder in folders:
            inside = Path(f"{self._view}{folder}{program}")
            if f"{folder}{program}".startswith("/") and inside.is_file():
                return str(inside)
        if "/" in program and (here / program).is_file():
            return str(here / program)
        raise UserError(f"{program} is neither in the {self.arch} root nor a file; mend the command")

    def _isolated(self, words: list[str], here: Path, places: Sequence[tuple[str | Path, str]]) -> list[str]:
        qemu = programs.find(f"{_QEMU[self.arch]}-static")
        command = [programs.find("proot"), "-q", f"{qemu} -cpu {self.cpu.model}", "-r", str(self.root)]
        system = [(folder, folder) for folder in ("/dev", "/proc", "/sys", "/tmp")]
        cpuinfo = (f"{self._view}/proc/cpuinfo", "/proc/cpuinfo")
        for outside, inside in [*system, cpuinfo, *places]:
            command += ["-b", f"{outside}:{inside}"]
        program = _PYTHON if words[0] in _PYTHON_NAMES else words[0]
        command += ["-w", str(here), "/bin/sh", "-c", _WITH_STATUS, "sh", program, *words[1:]]
        if self.arch == "armv7l":
            command[:0] = [sys.executable, str(Path(__file__).with_name("without_statx.py"))]
        return command

    def _environment(self, site: Path | None, env: Mapping[str, str] | None) -> dict[str, str]:
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": os.environ.get("HOME", "/tmp"),
            "LC_ALL": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",  # neither the root nor the tree is written to
            "PYTHONNOUSERSITE": "1",
            "OPENBLAS_NUM_THREADS": "1",  # numpy's threads would only wait
            **({"PYTHONPATH": str(site)} if site else {}),
            **(env or {}),
        }


def _execute(
    arguments: list[str], env: dict[str, str], cwd: Path, timeout: float | None, capture: bool
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        env=env,
        cwd=cwd,
        timeout=timeout,
        capture_output=capture,
        text=True,
        errors="replace",
        preexec_fn=_no_core_files,
    )


def _no_core_files() -> None:
    """QEMU writes its guest's core file into the current folder."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
