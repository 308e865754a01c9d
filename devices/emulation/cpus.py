"""The cores that are emulated: QEMU's model of each, and the /proc/cpuinfo that a kernel would show on it."""

from __future__ import annotations

from dataclasses import dataclass

from edgecore.errors import UserError

_ARMV8 = "fp asimd aes pmull sha1 sha2 crc32 cpuid"
_ARMV8_2 = "fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
_ARMV8_6 = (
    "fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm jscvt fcma lrcpc dcpop sha3 sm3 "
    "sm4 asimddp sha512 asimdfhm dit uscat ilrcpc flagm ssbs sb paca pacg dcpodp flagm2 frint i8mm bf16 rng "
    "bti mte"
)
_ARMV7 = "half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae"
_ARMV7_VFP = "swp half thumb fastmult vfp edsp thumbee vfpv3 tls vfpd32"


@dataclass(frozen=True)
class Cpu:
    """A core. `model` is QEMU's -cpu; `features` are the names in /proc/cpuinfo."""

    name: str
    arch: str
    model: str
    features: str
    part: str
    revision: str = "8"  # "CPU architecture" of /proc/cpuinfo

    def cpuinfo(self) -> str:
        """One core's /proc/cpuinfo. LiteRT 2.3 crashes on an ARM core beside the host's own file."""
        model = "model name\t: ARMv7 Processor rev 0 (v7l)\n" if self.arch == "armv7l" else ""
        return (
            f"processor\t: 0\n{model}BogoMIPS\t: 100.00\nFeatures\t: {self.features}\n"
            f"CPU implementer\t: 0x41\nCPU architecture: {self.revision}\nCPU variant\t: 0x0\n"
            f"CPU part\t: {self.part}\nCPU revision\t: 0\n\n"
        )


_CPUS = (
    Cpu("cortex-a53", "aarch64", "cortex-a53", _ARMV8, "0xd03"),
    Cpu("cortex-a57", "aarch64", "cortex-a57", _ARMV8, "0xd07"),
    Cpu("cortex-a72", "aarch64", "cortex-a72", _ARMV8, "0xd08"),
    Cpu("cortex-a76", "aarch64", "cortex-a76", _ARMV8_2, "0xd0b"),
    # All that QEMU knows (i8mm above all) but SVE and SME, with which LiteRT 2.3 computes wrong results. It
    # goes as a Neoverse V1, the first core with i8mm: LiteRT 2.3 crashes on a part that it does not know.
    Cpu("max", "aarch64", "max,sve=off,sme=off", _ARMV8_6, "0xd40"),
    Cpu("cortex-a7", "armv7l", "cortex-a7", _ARMV7, "0xc07", revision="7"),
    Cpu("cortex-a15", "armv7l", "cortex-a15", _ARMV7, "0xc0f", revision="7"),
    # Cores such as Tegra 2's: NEON is neither announced nor executed (SIGILL).
    Cpu("cortex-a9-no-neon", "armv7l", "cortex-a9,neon=off", _ARMV7_VFP, "0xc09", revision="7"),
)
ARCHITECTURES = tuple(dict.fromkeys(cpu.arch for cpu in _CPUS))


def names(arch: str) -> tuple[str, ...]:
    """The cores of one architecture, oldest first."""
    return tuple(cpu.name for cpu in _CPUS if cpu.arch == arch)


def find(arch: str, name: str) -> Cpu:
    if arch not in ARCHITECTURES:
        raise UserError(f"{arch} is not emulated; choose one of {', '.join(ARCHITECTURES)}")
    for cpu in _CPUS:
        if (cpu.arch, cpu.name) == (arch, name):
            return cpu
    raise UserError(f"no {arch} core {name} is emulated; choose one of {', '.join(names(arch))}")
