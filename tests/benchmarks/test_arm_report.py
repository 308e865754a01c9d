"""What the ARM benchmark writes, and what it counts as moved."""

from __future__ import annotations

from pathlib import Path

import pytest
from oracle import Network

from edgecore.benchmarks.arm import __main__ as command
from edgecore.benchmarks.arm import report
from edgecore.benchmarks.arm.counts import LITERT, OURS, TFLITE, Count, Step
from edgecore.benchmarks.arm.traffic import traffic
from edgecore.errors import UserError


def count(cpu: str, runtime: str, millions: float) -> Count:
    return Count("net", cpu, runtime, int(millions * 1e6), 0, 0, 0, "")


def test_every_peer_stands_beside_us_and_the_better_one_makes_the_ratio() -> None:
    counts = [
        count("a72", OURS, 50),
        count("a72", LITERT, 80),
        count("a72", TFLITE, 75),
        count("a7", OURS, 60),
    ]
    *_, row = report.counts_table(counts, {"a72": "A72", "a7": "32 bits"})
    assert row == "| net | **50.0** : 80.0 / 75.0 (1.50 x) | **60.0** |"


def test_an_operator_moves_its_inputs_weights_and_outputs(tmp_path: Path) -> None:
    net = Network(seed=1)
    x = net.input((1, 8, 6, 4))
    net.output(net.reshape(net.conv2d(x, 5, (3, 3)), (1, 240)))
    path = tmp_path / "net.tflite"
    path.write_bytes(net.build())
    weights, bias = 5 * 9 * 4, 4 * 5
    found = traffic("net", path, {"a72": (Step("conv_2d", 0, 400), Step("reshape", 0, 11))})
    assert found.fused == {"a72": 411}
    assert found.by_operator == 8 * 6 * 4 + weights + bias + 8 * 6 * 5 == 632
    *_, row = report.traffic_table([found], {"a72": "A72"})
    assert row == "| net | 0 (1.54 x) | 1 |"


def test_publishing_replaces_what_stands_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / report.PAGE
    page.parent.mkdir()
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.publish("new\n", tmp_path)
    assert page.read_text() == f"before\n{report.BEGIN}\n\nnew\n\n{report.END}\nafter\n"
    page.write_text("nothing\n")
    with pytest.raises(UserError, match="restore them"):
        report.publish("new\n", tmp_path)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--cpus", "pentium"], "no core pentium is emulated; choose from"),
        (["--steps", "nothing"], "--steps nothing: no such model"),
        (
            ["--wheels", "nowhere"],
            "nowhere has 0 wheels for aarch64 instead of one; build them with `make wheels`",
        ),
        (["--publish"], "is not here; call it in the project's own folder"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str],
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command.main(arguments) == 2
    message = capsys.readouterr().err
    assert line in message and message.count("\n") == 1
