"""Folders that stand for / on real boards: device-tree strings and /proc/cpuinfo as their owners posted them.

Sources: hrw/arm-socs-table, issues 6, 26, 28, 37, 63 and 96; adafruit/Adafruit_Python_PlatformDetect, pull
requests 210 and 379; the device trees in torvalds/linux; the documentation of raspberrypi.
"""

from __future__ import annotations

from pathlib import Path

A53 = "Features\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\nCPU part\t: 0xd03\n"
A72_32 = (
    "model name\t: ARMv7 Processor rev 3 (v7l)\n"
    "Features\t: half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm crc32\n"
    "CPU implementer\t: 0x41\nCPU architecture: 7\nCPU part\t: 0xd08\n"
)
A76 = (
    "Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 "
    "atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp\n"
    "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x4\nCPU part\t: 0xd0b\n"
)
A57 = (
    "Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid\n"
    "CPU implementer\t: 0x41\nCPU part\t: 0xd07\n"
)
CARMEL = (
    "model name\t: ARMv8 Processor rev 0 (v8l)\n"
    "Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp\n"
    "CPU implementer\t: 0x4e\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0x004\n"
)
A78AE = (
    "Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 "
    "atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp\n"
    "CPU implementer\t: 0x41\nCPU part\t: 0xd42\n"
)
X86 = "vendor_id\t: GenuineIntel\nmodel name\t: Intel(R) N100\nflags\t\t: fpu avx2 avx_vnni\n"

# The device tree's model, its compatible entries, one core of /proc/cpuinfo, and the profile's file.
REAL = [
    (
        "Raspberry Pi Zero 2 W Rev 1.0",
        "raspberrypi,model-zero-2-w brcm,bcm2837",
        A53,
        "raspberry-pi-zero-2-w",
    ),
    ("Raspberry Pi 3 Model B Rev 1.2", "raspberrypi,3-model-b brcm,bcm2837", A53, "raspberry-pi-3"),
    ("Raspberry Pi 3 Model B Plus Rev 1.3", "raspberrypi,3-model-b-plus brcm,bcm2837", A53, "raspberry-pi-3"),
    ("Raspberry Pi 4 Model B Rev 1.4", "raspberrypi,4-model-b brcm,bcm2711", A72_32, "raspberry-pi-4"),
    (
        "Raspberry Pi Compute Module 4 Rev 1.0",
        "raspberrypi,4-compute-module brcm,bcm2711",
        A72_32,
        "raspberry-pi-4",
    ),
    ("Raspberry Pi 400 Rev 1.0", "raspberrypi,400 brcm,bcm2711", A72_32, "raspberry-pi-4"),
    ("Raspberry Pi 5 Model B Rev 1.0", "raspberrypi,5-model-b brcm,bcm2712", A76, "raspberry-pi-5"),
    ("NVIDIA Jetson Nano Developer Kit", "nvidia,p3450-0000 nvidia,tegra210", A57, "jetson-nano"),
    (
        "NVIDIA Jetson Nano 2GB Developer Kit",
        "nvidia,p3541-0000 nvidia,p3450-0000 nvidia,tegra210",
        A57,
        "jetson-nano",
    ),
    (
        "NVIDIA Jetson Xavier NX Developer Kit",
        "nvidia,p3668-0000 nvidia,p3509-0000+p3668-0000 nvidia,tegra194",
        CARMEL,
        "jetson-xavier-nx",
    ),
    (
        "NVIDIA Orin Nano Developer Kit",
        "nvidia,p3768-0000+p3767-0005 nvidia,p3767-0005 nvidia,tegra234",
        A78AE,
        "jetson-orin-nano",
    ),
    (
        "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super",
        "nvidia,p3768-0000+p3767-0005-super nvidia,p3767-0005 nvidia,tegra234",
        A78AE,
        "jetson-orin-nano",
    ),
]


def write(root: Path, files: dict[str, str]) -> Path:
    """Files under `root`, their folders made; returns `root`."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def board(root: Path, model: str, compatible: str = "", cpu: str = "", cores: int = 4) -> Path:
    """A board that calls itself so; nothing is written of what is empty."""
    files = {
        "proc/device-tree/model": f"{model}\0" if model else "",
        "proc/device-tree/compatible": "".join(f"{entry}\0" for entry in compatible.split()),
        "proc/cpuinfo": (cpu + "\n") * cores if cpu else "",
    }
    return write(root, {name: text for name, text in files.items() if text})


def program(path: Path, output: str, status: int = 0) -> None:
    """A program that prints `output`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{output}\nEND\nexit {status}\n")
    path.chmod(0o755)
