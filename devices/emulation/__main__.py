"""python -m edgecore.devices.emulation: prepare the roots, run a program on an emulated core, count one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from edgecore.devices.emulation import cpus, guest_count, roots
from edgecore.devices.emulation.inference import count_inference
from edgecore.devices.emulation.qemu import Emulator
from edgecore.devices.emulation.sites import site_for
from edgecore.errors import USER_ERROR, UserError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m edgecore.devices.emulation", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    prepare = commands.add_parser("prepare", help="make the roots that are not there, and print their paths")
    prepare.add_argument("arch", nargs="*", help=f"default: {' '.join(cpus.ARCHITECTURES)}")
    prepare.set_defaults(action=_prepare)

    run = commands.add_parser("run", help="run a program of a root")
    _add_target(run)
    run.add_argument("--isolated", action="store_true", help="under proot, so that every child is emulated")
    run.add_argument(
        "--bind", action="append", default=[], metavar="FROM[:TO]", help="a folder, for --isolated"
    )
    run.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND ...", help="such as python3 x.py")
    run.set_defaults(action=_run)

    count = commands.add_parser("count", help="count the instructions of one inference with one thread")
    _add_target(count)
    count.add_argument("--runtime", choices=guest_count.RUNTIMES, default="edgecore")
    count.add_argument("--isa", help="force one of edgecore's tiers")
    count.add_argument("model", nargs="+", type=Path)
    count.set_defaults(action=_count)
    return parser


def _add_target(parser: argparse.ArgumentParser) -> None:
    listing = "; ".join(f"{arch}: {', '.join(cpus.names(arch))}" for arch in cpus.ARCHITECTURES)
    parser.add_argument("--arch", default="aarch64", help=f"default: aarch64. {listing}")
    parser.add_argument("--cpu", required=True)
    parser.add_argument("--wheel", action="append", default=[], help="lay a wheel over the root")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="for the program")


def _environment(words: Sequence[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise UserError(f"--env {name}: not NAME=VALUE; write for instance --env EDGECORE_ISA=neon")
    return {name: value for name, _, value in pairs}


def _binds(words: Sequence[str]) -> list[tuple[str, str]]:
    return [(outside, inside or outside) for outside, _, inside in (word.partition(":") for word in words)]


def _site(arguments: argparse.Namespace) -> Path | None:
    return site_for(arguments.wheel, arguments.arch) if arguments.wheel else None


def _prepare(arguments: argparse.Namespace) -> int:
    for arch in arguments.arch or cpus.ARCHITECTURES:
        print(roots.prepare(arch), flush=True)
    return 0


def _run(arguments: argparse.Namespace) -> int:
    if not arguments.words:
        raise UserError("no program to run; end the line with for instance python3 -V")
    if arguments.bind and not arguments.isolated:
        raise UserError("--bind is for --isolated; without it the host's files are seen already")
    env = _environment(arguments.env)
    done = Emulator(arguments.arch, arguments.cpu).run(
        arguments.words,
        site=_site(arguments),
        env=env,
        isolated=arguments.isolated,
        binds=_binds(arguments.bind),
        capture=False,
    )
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


def _count(arguments: argparse.Namespace) -> int:
    env = _environment(arguments.env)
    for model in arguments.model:
        if not model.is_file():
            raise UserError(f"{model}: no such file; give the path of a .tflite file")
    emulator, site = Emulator(arguments.arch, arguments.cpu), _site(arguments)
    for model in arguments.model:
        found = count_inference(emulator, model, arguments.runtime, site=site, env=env, isa=arguments.isa)
        counts = found.counts
        print(
            f"{model.stem}: {counts.total / 1e6:.2f} M instructions, {counts.simd / 1e6:.2f} M SIMD and FP, "
            f"{counts.memory / 1e6:.2f} M loads and stores, {counts.dot / 1e6:.2f} M dot products; "
            f"sha256 {found.sha256[:16]}",
            flush=True,
        )
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    try:
        arguments = _parser().parse_args(argv)
        status: int = arguments.action(arguments)
        return status
    except UserError as error:
        print(f"edgecore: {error}", file=sys.stderr)
        return USER_ERROR


if __name__ == "__main__":
    sys.exit(main())
