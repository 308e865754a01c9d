"""devices/emulation/counting: loops of machine code whose every instruction is known, and real models."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

import pytest

from edgecore.devices.emulation.counting import Section
from edgecore.devices.emulation.inference import count_inference
from edgecore.devices.emulation.qemu import Emulator
from edgecore.errors import UserError

pytestmark = [pytest.mark.emulated, pytest.mark.slow]
Start = Callable[[str, str], Emulator]

HERE = Path(__file__).parent
BUNDLED = HERE.parents[2] / "edgecore/assets/res_squeezenet_cifar10.tflite"

# getppid(), a loop that runs as often as the argument says, getppid(). Counted between the two: what brings
# the argument back, the loop, and the second svc.
A64 = (
    "e90300aa"  # mov x9, x0
    "a81580d2"  # mov x8, 173
    "010000d4"  # svc 0
    "e00309aa"  # mov x0, x9
    "0084204e"  # add v0.16b, v0.16b, v0.16b
    "0194804e"  # sdot v1.4s, v0.16b, v0.16b
    "e203c03d"  # ldr q2, [sp]
    "e2039f3c"  # stur q2, [sp, -16]
    "000400f1"  # subs x0, x0, 1
    "61ffff54"  # b.ne to the add
    "010000d4"  # svc 0
    "c0035fd6"  # ret
)
A32 = (
    "90002de9"  # push {r4, r7}
    "0040a0e1"  # mov r4, r0
    "4070a0e3"  # mov r7, 64
    "000000ef"  # svc 0
    "0400a0e1"  # mov r0, r4
    "e00840f2"  # vadd.i8 q8, q8, q8
    "a12cc0f2"  # vmull.s8 q9, d16, d17
    "0f476df4"  # vld1.8 {d20}, [sp]
    "005bdded"  # vldr d21, [sp]
    "04102de5"  # push {r1}
    "04109de4"  # pop {r1}
    "010050e2"  # subs r0, r0, 1
    "f7ffff1a"  # bne to the vadd
    "000000ef"  # svc 0
    "9000bde8"  # pop {r4, r7}
    "1eff2fe1"  # bx lr
)
THUMB = (
    "90b4"  # push {r4, r7}
    "0446"  # mov r4, r0
    "4027"  # movs r7, 64
    "00df"  # svc 0
    "2046"  # mov r0, r4
    "40efe008"  # vadd.i8 q8, q8, q8
    "0099"  # ldr r1, [sp]
    "0138"  # subs r0, 1
    "fad1"  # bne to the vadd
    "00df"  # svc 0
    "90bc"  # pop {r4, r7}
    "7047"  # bx lr
)


@pytest.mark.parametrize(
    ("arch", "cpu", "words", "one_round"),
    [
        ("aarch64", "cortex-a76", [A64], Section(total=6, simd=2, memory=2, dot=1)),
        ("armv7l", "cortex-a7", [A32], Section(total=8, simd=2, memory=4, dot=0)),
        ("armv7l", "cortex-a7", ["--thumb", THUMB], Section(total=4, simd=1, memory=1, dot=0)),
    ],
)
def test_a_loop_is_counted_exactly(
    arch: str, cpu: str, words: list[str], one_round: Section, emulator: Start
) -> None:
    numbers = [1, 1000, 54_321]
    command = ["python3", str(HERE / "machine_code.py"), *words, *(str(number) for number in numbers)]
    sections, done = emulator(arch, cpu).count(command)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(sections) == 2 * len(numbers) + 1
    for number, section in zip(numbers, sections[1::2], strict=True):
        parts = [number * part for part in astuple(one_round)]
        assert astuple(section) == (parts[0] + 2, *parts[1:])


def test_an_inference_repeats(emulator: Start) -> None:
    core = emulator("aarch64", "cortex-a76")
    first, second = (count_inference(core, BUNDLED, "tflite-runtime") for _ in range(2))
    assert first.sha256 == second.sha256
    assert first.counts.total == pytest.approx(second.counts.total, rel=1e-4)
    assert first.counts.total > 1_000_000
    assert first.counts.dot == 0
    assert first.facts["version"] == "2.14.0"


def test_litert_uses_the_dot_product_that_a_core_has(emulator: Start) -> None:
    """And gives the same bytes on every core, which an emulated fault would not."""
    found = {
        cpu: count_inference(emulator("aarch64", cpu), BUNDLED, "ai-edge-litert")
        for cpu in ("cortex-a72", "cortex-a76", "max")
    }
    assert found["cortex-a72"].counts.dot == 0
    assert found["cortex-a76"].counts.dot > 1.5 * found["max"].counts.dot > 0
    assert len({inference.sha256 for inference in found.values()}) == 1


def test_a_program_that_dies(emulator: Start, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"no model")
    with pytest.raises(
        UserError, match=r"^tflite-runtime did not run broken.tflite on cortex-a7: ValueError"
    ):
        count_inference(emulator("armv7l", "cortex-a7"), broken, "tflite-runtime")


def test_the_plugin_needs_a_file(emulator: Start) -> None:
    from edgecore.devices.emulation import programs
    from edgecore.devices.emulation.counting import plugin

    core = emulator("aarch64", "cortex-a72")
    command = [programs.find("qemu-aarch64"), "-plugin", str(plugin()), str(core.root / "bin/true")]
    assert subprocess.run(command, capture_output=True).returncode != 0
