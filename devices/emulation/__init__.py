"""ARM without a board: Debian roots for aarch64 and armv7l, run under QEMU's user mode on a chosen core.

    Emulator("aarch64", "cortex-a76").run(["python3", "-c", "import platform; print(platform.machine())"])

For developers and CI on an x86 host; no part of the wheel. `python -m edgecore.devices.emulation --help` is
the command line.
"""
