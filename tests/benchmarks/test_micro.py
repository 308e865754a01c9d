"""benchmarks/micro: what is measured is what the tables list; short runs; bad input."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from edgecore.benchmarks import micro, peak
from edgecore.errors import UserError
from edgecore.kernels import cpu

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory,
    need_program: Callable[[str, str], str],
    need_module: Callable[[str], None],
) -> Path:
    need_program("cc", "gcc")
    need_module("cmake")
    need_module("ninja")
    path = tmp_path_factory.mktemp("micro")
    micro.build(path)
    return path


@pytest.fixture
def built(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program, which the command finds built."""
    monkeypatch.setattr(micro, "FOLDER", folder)
    return folder / "kernels" / "micro"


def rows_of(names: list[str]) -> set[str]:
    """Byte rows, whose names hold no sizes, without their tier."""
    return {found[1] for name in names if (found := re.fullmatch(r"([a-z_]+)__\w+", name))}


@pytest.mark.parametrize("isa", cpu.available_isas())
def test_every_kernel_that_a_tier_brings_is_listed(isa: str, built: Path) -> None:
    """What is compiled in stands in a table: the library holds the names of no other kernels."""
    listed = micro.names(built, isa)
    assert len(listed) == len(set(listed))
    library = (built.parent / "libedgecore.so").read_bytes()
    own = {name.decode() for name in re.findall(rb"[a-z0-9_]+__" + isa.encode() + rb"(?=\0)", library)}
    assert own and own == {name for name in listed if name.endswith(f"__{isa}")} - {
        f"{row}__{isa}" for row in rows_of(listed)
    }


def test_every_byte_row_of_the_table_is_listed_and_tested(built: Path) -> None:
    header = (ROOT / "kernels/isa/tier.h").read_text()
    table = header[header.index("typedef struct edgecore_tier {") :]
    members = set(re.findall(r"void \(\*(\w+)\)", table))
    optional = set(re.findall(r"/\* May be NULL[^/]*\*/\s*void \(\*(\w+)\)", table))
    assert "xor_row" in members and "max_windows" in optional
    tested = (ROOT / "tests/kernels/c/rows_test.c").read_text()
    # Where one may be NULL there is another way, and the tests of its operator, on every tier, take both.
    assert [member for member in members - optional if f"tested->{member}(" not in tested] == []
    listed = [rows_of(micro.names(built, isa)) for isa in cpu.available_isas()]
    assert all(members - optional <= rows <= members for rows in listed)
    if platform.machine() == "x86_64" and len(listed) > 1:
        assert listed[-1] == members, "its tiers have them all"


@pytest.mark.parametrize("isa", cpu.available_isas())
def test_a_short_run_measures_what_is_listed(
    isa: str, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert micro.main(["--isa", isa, "--ms", "0.01", "--json", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert (tmp_path / "micro.json").read_text() == printed
    [found] = json.loads(printed)["tiers"]
    assert found["isa"] == isa
    assert (found["peak_gmacs"] is not None) == (isa in peak.LOOPS)
    assert list(dict.fromkeys(case["kernel"] for case in found["cases"])) == micro.names(built, isa)
    for case in found["cases"]:
        assert 0 < case["ns"] < 1e9
        assert case["macs"] > case["products"] >= 0 or case["bytes"] > 0
        # A core's peak is that of its instruction, which no kernel betters but by having fewer products.
        if found["peak_gmacs"] and not case["products"]:
            assert case["macs"] / case["ns"] < 1.1 * found["peak_gmacs"]


def test_the_table_names_kernel_shape_and_share(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    isa = cpu.available_isas()[-1]
    arguments = ["--isa", isa, "--kernel", "gemm_", "--ms", "0.1", "--out", str(tmp_path)]
    assert micro.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{isa}, 1 core; ")
    assert lines[1].split()[:4] == ["kernel", "shape", "ns", "GMAC/s"]
    assert all(line.startswith("gemm_") for line in lines[2:])
    assert any(re.search(r"rows, K 9x128 +[\d.]+ +[\d.]+", line) for line in lines)
    assert (isa in peak.LOOPS) == all(line.endswith("%") for line in lines[2:])
    assert (tmp_path / "micro.txt").read_text().splitlines() == lines


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--isa", "mmx"], "this CPU cannot run the tier mmx; choose from scalar"),
        (["--ms", "0"], "--ms takes milliseconds"),
        (["--ms", "nan"], "--ms takes milliseconds"),
        (["--kernel", "gemv", "--isa", "scalar"], "no micro-kernel of scalar has gemv in its name"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], said: str, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert micro.main([*arguments, "--out", str(tmp_path / "out")]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("edgecore: ") and err.count("\n") == 1
    assert said in err
    assert not (tmp_path / "out").exists()


def test_no_compiler_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(UserError, match="need a C compiler; apt-get install gcc"):
        micro.build(tmp_path / "build")
    assert not (tmp_path / "build").exists()
