from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

import nncli
from nncli.doctor import system
from tests.doctor import made

ASKED = ["numpy>=2.0,<3", "keras<4,>=3.8", "tensorflow<2.22,>=2.18", "pytest>=8; extra == 'dev'"]
GOOD = {"numpy": "2.4.6", "keras": "3.15.1", "tensorflow": "2.21.0"}


def test_python_is_told_with_its_place(tmp_path: Path) -> None:
    check = system.check_python(made.machine(tmp_path))
    assert check.status == "ok"
    assert nncli.__version__ in check.finding
    assert check.facts["bits"] == 64


def test_a_python_that_nncli_does_not_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.python_version", lambda: "3.9.18")
    check = system.check_python(made.machine(tmp_path))
    assert check.status == "problem"
    assert "3.9.18" in check.finding
    assert ">=3.11" in check.finding


def test_a_python_of_32_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.maxsize", 2**31 - 1)
    check = system.check_python(made.machine(tmp_path))
    assert (check.status, check.facts["bits"]) == ("problem", 32)


def test_the_packages_that_are_here_are_those_asked_for(tmp_path: Path) -> None:
    check = system.check_packages(made.machine(tmp_path))
    assert check.status == "ok", check
    assert f"tensorflow {metadata.version('tensorflow')}" in check.finding
    assert "pytest" not in check.facts["versions"]


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({}, "ok", "all 3 are there, in the ranges that nncli asks for: tensorflow 2.21.0, keras"),
        ({"keras": None}, "problem", "keras: not installed"),
        ({"keras": "4.0.1"}, "warning", "keras 4.0.1 (nncli asks for <4,>=3.8)"),
        ({"numpy": "1.26.4"}, "warning", "numpy 1.26.4 (nncli asks for <3,>=2.0)"),
        ({"tensorflow": "2.21.0rc1"}, "ok", "tensorflow 2.21.0rc1"),
        ({"tensorflow-cpu": "2.20.0"}, "warning", "tensorflow-cpu 2.20.0 is installed beside"),
    ],
)
def test_versions_are_held_against_the_ranges(
    changed: dict[str, str | None], status: str, said: str
) -> None:
    check = system.judge_packages(ASKED, {**GOOD, **changed}.get)
    assert (check.status, said in check.finding) == (status, True), check.finding
    assert bool(check.hint) == (status != "ok")


def test_what_is_not_installed_has_no_ranges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", none)
    monkeypatch.setattr(metadata, "metadata", none)
    assert system.check_packages(made.machine(tmp_path)).status == "skipped"
    assert system.check_python(made.machine(tmp_path)).status == "ok"


INFO = "processor\t: 0\nmodel name\t: A Processor\nflags\t\t: fpu sse2{}\n"


@pytest.mark.parametrize(
    ("files", "environment", "status", "said"),
    [
        ({"proc/cpuinfo": INFO.format(" avx avx2 fma")}, {}, "ok", "A Processor; runs take"),
        ({"proc/cpuinfo": INFO.format(" avx")}, {}, "ok", "oneDNN is on"),
        (
            {"proc/cpuinfo": INFO.format(" avx")},
            {"TF_ENABLE_ONEDNN_OPTS": "0"},
            *("ok", "TF_ENABLE_ONEDNN_OPTS=0 turns oneDNN off"),
        ),
        ({"proc/cpuinfo": INFO.format("")}, {}, "problem", "A Processor has no AVX"),
        ({"sys/fs/cgroup/cpu.max": "max 100000\n"}, {}, "ok", "oneDNN is on"),
        ({"sys/fs/cgroup/cpu.max": "400000 100000\n"}, {}, "warning", "only 4 processors"),
        ({"sys/fs/cgroup/cpu.max": "150000 100000\n"}, {}, "warning", "only 1.5 processors"),
        ({}, {}, "ok", "runs take 8 threads"),
    ],
)
def test_the_processor(
    files: dict[str, str],
    environment: dict[str, str],
    status: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nncli.config.sections.available_threads", lambda: 8)
    check = system.check_processor(made.machine(tmp_path, files, environment=environment))
    assert (check.status, said in check.finding) == (status, True), check.finding
    if "1.5" in said:
        assert check.hint == "train with --threads 2"


def test_a_processor_of_another_kind_needs_no_avx(tmp_path: Path) -> None:
    files = {"proc/cpuinfo": "Features\t: fp asimd\nflags\t: none\n"}
    machine = made.machine(tmp_path, files, architecture="aarch64")
    assert system.check_processor(machine).status != "problem"


@pytest.mark.parametrize(
    ("free", "status"), [(8_000_000_000, "ok"), (400_000_000, "warning"), (None, "skipped")]
)
def test_memory(free: int | None, status: str) -> None:
    check = system.judge_memory(free)
    assert check.status == status
    if free is not None:
        assert f"{free / 1e9:.1f} GB are free" in check.finding
