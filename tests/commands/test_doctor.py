"""`nncli doctor` as it is run: once with the real TensorFlow, else with made checks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nncli import doctor
from nncli.cli import main
from nncli.doctor.machine import Machine
from nncli.results import Check
from tests.documents.read import document_of

CHECKS = [
    Check("python", "ok", "3.11.7 with nncli 0.1.0"),
    Check("outputs", "problem", "[/x] is \x1b[31mno folder", "go to another"),
    Check("gpu", "warning", "the card is not used", "install a driver", {"on_bus": 1}),
    Check("training", "skipped", "TensorFlow does not start"),
]


def made(checks: list[Check], monkeypatch: pytest.MonkeyPatch) -> list[Machine]:
    machines = []

    def examine(machine: Machine) -> Iterator[Check]:
        machines.append(machine)
        yield from checks

    monkeypatch.setattr(doctor, "examine", examine)
    return machines


def test_all_of_it_for_real(tmp_path: Path) -> None:
    script = (
        "import sys; from nncli.cli import main; code = main(['doctor', '--json', '-o', sys.argv[1]"
        "]); sys.stderr.write(' '.join(sorted({'keras', 'tensorflow'} & set(sys.modules))))"
        "; sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "runs")],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "KERAS_HOME": str(tmp_path / "keras")},
    )
    document = document_of(done.stdout, "doctor")
    checks: dict[str, Any] = {check["name"]: check for check in document["checks"]}
    problems = [check for check in document["checks"] if check["status"] == "problem"]
    assert (done.returncode, problems, document["problems"]) == (0, [], 0)
    assert done.stderr == ""  # nor is TensorFlow loaded in the process of the command
    assert list(checks) == [*doctor.CHECKS, "tensorflow", *doctor.DOWNLOADS, "gpu", "training"]
    assert checks["tensorflow"]["facts"]["device"] == "CPU"
    trial = checks["training"]["facts"]
    assert checks["training"]["status"] == "ok", checks["training"]
    assert trial["accuracy"] > 0.8
    assert trial["losses"][1] < trial["losses"][0]
    assert trial["repeats"]
    assert not (tmp_path / "runs").exists()


def test_findings_hints_and_the_tally(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    machines = made(CHECKS, monkeypatch)
    assert main(["doctor", "-o", str(tmp_path)]) == 1
    assert machines[0].output == tmp_path
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.splitlines() == [
        "✓ python      3.11.7 with nncli 0.1.0",
        "✗ outputs     [/x] is �[31mno folder",
        "              go to another",
        "! gpu         the card is not used",
        "              install a driver",
        "– training    TensorFlow does not start",
        "4 checks: 1 warning, 1 problem",
    ]


def test_warnings_are_no_problem(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made([CHECKS[0], CHECKS[2]], monkeypatch)
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.endswith("2 checks: 1 warning, 0 problems\n")


def test_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    made(CHECKS, monkeypatch)
    assert main(["doctor", "--json"]) == 1
    captured = capsys.readouterr()
    document = document_of(captured.out, "doctor")
    assert captured.err == ""
    assert (document["problems"], document["warnings"]) == (1, 1)
    assert document["checks"][2] == {
        "name": "gpu",
        "status": "warning",
        "finding": "the card is not used",
        "hint": "install a driver",
        "facts": {"on_bus": 1},
    }
    assert document["checks"][0]["hint"] is None
